"""Two small simulated tomograms of microtubules and vesicles.

Scipion's own Python can import it; what simulates is the engine's.
"""

from pathlib import Path

from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.progress import ignore_progress

VOXEL_SIZE = 20.0
SHAPE_XYZ = (110, 100, 50)
DIAMETERS = {"mt": 250.0, "liposome": 700.0}
KINDS = {"mt": "filament", "liposome": "vesicle"}
COUNT = 2
"""Microtubules, and vesicles, in each tomogram."""


def make_curved(folder: Path) -> None:
    """Write TS_01.mrc, TS_01.csv (truth) and as much of TS_02."""
    from etpicker_plugin.engine.simulation.simulate import simulate

    settings = SimulateConfig(
        out=str(folder),
        name="TS",
        shape=SHAPE_XYZ,
        voxel_size=VOXEL_SIZE,
        species=("ribosome",),
        particles=1,
        filament_species={"mt": COUNT},
        vesicle_species={"liposome": COUNT},
        snr=0.5,
        tilt_step=6.0,
        membranes=0,
        filaments=0,
        gold=0,
        seed=3,
    )
    folder.mkdir(parents=True, exist_ok=True)
    simulate(settings, folder, on_progress=ignore_progress)
