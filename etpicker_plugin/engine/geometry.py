"""The engine's frame, and every conversion into and out of it.

Internal frame: 0-based voxel index, voxel *i* centred at *i*, float, zyx. Positions
leave it only through this module, in which ``p`` is such a position, ``n`` the
tomogram's size and ``s`` its voxel size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etpicker_plugin.engine.arrays import FloatArray

IMOD_VOXEL_CENTRE_XYZ = np.array([0.5, 0.5, 0.0])


@dataclass(frozen=True)
class TomogramFrame:
    """What a conversion must know of a tomogram.

    Attributes
    ----------
    binning
        Its voxel size over the tilt series' pixel size.
    tilt_series
        What its tilt series is called; "" if nobody said so.
    unbinned_size_xyz, unbinned_pixel_size
        Size in pixels and pixel size in Å of the unbinned tomogram as RELION has
        them; without them, binned size times binning, and voxel size over binning.
    suffix
        How its file ends, for programs whose tables name a micrograph's file.
    """

    tomogram_id: str
    shape_zyx: tuple[int, int, int]
    voxel_size: float
    binning: float = 1.0
    tilt_series: str = ""
    unbinned_size_xyz: tuple[float, float, float] | None = None
    unbinned_pixel_size: float | None = None
    suffix: str = ".mrc"

    @property
    def tilt_series_pixel_size(self) -> float:
        """Pixel size of the unbinned tilt series in Å."""
        return self.unbinned_pixel_size or self.voxel_size / self.binning


def lies_outside(
    positions_zyx: ArrayLike, shape_zyx: tuple[int, int, int]
) -> NDArray[np.bool_]:
    """Return ``(N,)``: true for ``(N, 3)`` zyx voxels outside a volume.

    It reaches from -0.5 to *n* - 0.5, both included: to the faces of its voxels.
    """
    positions = np.asarray(positions_zyx, dtype=np.float64).reshape(-1, 3)
    limit = np.asarray(shape_zyx) - 0.5
    return np.asarray(((positions < -0.5) | (positions > limit)).any(axis=1))


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

    With ``centre`` ``half``, (p · binning - size/2) · pixel size, as RELION's
    ``ParticleSet`` has it, where size is that of the unbinned tomogram; with
    ``half-minus-one`` the centre is one unbinned pixel lower, as in RELION's napari
    picker.
    """
    unbinned_xyz = to_unbinned_xyz(positions_zyx, frame)
    return (unbinned_xyz - _centre_xyz(frame, centre)) * frame.tilt_series_pixel_size


def from_centred_ang_xyz(
    positions_xyz: ArrayLike, frame: TomogramFrame, *, centre: str = "half"
) -> FloatArray:
    """Return ``(N, 3)`` zyx voxels from xyz in Å from the tomogram's centre."""
    from_centre_xyz = np.asarray(positions_xyz) / frame.tilt_series_pixel_size
    return from_unbinned_xyz(from_centre_xyz + _centre_xyz(frame, centre), frame)


def to_ang_xyz(positions_zyx: ArrayLike, frame: TomogramFrame) -> FloatArray:
    """Return ``(N, 3)`` xyz in Å from the centre of the first voxel: p · s (copick)."""
    return reverse_axes(positions_zyx) * frame.voxel_size


def from_ang_xyz(positions_xyz: ArrayLike, frame: TomogramFrame) -> FloatArray:
    """Return ``(N, 3)`` zyx voxels from xyz in Å from the centre of the first voxel."""
    return reverse_axes(positions_xyz) / frame.voxel_size


def to_fraction_xyz(positions_zyx: ArrayLike, frame: TomogramFrame) -> FloatArray:
    """Return ``(N, 3)`` xyz as fractions of the tomogram's size: p / n (Warp)."""
    return reverse_axes(positions_zyx) / frame.shape_zyx[::-1]


def from_fraction_xyz(positions_xyz: ArrayLike, frame: TomogramFrame) -> FloatArray:
    """Return ``(N, 3)`` zyx voxels from xyz as fractions of the tomogram's size."""
    return reverse_axes(positions_xyz) * frame.shape_zyx


