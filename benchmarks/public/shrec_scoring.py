"""How SHREC 2021 counts: what stands in the occupancy mask where a pick lies.

Gubins et al. 2021 (doi:10.2312/3dor.20211307) publish ``eval.py`` beside the data. This
is written anew after what it does, oddities included, so that the numbers are those of
the published tables:

* The mask, in which particle n has the value n (its line in ``particle_locations.txt``,
  from 1), is dilated by a voxel. A pick is rounded to whole voxels, moved inside if it
  lies outside, and hits the particle that it stands on; no distance limits it.
* Of several picks on a particle the first counts for its class and distance. The others
  find nothing, but count in the precision, as do those on excluded particles.
* Excluded are 4V94 and vesicles. 4V94 does not count among the particles to be found;
  vesicles do.
* Classes are judged on the particles alone: a particle that nobody found, or that was
  given an excluded class, is background. A pick that hits nothing costs no class
  anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import generate_binary_structure, grey_dilation

PROTEINS = (
    "1S3X 3QM1 3GL1 3H84 2CG9 3D2F 1U6G 3CF3 1BXN 1QVR 4CR2 5MRC".split()  # by size
)
FIDUCIAL, VESICLE, LEFT_OUT = "fiducial", "vesicle", "4V94"
EXCLUDED = (LEFT_OUT, VESICLE)
CLASSES = (*PROTEINS, FIDUCIAL, *EXCLUDED)
BACKGROUND = "background"


@dataclass(frozen=True)
class Marks:
    """Particles or picks: ``(N,)`` class names, and ``(N, 3)`` xyz voxels."""

    names: NDArray[np.str_]
    xyz: NDArray[np.float64]


@dataclass(frozen=True)
class Localisation:
    """What was found, of whatever class; the mean distance is in voxels."""

    n_picks: int
    n_truth: int
    n_found: int
    n_false: int
    n_missed: int
    n_multiple: int
    precision: float
    recall: float
    f1: float
    mean_distance: float | None


@dataclass(frozen=True)
class ClassCounts:
    """Particles of a class that were called so, others that were, and the rest."""

    true: int
    false: int
    missed: int

    @property
    def f1(self) -> float | None:
        """None where no particle is of the class, and none was called so."""
        total = 2 * self.true + self.false + self.missed
        return 2 * self.true / total if total else None


def spell(name: str) -> str:
    """Return a class name as SHREC spells it.

    Raises
    ------
    ValueError
        If SHREC has no such class.
    """
    known = {c.lower(): c for c in CLASSES}
    if name.lower() not in known:
        raise ValueError(f"Class {name}: expected one of {', '.join(CLASSES)}.")
    return known[name.lower()]


def read_locations(path: Path) -> Marks:
    """Read ``class x y z …`` per line; the order of the lines is the mask's."""
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    return Marks(
        np.array([spell(row[0]) for row in rows]),
        np.array([[float(v) for v in row[1:4]] for row in rows]).reshape(-1, 3),
    )


def judge(
    picks: Marks, truth: Marks, occupancy: ArrayLike
) -> tuple[Localisation, dict[str, ClassCounts]]:
    """Return how well particles are found, and told from one another.

    Parameters
    ----------
    picks
        The best first: of several on one particle the first counts.
    occupancy
        ``(Z, Y, X)`` with the number of the particle at each voxel, 0 for none.
    """
    mask = grey_dilation(
        np.asarray(occupancy), footprint=generate_binary_structure(3, 1)
    )
    places = np.clip(np.rint(picks.xyz), 0, np.array(mask.shape[::-1]) - 1).astype(int)
    owners = mask[tuple(places[:, ::-1].T)].astype(int)
    hits: list[list[int]] = [[] for _ in range(len(truth.names) + 1)]
    for pick, owner in enumerate(owners):
        hits[owner].append(pick)
    judged = [n for n, name in enumerate(truth.names, 1) if name not in EXCLUDED]
    first = {n: hits[n][0] for n in judged if hits[n]}
    n_truth = int(np.count_nonzero(truth.names != LEFT_OUT))
    precision, recall = _share(first, len(picks.names)), _share(first, n_truth)
    distances = [np.linalg.norm(places[p] - truth.xyz[n - 1]) for n, p in first.items()]
    localisation = Localisation(
        n_picks=len(picks.names),
        n_truth=n_truth,
        n_found=len(first),
        n_false=len(hits[0]),
        n_missed=len(judged) - len(first),
        n_multiple=sum(len(hits[n]) > 1 for n in judged),
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if first else 0.0,
        mean_distance=float(np.mean(distances)) if first else None,
    )
    called = {n: str(picks.names[p]) for n, p in first.items()}
    pairs = [(str(truth.names[n - 1]), called.get(n, BACKGROUND)) for n in judged]
    return localisation, {
        name: count_class(name, pairs) for name in (*PROTEINS, FIDUCIAL)
    }


def count_class(name: str, pairs: Sequence[tuple[str, str]]) -> ClassCounts:
    """Count one class among pairs of true and given class."""
    true = sum(given == is_ == name for is_, given in pairs)
    return ClassCounts(
        true=true,
        false=sum(given == name for _, given in pairs) - true,
        missed=sum(is_ == name for is_, _ in pairs) - true,
    )


def _share(found: dict[int, int], total: int) -> float:
    return len(found) / total if total else 0.0
