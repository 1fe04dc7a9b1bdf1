"""Boxes as their directions lay them: across a filament, or along a normal.

A box on a filament becomes its cross-section, the mean along z within the box; one on a
membrane its profile along z. Where the density stands in it is where the picks lie
beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.kinds import FILAMENT
from etpicker_plugin.engine.verdict.alignment.turning import to_reference

EDGE_VOX = 2.0
FLAT = 0.3
"""Of the radius that is shown, across a normal: farther out a membrane bends away."""


@dataclass(frozen=True, kw_only=True)
class Sections:
    """Sections of boxes, and where in a box they are.

    Attributes
    ----------
    values
        ``(N, B, B)`` yx of filaments, or ``(N, B)`` z of membranes.
    axes
        Which columns of a box's rotation the last axis, the one before it … lie along.
    radius_vox
        Of the filament, or what is shown of a membrane to either side, box voxels.
    """

    values: FloatArray
    axes: tuple[int, ...]
    radius_vox: float

    @property
    def distances(self) -> FloatArray:
        """Return how far each place of a section is from its middle, box voxels."""
        size = self.values.shape[-1]
        squares = (np.arange(size) - float(size // 2)) ** 2
        if self.values.ndim == 2:
            return np.asarray(np.sqrt(squares))
        return np.asarray(np.sqrt(squares[:, None] + squares))


def cut_sections(
    boxes: Iterator[NDArray[np.floating]],
    matrices: FloatArray,
    *,
    kind: str,
    radius_vox: float,
) -> Sections:
    """Return the sections of boxes ``(B, B, B)`` that lie as ``(N, 3, 3)`` say."""
    reach = max(int(radius_vox if kind == FILAMENT else FLAT * radius_vox), 1)
    values = []
    for box, rotation in zip(boxes, matrices, strict=True):
        turned = to_reference(box, rotation, order=1)
        middle = turned.shape[-1] // 2
        near = slice(middle - reach, middle + reach + 1)
        values.append(
            turned[near].mean(axis=0)
            if kind == FILAMENT
            else turned[:, near, near].mean(axis=(1, 2))
        )
    return Sections(
        values=np.stack(values),
        axes=(0, 1) if kind == FILAMENT else (2,),
        radius_vox=radius_vox,
    )


def round_template(mean: FloatArray, sections: Sections) -> FloatArray:
    """Return a mean section made round, or of a membrane symmetric, of sum 0.

    So it has no middle of its own that could be wrong.
    """
    distances = sections.distances
    rings = np.round(distances).astype(int).ravel()
    profile = np.bincount(rings, weights=mean.ravel()) / np.bincount(rings)
    found = np.interp(distances, np.arange(len(profile)), profile)
    beyond = (distances - sections.radius_vox) / EDGE_VOX
    window = 0.5 + 0.5 * np.cos(np.pi * np.clip(beyond, 0.0, 1.0))
    return np.asarray((found - (found * window).sum() / window.sum()) * window)


def correlations(
    sections: Sections, template: FloatArray, *, reach_vox: int
) -> NDArray[np.float32]:
    """Return ``(N, K, K)``, or ``(N, K)``, K = 2 reach + 1: correlation over shifts.

    The middle is no shift; a peak at +1 means that the density stands one voxel above
    the middle of the section on that axis.
    """
    axes = tuple(range(1, sections.values.ndim))
    product = np.fft.fftn(sections.values, axes=axes) * np.conj(np.fft.fftn(template))
    whole = np.fft.fftshift(np.fft.ifftn(product, axes=axes).real, axes=axes)
    middle = sections.values.shape[-1] // 2
    near = slice(middle - reach_vox, middle + reach_vox + 1)
    index = (slice(None), *(near for _ in axes))
    return np.asarray(whole[index], dtype=np.float32)
