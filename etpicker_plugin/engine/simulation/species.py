"""What is placed: a particle's density, from a map or built in."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.volumes.tomogram import read_map, read_whole

Ellipsoid = tuple[tuple[float, float, float], tuple[float, float, float]]

BODY_LEVEL = 0.1
EDGE_ANG = 8.0
TEXTURE = 0.35
TEXTURE_SEED = 20240617


@dataclass(frozen=True, kw_only=True)
class Species:
    """A particle to place.

    Attributes
    ----------
    density
        ``(Z, Y, X)`` float32, protein positive, highest value 1, 0 around it.
    diameter_ang
        Longest extent of the body, Å.
    """

    name: str
    density: NDArray[np.float32]
    diameter_ang: float

    @property
    def centre_of_mass_zyx(self) -> NDArray[np.float64]:
        """Return the density's centre of mass in its own voxels."""
        return np.asarray(ndimage.center_of_mass(self.density), dtype=np.float64)


LONG = 1 + 2**0.5
"""The long one of the three coordinates of a rhombicuboctahedron's corners."""

BUILT_IN: dict[str, Sequence[Ellipsoid]] = {
    # Bodies in Å: centre xyz and half axes xyz.
    "ribosome": (
        ((0, 0, -35), (118, 108, 95)),
        ((15, -10, 85), (105, 70, 58)),
        ((95, 55, 20), (45, 22, 24)),
        ((-105, 35, 25), (38, 26, 26)),
        ((60, -60, 120), (40, 28, 26)),
    ),
    "proteasome": (
        ((0, 0, 0), (58, 58, 78)),
        ((18, 0, 105), (72, 55, 42)),
        ((-18, 0, -105), (72, 55, 42)),
        ((60, 20, 125), (34, 26, 24)),
        ((-60, -20, -125), (34, 26, 24)),
    ),
    "ring": tuple(
        (
            (52 * np.cos(np.pi * k / 3), 52 * np.sin(np.pi * k / 3), z),
            (30.0, 30.0, 28.0),
        )
        for z in (-26.0, 26.0)
        for k in range(6)
    ),
    "globule": (
        ((0, 0, 0), (48, 42, 40)),
        ((42, 18, 10), (30, 26, 28)),
        ((-30, 10, 40), (26, 30, 24)),
    ),
    # A hollow shell of 24 subunits, 120 Å across.
    "apoferritin": tuple(
        ((15.0 * x, 15.0 * y, 15.0 * z), (16.0, 16.0, 16.0))
        for x, y, z in product((-LONG, -1, 1, LONG), repeat=3)
        if sorted(map(abs, (x, y, z))) == [1, 1, LONG]
    ),
    # Four rings of seven, 110 x 150 Å, with a channel.
    "20S": tuple(
        (
            (
                36 * np.cos(2 * np.pi * (k + turn) / 7),
                36 * np.sin(2 * np.pi * (k + turn) / 7),
                z,
            ),
            (19.0, 19.0, 19.0),
        )
        for z, turn in ((-56, 0.3), (-19, 0.0), (19, 0.0), (56, 0.3))
        for k in range(7)
    ),
    # A receptor in the belt of its micelle, with something small bound below.
    "gpcr": (
        ((0, 0, 0), (16, 13, 30)),
        ((5, 0, -38), (13, 11, 14)),
        *(
            (
                (28 * np.cos(np.pi * k / 6), 25 * np.sin(np.pi * k / 6), 0.0),
                (8.0, 8.0, 12.0),
            )
            for k in range(12)
        ),
    ),
}


def built_in_species(name: str, voxel_size: float) -> Species:
    """Return a procedural species at a voxel size (Å).

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    if name not in BUILT_IN:
        raise ConfigError(
            f"--species {name}: not built in; expected some of: {', '.join(BUILT_IN)}. "
            "Other species can be given as --density maps."
        )
    body = draw_ellipsoids(BUILT_IN[name], voxel_size)
    density = body * (1.0 + TEXTURE * _texture(body.shape, voxel_size))
    return make_species(name, density, voxel_size)


def species_from_map(path: Path | str, voxel_size: float) -> Species:
    """Read a density map, protein positive, and rescale it to a voxel size (Å).

    Raises
    ------
    InputDataError
        If it cannot be read, or holds nothing positive.
    """
    volume = read_map(path)
    data = np.asarray(read_whole(volume), dtype=np.float32)
    if not np.isfinite(data).all() or data.max() <= 0:
        raise InputDataError(
            f"Density map {path}: no positive density, or NaN in it. Protein must be "
            "positive; invert the map."
        )
    density = rescale_density(data, volume.voxel_size / voxel_size)
    return make_species(Path(path).stem, np.clip(density, 0.0, None), voxel_size)


def rescale_density(data: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Return a density with ``factor`` times as many voxels along each axis."""
    if abs(factor - 1.0) <= 0.01:
        return data
    blurred = ndimage.gaussian_filter(data, 0.5 * max(1 / factor - 1.0, 0.0))
    zoomed: NDArray[np.float32] = ndimage.zoom(
        blurred, factor, order=1, grid_mode=True, mode="grid-constant"
    )
    return zoomed


def make_species(name: str, density: NDArray[np.float32], voxel_size: float) -> Species:
    """Scale a density's highest value to 1 and measure its longest extent."""
    density = (density / density.max()).astype(np.float32)
    density[density < BODY_LEVEL / 4] = 0.0
    body = np.argwhere(density > BODY_LEVEL)
    offsets = body - np.asarray(ndimage.center_of_mass(density))
    reach = float(np.percentile(np.linalg.norm(offsets, axis=1), 99.0)) + 0.5
    return Species(
        name=name, density=density, diameter_ang=round(2 * reach * voxel_size, 1)
    )


def draw_ellipsoids(
    ellipsoids: Sequence[Ellipsoid], voxel_size: float
) -> NDArray[np.float32]:
    """Draw the union of ellipsoids with soft edges, centred in a cubic box."""
    reach = max(np.linalg.norm(c) + max(r) for c, r in ellipsoids) + 3 * EDGE_ANG
    half = int(np.ceil(reach / voxel_size))
    z, y, x = np.ogrid[tuple(slice(-half, half + 1) for _ in range(3))]
    body = np.zeros((2 * half + 1,) * 3)
    for (cx, cy, cz), (rx, ry, rz) in ellipsoids:
        distance = np.sqrt(
            ((x * voxel_size - cx) / rx) ** 2
            + ((y * voxel_size - cy) / ry) ** 2
            + ((z * voxel_size - cz) / rz) ** 2
        )
        depth_ang = (1.0 - distance) * min(rx, ry, rz)
        body = np.maximum(body, 1.0 / (1.0 + np.exp(-depth_ang / (EDGE_ANG / 2))))
    return body.astype(np.float32)


def _texture(shape: tuple[int, ...], voxel_size: float) -> NDArray[np.float64]:
    """Return fixed smooth noise of unit variance: a particle's inner structure."""
    noise = np.random.default_rng(TEXTURE_SEED).standard_normal(shape)
    smooth = ndimage.gaussian_filter(noise, 15.0 / voxel_size)
    return np.asarray(np.clip(smooth / smooth.std(), -2.5, 2.5))