def to_imod_xyz(positions_zyx: ArrayLike) -> FloatArray:
    """Return ``(N, 3)`` xyz as IMOD's models hold it: p + 0.5 in x and y, p in z.

    A model's x and y run from 0 to n, its z from -0.5 to n - 0.5.
    """
    return reverse_axes(positions_zyx) + IMOD_VOXEL_CENTRE_XYZ


def from_imod_xyz(positions_xyz: ArrayLike) -> FloatArray:
    """Return ``(N, 3)`` zyx voxels from a model's xyz."""
    return reverse_axes(np.asarray(positions_xyz) - IMOD_VOXEL_CENTRE_XYZ)


def rescale(positions_zyx: FloatArray, ratios_zyx: ArrayLike) -> FloatArray:
    """Return ``(N, 3)`` zyx voxels of a volume whose voxels are ``1 / ratios`` as long.

    The two volumes begin at the same corner: (p + 1/2) · ratio - 1/2.
    """
    return (positions_zyx + 0.5) * np.asarray(ratios_zyx) - 0.5


def to_eman2_xyz(positions_zyx: ArrayLike, frame: TomogramFrame) -> FloatArray:
    """Return ``(N, 3)`` xyz in unbinned pixels from voxel n // 2 (EMAN2's info files).

    (p - n // 2) · binning, as ``e2spt_boxer`` saves boxes beside ``apix_unbin``.
    """
    return (reverse_axes(positions_zyx) - _eman2_centre_xyz(frame)) * frame.binning


def from_eman2_xyz(positions_xyz: ArrayLike, frame: TomogramFrame) -> FloatArray:
    """Return ``(N, 3)`` zyx voxels from EMAN2's centred unbinned xyz."""
    return reverse_axes(
        np.asarray(positions_xyz) / frame.binning + _eman2_centre_xyz(frame)
    )


def to_image_xy(positions_zyx: ArrayLike) -> FloatArray:
    """Return ``(N, 2)`` xy pixels of a micrograph, whose z is 0."""
    return reverse_axes(positions_zyx)[:, :2]


def from_image_xy(positions_xy: ArrayLike) -> FloatArray:
    """Return ``(N, 3)`` zyx from xy pixels of a micrograph."""
    xy = np.asarray(positions_xy, dtype=np.float64).reshape(-1, 2)
    return reverse_axes(np.column_stack([xy, np.zeros(len(xy))]))


def to_corner_xy(positions_zyx: ArrayLike, box_xy: ArrayLike) -> FloatArray:
    """Return ``(N, 2)`` xy of the first corner of boxes: p - size / 2 (EMAN2, crYOLO).

    So RELION, EMAN2 and crYOLO take a box's centre for its corner plus half its size.
    """
    return to_image_xy(positions_zyx) - np.asarray(box_xy) / 2


def from_corner_xy(corners_xy: ArrayLike, box_xy: ArrayLike) -> FloatArray:
    """Return ``(N, 3)`` zyx from the first corners of boxes of a micrograph."""
    return from_image_xy(np.asarray(corners_xy) + np.asarray(box_xy) / 2)


def mirror_z(
    positions_zyx: FloatArray, frame: TomogramFrame, *, about_eman2_centre: bool
) -> FloatArray:
    """Return ``(N, 3)`` zyx with z counted from the other end: n - 1 - p.

    About EMAN2's centre, voxel n // 2, it is 2 · (n // 2) - p: its z changes sign.
    """
    n = frame.shape_zyx[0]
    mirrored = positions_zyx.copy()
    mirrored[:, 0] = (2 * (n // 2) if about_eman2_centre else n - 1) - mirrored[:, 0]
    return mirrored


def _eman2_centre_xyz(frame: TomogramFrame) -> FloatArray:
    return np.asarray(frame.shape_zyx[::-1], dtype=np.float64) // 2


def _centre_xyz(frame: TomogramFrame, centre: str) -> FloatArray:
    """Return the origin of RELION 5's coordinates in unbinned pixels."""
    binned = np.asarray(frame.shape_zyx[::-1], dtype=np.float64)
    size = frame.unbinned_size_xyz
    half = (binned * frame.binning if size is None else np.asarray(size)) / 2
    return half - 1 if centre == "half-minus-one" else half
