"""Parameters of ``etpicker simulate``."""

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from etpicker_plugin.engine.config.checks import (
    pass_over_hidden,
    require,
    require_in_bounds,
    require_not_negative,
    require_positive,
    require_voxel_size,
)
from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.names import require_new_names, tomogram_id_of


@dataclass(frozen=True)
class SimulateConfig:
    """How many phantom tomograms, of what, and as seen by which microscope."""

    out: str = option(
        REQUIRED,
        "Folder for NAME_01.mrc, NAME_01.csv (truth), NAME_01.json …",
        counts="no",
    )
    name: str = option("sim", "Prefix of the file names.", label="Name")
    tomograms: int = option(
        2,
        "Number of tomograms.",
        label="Tomograms",
        counts="no",
    )
    shape: Tuple[int, ...] = option(
        (200, 200, 64), "Size x y z.", label="Size x y z", unit="voxels"
    )
    voxel_size: float = option(10.0, "Voxel size.", label="Voxel size", unit="Å")
    density: Tuple[str, ...] = option(
        (),
        "Density maps (MRC, protein positive) of the species to place, named after "
        "their files; rescaled to the voxel size.",
        label="Density maps",
        counts="content",
    )
    species: Tuple[str, ...] = option(
        ("ribosome", "proteasome"),
        "Built-in procedural species to place; used when no density map is given.",
        label="Built-in species",
    )
    particles: int = option(
        25, "Particles of each species per tomogram.", label="Particles"
    )
    filament_species: Dict[str, int] = option(
        {},
        "Filaments per tomogram that are in the truth, bent and cut by the faces: mt "
        "(microtubules, 250 Å) and actin (70 Å).",
        label="Filaments to find",
        example="mt=6 actin=10",
    )
    vesicle_species: Dict[str, int] = option(
        {},
        "Vesicles per tomogram that are in the truth, under any names: spheres and "
        "ellipsoids of 180 to 600 Å radius, many cut by the faces.",
        label="Vesicles to find",
        example="liposome=5",
    )
    snr: float = option(
        0.1,
        "Signal-to-noise ratio of the untilted projection (variances).",
        label="SNR",
    )
    tilt_range: float = option(60.0, "Largest tilt angle.", unit="°", advanced=True)
    tilt_step: float = option(3.0, "Tilt step.", unit="°", advanced=True)
    defocus: float = option(3.5, "Defocus.", unit="µm", advanced=True)
    membranes: Optional[int] = option(
        None,
        "Vesicles without a truth; 1 unless there are some with one, which they would "
        "look like.",
        advanced=True,
    )
    filaments: Optional[int] = option(
        None,
        "Straight filaments without a truth; 2 unless there are some with one, which "
        "they would look like.",
        advanced=True,
    )
    gold: int = option(3, "Gold beads per tomogram.", advanced=True)
    seed: int = option(0, "Seed of every random choice.", label="Seed")

    def __post_init__(self) -> None:
        """Refuse impossible scenes before any computing."""
        pass_over_hidden(self, "density")
        require_new_names([self.name], what="--name")
        require_new_names(map(tomogram_id_of, self.density), what="--density")
        require_new_names(self.vesicle_species, what="--vesicle-species")
        for flag in ("filament_species", "vesicle_species"):
            for name, count in getattr(self, flag).items():
                require(
                    count > 0,
                    f"--{flag.replace('_', '-')} {name}={count}: expected 1 or more.",
                )
        require_voxel_size(self, "voxel_size")
        require_positive(self, "tomograms", "particles", "snr")
        require_positive(self, "tilt_step", "defocus")
        require_not_negative(self, "membranes", "filaments", "gold", "seed")
        require(
            len(self.shape) == 3 and min(self.shape) >= 16,
            f"--shape: got {self.shape}, expected x y z of 16 voxels or more each.",
        )
        require(
            0 < self.tilt_range <= 90,
            f"--tilt-range: got {self.tilt_range}, expected up to 90°.",
        )
        require_in_bounds(self)
