"""The engine's frame, and every conversion into and out of it.

Internal frame: 0-based voxel index, voxel *i* centred at *i*, float, zyx. Positions
leave it only through this module, in which ``p`` is such a position, ``n`` the
tomogram's size and ``s`` its voxel size.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

RELION5_CENTRES = ("half", "half-minus-one")


@dataclass(frozen=True, kw_only=True)
class TomogramFrame:
    """What a conversion must know of a tomogram.

    ``binning`` is its voxel size over the tilt series' pixel size.
    """

    tomogram_id: str
    shape_zyx: tuple[int, int, int]
    voxel_size: float
    binning: float = 1.0

    @property
    def tilt_series_pixel_size(self) -> float:
        """Pixel size of the unbinned tilt series in Å."""
        return self.voxel_size / self.binning


def reverse_axes(positions: ArrayLike) -> FloatArray:
    """Turn ``(N, 3)`` zyx into xyz, or xyz into zyx."""
    return np.asarray(positions, dtype=np.float64).reshape(-1, 3)[:, ::-1].copy()


def to_unbinned_xyz(positions_zyx: ArrayLike, frame: TomogramFrame) -> FloatArray:
    """Return ``(N, 3)`` xyz in unbinned tilt-series pixels: p · binning (RELION 4).

    RELION puts voxel 0 of a binned tomogram on pixel 0, so nothing is added.
    """
    return reverse_axes(positions_zyx) * frame.binning


def from_unbinned_xyz(positions_xyz: ArrayLike, frame: TomogramFrame) -> FloatArray:
    """Return ``(N, 3)`` zyx voxels from xyz in unbinned tilt-series pixels."""
    return reverse_axes(positions_xyz) / frame.binning


def to_centred_ang_xyz(
    positions_zyx: ArrayLike, frame: TomogramFrame, *, centre: str = "half"
) -> FloatArray:
    """Return ``(N, 3)`` xyz in Å from the tomogram's centre (RELION 5).

    With ``centre`` ``half``, (p - n/2) · s, as RELION's ``ParticleSet`` has it; with
    ``half-minus-one`` the centre is one unbinned pixel lower, as in RELION's napari
    picker.
    """
    return (reverse_axes(positions_zyx) - _centre_xyz(frame, centre)) * frame.voxel_size


def from_centred_ang_xyz(
    positions_xyz: ArrayLike, frame: TomogramFrame, *, centre: str = "half"
) -> FloatArray:
    """Return ``(N, 3)`` zyx voxels from xyz in Å from the tomogram's centre."""
    corner_xyz = np.asarray(positions_xyz) / frame.voxel_size
    return reverse_axes(corner_xyz + _centre_xyz(frame, centre))


def _centre_xyz(frame: TomogramFrame, centre: str) -> FloatArray:
    """Return the origin of RELION 5's coordinates in voxels: n/2, less 1/binning."""
    half = np.asarray(frame.shape_zyx[::-1], dtype=np.float64) / 2
    return half - 1 / frame.binning if centre == "half-minus-one" else half
