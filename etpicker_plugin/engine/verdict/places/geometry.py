"""The boxes' size, and how near to a face a pick may lie."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.kinds import FILAMENT
from etpicker_plugin.engine.species import MEMBRANE_ANG

DIAMETER_VOX = 18.5
BOX_DIAMETERS = 1.3
FACE_DIAMETERS = 0.4
"""Nearer to a face than this, more than a cap of the particle is missing."""
SEARCH_DIAMETERS = 1 / 8
SEARCH_VOX = 3.0
SEARCH_WIDTHS = 1 / 16
SPHERE_WIDTHS = 1.5
"""Of a filament, that a box shows: its wall and what is beside it."""
SPHERE_MEMBRANES = 3.0
JOIN_DIAMETERS = 1 / 3
LOWPASS_DIAMETERS = 1 / 5
LEAST_LOWPASS_VOX = 3.0


@dataclass(frozen=True, kw_only=True)
class BoxGeometry:
    """Sizes of one run.

    Attributes
    ----------
    voxel_size
        Of the tomograms, Å.
    box_voxel_size
        Of the boxes, Å.
    box
        Edge, even, box voxels.
    width_ang
        Of a filament, or a membrane, of which a box shows a piece and its surroundings;
        ``None`` of particles.
    """

    diameter_ang: float
    voxel_size: float
    box_voxel_size: float
    box: int
    width_ang: float | None = None

    @property
    def scale(self) -> float:
        """Box voxel size over the tomograms'."""
        return self.box_voxel_size / self.voxel_size

    @property
    def radius_vox(self) -> float:
        """Particle radius in box voxels."""
        return self.diameter_ang / 2 / self.box_voxel_size

    @property
    def box_ang(self) -> float:
        """Edge of a box, Å."""
        return self.box * self.box_voxel_size

    @property
    def border_vox(self) -> float:
        """Least distance of a judged pick from a face, tomogram voxels."""
        whole = self.width_ang or self.diameter_ang
        return FACE_DIAMETERS * whole / self.voxel_size

    @property
    def search_ang(self) -> float:
        """How far a particle is looked for around its pick, Å.

        An eighth of the diameter, but three voxels at least: enough for a picker's
        scatter and a wrong origin, too little to mend a bad pick. A curve is smooth
        and scatters less: a sixteenth of its width, or a voxel.
        """
        if self.width_ang is not None:
            return max(SEARCH_WIDTHS * self.width_ang, self.voxel_size)
        return max(SEARCH_DIAMETERS * self.diameter_ang, SEARCH_VOX * self.voxel_size)

    @property
    def clearance_ang(self) -> float:
        """How far the control of filaments or membranes is from them: out of sight."""
        return ((self.width_ang or 0.0) + self.diameter_ang) / 2

    @property
    def search_step_vox(self) -> float:
        """Step of that search, box voxels; it is halved by oversampling."""
        if self.search_ang / self.box_voxel_size >= 2.0:
            return 1.5
        return min(1.0, self.search_ang / self.box_voxel_size)

    @property
    def lowpass_ang(self) -> float:
        """To which a reference is low-passed first, Å."""
        return max(
            LOWPASS_DIAMETERS * self.diameter_ang,
            LEAST_LOWPASS_VOX * self.box_voxel_size,
        )

    @property
    def join_ang(self) -> float:
        """Up to which both half sets share one map, Å."""
        return JOIN_DIAMETERS * self.diameter_ang


def choose_geometry(
    diameter_ang: float, voxel_size: float, box_voxel_size: float | None
) -> BoxGeometry:
    """Choose boxes that hold the particle and as few voxels as will do.

    Raises
    ------
    ConfigError
        If the boxes' voxels are finer than the tomograms', or too coarse.
    """
    if box_voxel_size is not None and box_voxel_size < 0.99 * voxel_size:
        raise ConfigError(
            f"--box-voxel-size: got {box_voxel_size:g} Å, but the tomograms have "
            f"{voxel_size:g} Å. Expected that or more: finer voxels hold nothing new."
        )
    chosen = box_voxel_size or max(voxel_size, diameter_ang / DIAMETER_VOX)
    if diameter_ang / chosen < 6:
        raise ConfigError(
            f"A particle of {diameter_ang:g} Å is {diameter_ang / chosen:.1f} voxels "
            f"of {chosen:g} Å, too few to align. Give less binned tomograms, or a "
            "smaller --box-voxel-size."
        )
    return BoxGeometry(
        diameter_ang=diameter_ang,
        voxel_size=voxel_size,
        box_voxel_size=chosen,
        box=2 * math.ceil(BOX_DIAMETERS * diameter_ang / chosen / 2),
    )


def choose_thing_geometry(
    kind: str, diameter_ang: float, voxel_size: float, box_voxel_size: float | None
) -> BoxGeometry:
    """Choose boxes on filaments of that width, or on membranes of vesicles.

    Raises
    ------
    ConfigError
        As ``choose_geometry``.
    """
    is_filament = kind == FILAMENT
    width = diameter_ang if is_filament else MEMBRANE_ANG
    shown = SPHERE_WIDTHS if is_filament else SPHERE_MEMBRANES
    return replace(
        choose_geometry(shown * width, voxel_size, box_voxel_size), width_ang=width
    )


def is_clear_of_faces(
    positions_zyx: NDArray[np.float64],
    shape_zyx: tuple[int, int, int],
    *,
    border_vox: float,
) -> NDArray[np.bool_]:
    """Return ``(N,)``: true where a pick keeps its distance from every face."""
    low, high = inner_bounds(shape_zyx, border_vox=border_vox)
    inside = (positions_zyx >= low) & (positions_zyx <= high)
    return np.asarray(inside.all(axis=1))


def inner_bounds(
    shape_zyx: ArrayLike, *, border_vox: float
) -> tuple[FloatArray, FloatArray]:
    """Return the lowest and highest zyx within a border: all of z in a micrograph."""
    shape = np.asarray(shape_zyx, dtype=np.float64)
    low = np.where(shape > 1, border_vox, 0.0)
    return low, shape - 1 - low
