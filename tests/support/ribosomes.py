"""Two small simulated tomograms of ribosomes, and their true map, for averaging.

Scipion's own Python can import it; what simulates is the engine's.
"""

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.volumes.tomogram import write_volume

VOXEL_SIZE = 25.0
DIAMETER = 320.0
BOX = 18
TILT_RANGE = (-60.0, 60.0)
PARTICLES = 14


def make_ribosomes(folder: Path, *, snr: float = 0.5, tomograms: int = 2) -> None:
    """Write TS_01.mrc, TS_01.csv (truth with quaternions) …, and reference.mrc."""
    from etpicker_plugin.engine.simulation.simulate import simulate

    settings = SimulateConfig(
        out=str(folder),
        name="TS",
        tomograms=tomograms,
        shape=(94, 86, 62),
        voxel_size=VOXEL_SIZE,
        species=("ribosome",),
        particles=PARTICLES,
        snr=snr,
        tilt_step=6.0,
        membranes=0,
        filaments=0,
        gold=0,
        seed=5,
    )
    folder.mkdir(parents=True, exist_ok=True)
    simulate(settings, folder, on_progress=ignore_progress)
    write_volume(folder / "reference.mrc", true_map(), VOXEL_SIZE)


def true_map(box: int = BOX) -> np.ndarray:
    """Return the ribosome with its centre of mass in the centre of a box."""
    from etpicker_plugin.engine.simulation.placement import turned_density
    from etpicker_plugin.engine.simulation.species import built_in_species

    species = built_in_species("ribosome", VOXEL_SIZE)
    density = turned_density(species, Rotation.identity(), np.zeros(3))
    placed = np.zeros((box,) * 3, np.float32)
    start = box // 2 - density.shape[0] // 2
    inside = slice(start, start + density.shape[0])
    placed[inside, inside, inside] = density
    return placed
