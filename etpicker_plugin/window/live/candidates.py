"""Places that the live picker takes for particles, until a person has answered."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.settings import Classes


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Candidates of one tomogram, of all classes.

    Attributes
    ----------
    positions_zyx
        ``(N, 3)`` voxels.
    class_names, scores
        ``(N,)``.
    planes
        ``(N,)`` the plane of the tomogram with which each came, and goes again.
    """

    positions_zyx: NDArray[np.float64]
    class_names: NDArray[np.str_]
    scores: NDArray[np.float64]
    planes: NDArray[np.intp]

    def __len__(self) -> int:
        """Return their number."""
        return len(self.scores)

    def chosen(self, which: NDArray[np.generic]) -> "Candidates":
        """Return some of them, by numbers or by truth."""
        return Candidates(
            positions_zyx=self.positions_zyx[which],
            class_names=self.class_names[which],
            scores=self.scores[which],
            planes=self.planes[which],
        )


Found = Mapping[str, tuple[ArrayLike, ArrayLike]]
"""Class -> positions zyx ``(N, 3)`` and scores ``(N,)``."""


def make_candidates(found: Found, planes: tuple[int, int]) -> Candidates:
    """Return what was found between two planes (half open) as one table.

    A centre that lies a little beyond belongs to the nearest of these planes: the next
    word about them is about it too.
    """
    positions = [np.asarray(p, float).reshape(-1, 3) for p, _ in found.values()]
    counts = [len(p) for p in positions]
    every = np.concatenate([*positions, np.zeros((0, 3))])
    first, last = planes
    return Candidates(
        positions_zyx=every,
        class_names=np.repeat(np.array(list(found), dtype=np.str_), counts),
        scores=np.concatenate([*(np.asarray(s, float) for _, s in found.values()), []]),
        planes=np.clip(np.rint(every[:, 0]), first, last - 1).astype(np.intp),
    )


def within(candidates: Candidates, shape_zyx: tuple[int, int, int]) -> Candidates:
    """Return them with centres inside: beyond a face no pick could be made of them."""
    inside = np.clip(candidates.positions_zyx, 0, np.asarray(shape_zyx) - 1)
    return replace(candidates, positions_zyx=inside)


NONE = make_candidates({}, (0, 1))


def merged(old: Candidates, new: Candidates, planes: tuple[int, int]) -> Candidates:
    """Return the old ones, with the new ones for those between two planes."""
    first, last = planes
    return joined(old.chosen((old.planes < first) | (old.planes >= last)), new)


def joined(one: Candidates, other: Candidates) -> Candidates:
    """Return both in one table."""
    return Candidates(
        positions_zyx=np.concatenate([one.positions_zyx, other.positions_zyx]),
        class_names=np.concatenate([one.class_names, other.class_names]),
        scores=np.concatenate([one.scores, other.scores]),
        planes=np.concatenate([one.planes, other.planes]),
    )


def radii_vox(
    candidates: Candidates, document: Document, classes: Classes
) -> NDArray[np.float64]:
    """Return the radius of each, ``(N,)``, as its class says."""
    names, codes = np.unique(candidates.class_names, return_inverse=True)
    sizes = [classes[str(name)].diameter_ang / 2 for name in names]
    return np.array([*sizes, 0.0])[codes] / document.volume.voxel_size


def unanswered(
    candidates: Candidates, document: Document, classes: Classes
) -> Candidates:
    """Return those without any pick, or place without a particle, within their radius.

    Two particles are never so near one another: a pick of another class answers too.
    """
    annotation = document.annotation
    picks = annotation.positions_zyx[annotation.alive]
    declared = np.isin(candidates.class_names, classes.names())
    if len(picks) == 0 or len(candidates) == 0:
        return candidates.chosen(declared)
    distances, _ = cKDTree(picks).query(candidates.positions_zyx)
    far = distances > radii_vox(candidates, document, classes)
    return candidates.chosen(declared & far)
