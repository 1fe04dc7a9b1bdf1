"""Tomograms with planted particles, and three sets of picks, for RELION's tests.

Scipion's own Python can import it; what simulates is the engine's.
"""

from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.volumes.tomogram import write_volume

VOXEL_SIZE = 20.0
SHAPES = {"TS_1": (46, 106, 132), "TS_2": (44, 110, 128), "TS_3": (48, 104, 130)}
STEP = 26
TILT = 60.0
NOISE = 0.45


def paste(volume, density, place_zyx):
    """Add a density, turned at random before, with its centre on a voxel."""
    half = density.shape[0] // 2
    part = tuple(slice(p - half, p - half + density.shape[0]) for p in place_zyx)
    volume[part] += density


def missing_wedge_of(volume):
    """Return a volume without the wedge that ±60° about y do not measure."""
    spectrum = np.fft.rfftn(volume)
    k_z = np.fft.fftfreq(volume.shape[0])[:, None, None]
    k_x = np.fft.rfftfreq(volume.shape[2])[None, None, :]
    seen = np.abs(k_z) <= np.tan(np.radians(TILT)) * np.abs(k_x) + 1e-9
    return np.fft.irfftn(spectrum * seen, s=volume.shape, axes=(0, 1, 2))


def make_planted(folder: Path) -> None:
    """Write tomograms, reference.mrc, and the picks ``ours`` and ``moved``.

    ``ours`` scatters by 0.3 voxel about the particles, ``moved`` lies 2 voxels above
    them along y.
    """
    from etpicker_plugin.engine.simulation.species import built_in_species

    generator = np.random.default_rng(5)
    density = built_in_species("ribosome", VOXEL_SIZE).density
    density = np.pad(density, 3)
    write_volume(folder / "reference.mrc", density.astype(np.float32), VOXEL_SIZE)
    for name, shape in SHAPES.items():
        volume = np.zeros(shape)
        places = [
            (shape[0] // 2 + generator.integers(-3, 4), y, x)
            for y in range(STEP // 2 + 4, shape[1] - STEP // 2, STEP)
            for x in range(STEP // 2 + 4, shape[2] - STEP // 2, STEP)
        ][:12]
        for place in places:
            turn = Rotation.random(random_state=int(generator.integers(2**31)))
            matrix = turn.as_matrix()
            centre = np.full(3, density.shape[0] // 2)
            turned = ndimage.affine_transform(
                density, matrix, offset=centre - matrix @ centre, order=1
            )
            paste(volume, turned, place)
        volume += NOISE * generator.normal(size=shape)
        seen = -missing_wedge_of(volume)
        write_volume(folder / f"{name}.mrc", seen.astype(np.float32), VOXEL_SIZE)
        found = np.array(places, float)
        sets = {
            "ours": found + generator.normal(0, 0.3, found.shape),
            "moved": found + np.array([0, 2.0, 0]),
        }
        for set_name, positions in sets.items():
            path = folder / set_name / f"{name}.csv"
            path.parent.mkdir(exist_ok=True)
            lines = [f"ribosome,{x:.3f},{y:.3f},{z:.3f}" for z, y, x in positions]
            path.write_text("\n".join(["class,x,y,z", *lines]), encoding="utf-8")
