"""A particle's density, from a map or atoms: sign, extent and voxel size judged."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.maps.atoms import ATOM_FILES, density_of_atoms
from etpicker_plugin.engine.names import printable
from etpicker_plugin.engine.simulation.species import (
    Species,
    make_species,
    rescale_density,
)
from etpicker_plugin.engine.volumes.tomogram import read_map, read_whole

logger = logging.getLogger(__name__)

LEAST_SKEW = 0.5
"""Of a map's values about the solvent's: noise has none, a particle in a box has 2 and
more; towards which side it is tells protein."""

BODY_SHARE = 0.15
"""Of the highest value, after smoothing: what is above belongs to the particle."""

EXTENT_SMOOTHING_ANG = 10.0
MARGIN_ANG = 20.0
DOUBTFUL, IMPOSSIBLE = 1.5, 2.5
"""How many times a diameter may differ from the map's longest extent."""

Volume = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class DensityMap:
    """A class's particle.

    Attributes
    ----------
    density
        ``(Z, Y, X)``, protein positive, 0 outside the particle; cut to its body.
    voxel_size
        Å.
    extent_ang
        Longest extent of the body.
    was_dark
        Whether protein was negative in the file.
    """

    name: str
    density: Volume
    voxel_size: float
    extent_ang: float
    was_dark: bool

    def is_same_as(self, other: "DensityMap") -> bool:
        """Tell whether another class has the same map, whatever its grey values."""
        if self.density.shape != other.density.shape:
            return False
        a, b = (one.density / one.density.max() for one in (self, other))
        return self.voxel_size == other.voxel_size and np.allclose(a, b, atol=1e-3)

    def species_at(self, voxel_size: float) -> Species:
        """Return the particle as it is placed at a voxel size (Å)."""
        density = rescale_density(self.density, self.voxel_size / voxel_size)
        return make_species(self.name, density, voxel_size)


def read_density(name: str, path: Path | str, *, diameter_ang: float) -> DensityMap:
    """Read a class's map (MRC) or atoms (PDB, mmCIF), whatever its sign and box.

    Parameters
    ----------
    diameter_ang
        What the user says of the particle; the map must be of about that extent.

    Raises
    ------
    InputDataError
        If the file cannot be read, holds no particle, or one of another size.
    """
    path = Path(path)
    what = f"Map of {printable(name)}, {path}"
    if path.name.lower().endswith(ATOM_FILES):
        values, voxel_size = density_of_atoms(path)
    else:
        volume = read_map(path)
        values = np.asarray(read_whole(volume), dtype=np.float32)
        voxel_size = volume.voxel_size
    upright, was_dark = _protein_positive(values, what)
    body = _cut_to_body(upright, voxel_size)
    extent = make_species(name, body, voxel_size).diameter_ang
    _check_extent(what, extent, diameter_ang, voxel_size)
    sign = "dark, and inverted" if was_dark else "bright"
    logger.info("%s: protein is %s, longest extent %.0f Å", what, sign, extent)
    return DensityMap(
        name=name,
        density=body,
        voxel_size=voxel_size,
        extent_ang=extent,
        was_dark=was_dark,
    )


def _protein_positive(values: Volume, what: str) -> tuple[Volume, bool]:
    """Return a map with solvent at 0 and protein above it; tell if it was below."""
    if not np.isfinite(values).all():
        raise InputDataError(
            f"{what}: holds NaN or infinite values. Give a map without them."
        )
    solvent = float(np.median(_faces(values)))
    centred = values - solvent
    spread = float(np.sqrt(np.mean(centred.astype(np.float64) ** 2)))
    if spread <= 1e-6 * max(abs(solvent), 1e-30):
        raise InputDataError(
            f"{what}: every voxel has the same value, so there is no particle in it. "
            "Give the map of a particle."
        )
    skew = float(np.mean((centred.astype(np.float64) / spread) ** 3))
    if abs(skew) < LEAST_SKEW:
        raise InputDataError(
            f"{what}: no particle stands out, neither bright nor dark, against what "
            "is at the faces of the box. Give the map of one particle in a box of "
            "solvent, sharpened little, with its surroundings masked."
        )
    was_dark = skew < 0
    return (-centred if was_dark else centred).astype(np.float32), was_dark


def _faces(values: Volume) -> Volume:
    """Return the values at the six faces of a box."""
    ends = [np.take(values, [0, -1], axis=axis).ravel() for axis in range(3)]
    return np.concatenate(ends)


def _cut_to_body(values: Volume, voxel_size: float) -> Volume:
    """Keep the largest body of a map, 0 around it, in the smallest box with a margin.

    Noise around a particle, and its neighbours in an average, are none of it.
    """
    smooth = ndimage.gaussian_filter(values, EXTENT_SMOOTHING_ANG / voxel_size)
    labels, number = ndimage.label(smooth > BODY_SHARE * smooth.max())
    sizes = np.bincount(labels.ravel(), minlength=number + 1)[1:]
    margin = max(round(MARGIN_ANG / voxel_size), 1)
    body = ndimage.binary_dilation(
        labels == 1 + int(np.argmax(sizes)), iterations=margin
    )
    box = ndimage.find_objects(body.astype(np.int8))[0]
    kept = np.where(body, np.clip(values, 0.0, None), 0.0)[box]
    return np.pad(kept, 1).astype(np.float32)


def _check_extent(
    what: str, extent_ang: float, diameter_ang: float, voxel_size: float
) -> None:
    """Refuse a diameter that is not of this map; say when one is doubtful."""
    ratio = max(extent_ang / diameter_ang, diameter_ang / extent_ang)
    found = (
        f"{what}: its particle is {extent_ang:.0f} Å long at {voxel_size:g} Å per "
        f"voxel, and --diameter says {diameter_ang:g} Å"
    )
    if ratio > IMPOSSIBLE:
        raise InputDataError(
            f"{found}. One of them is wrong: check the map's voxel size in its "
            "header, the diameter (Å, not voxels), and that it is the map of this "
            "class."
        )
    if ratio > DOUBTFUL:
        logger.warning("%s. Check the diameter and the map's voxel size.", found)
