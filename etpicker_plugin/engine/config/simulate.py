"""Parameters of ``etpicker simulate``."""

import dataclasses
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

OF_TOMOGRAMS = frozenset(
    "tomograms voxel_size snr tilt_range tilt_step defocus membranes filaments "
    "gold".split()
)
OF_MICROGRAPHS = frozenset(
    "pixel_size defocus_range dose overlap carbon crystals aggregates "
    "hot_pixels".split()
)


@dataclass(frozen=True)
class SimulateConfig:
    """How many phantom tomograms or micrographs, of what, and how they are taken."""

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
    micrographs: int = option(
        0,
        "Number of micrographs: one exposure each, in the place of tomograms.",
        label="Micrographs",
        counts="no",
    )
    shape: Tuple[int, ...] = option(
        (),
        "Size x y z, of micrographs x y. Unless given, 200 200 64 or 1024 1024.",
        label="Size x y z",
        unit="voxels",
    )
    voxel_size: float = option(
        10.0, "Voxel size of tomograms.", label="Voxel size", unit="Å"
    )
    pixel_size: float = option(
        4.0, "Pixel size of micrographs.", label="Pixel size", unit="Å"
    )
    density: Tuple[str, ...] = option(
        (),
        "Density maps (MRC, protein positive) of the species to place, named after "
        "their files; rescaled to the voxel size.",
        label="Density maps",
        counts="content",
    )
    species: Tuple[str, ...] = option(
        ("ribosome", "proteasome"),
        "Built-in procedural species to place, when no density map is given: ribosome, "
        "proteasome, ring, globule, apoferritin, 20S, gpcr.",
        label="Built-in species",
    )
    particles: int = option(
        25, "Particles of each species per image.", label="Particles"
    )
    filament_species: Dict[str, int] = option(
        {},
        "Filaments per image that are in the truth, bent and cut by the faces: mt "
        "(microtubules, 250 Å), actin (70 Å), and arrowheads (140 Å), which look "
        "another way round from behind: they point along the truth.",
        label="Filaments to find",
        example="mt=6 actin=10",
    )
    vesicle_species: Dict[str, int] = option(
        {},
        "Vesicles per image that are in the truth, under any names: spheres and "
        "ellipsoids of 180 to 600 Å radius, many cut by the faces.",
        label="Vesicles to find",
        example="liposome=5",
    )
    snr: float = option(
        0.1,
        "Signal-to-noise ratio of a tomogram's untilted projection (variances).",
        label="SNR",
    )
    tilt_range: float = option(60.0, "Largest tilt angle.", unit="°", advanced=True)
    tilt_step: float = option(3.0, "Tilt step.", unit="°", advanced=True)
    defocus: float = option(3.5, "Defocus of tomograms.", unit="µm", advanced=True)
    membranes: Optional[int] = option(
        None,
        "Vesicles of a tomogram without a truth; 1 unless there are some with one, "
        "which they would look like.",
        advanced=True,
    )
    filaments: Optional[int] = option(
        None,
        "Straight filaments of a tomogram without a truth; 2 unless there are some "
        "with one, which they would look like.",
        advanced=True,
    )
    gold: int = option(3, "Gold beads per tomogram.", advanced=True)
    defocus_range: Tuple[float, ...] = option(
        (0.8, 2.2),
        "Lowest and highest defocus; each micrograph draws its own.",
        label="Defocus from, to",
        unit="µm",
    )
    dose: float = option(
        40.0,
        "Electrons that a micrograph counts on each Å²: with the defocus they make its "
        "contrast and noise.",
        label="Dose",
        unit="e/Å²",
    )
    overlap: float = option(
        0.0,
        "Share of its area with which a particle, filament or vesicle of a micrograph "
        "may lie on another; with 0.1 filaments cross.",
        label="Overlap",
        advanced=True,
    )
    carbon: float = option(
        0.2, "Share of micrographs with an edge of carbon.", advanced=True
    )
    crystals: int = option(1, "Ice crystals per micrograph.", advanced=True)
    aggregates: int = option(2, "Aggregates per micrograph.", advanced=True)
    hot_pixels: int = option(20, "Hot and dead pixels per micrograph.", advanced=True)
    seed: int = option(0, "Seed of every random choice.", label="Seed")

    def __post_init__(self) -> None:
        """Refuse impossible scenes before any computing."""
        self._refuse_mixture()
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
        require_voxel_size(self, "voxel_size", "pixel_size")
        require_positive(self, "tomograms", "particles", "snr")
        require_positive(self, "tilt_step", "defocus", "dose")
        require_not_negative(self, "micrographs", "membranes", "filaments", "gold")
        require_not_negative(self, "crystals", "aggregates", "hot_pixels", "seed")
        self._check_shape()
        require(
            0 < self.tilt_range <= 90,
            f"--tilt-range: got {self.tilt_range}, expected up to 90°.",
        )
        require(
            len(self.defocus_range) == 2
            and 0 < self.defocus_range[0] <= self.defocus_range[1],
            f"--defocus-range: got {self.defocus_range}, expected the lowest and the "
            "highest, above 0 µm.",
        )
        for name in ("overlap", "carbon"):
            value = getattr(self, name)
            require(0 <= value <= 1, f"--{name}: got {value}, expected 0 to 1.")
        require_in_bounds(self)

    def _refuse_mixture(self) -> None:
        """Refuse what is of tomograms for micrographs, and the other way round."""
        wrong = OF_TOMOGRAMS if self.micrographs else OF_MICROGRAPHS
        words = ("micrographs", "tomograms")
        these, others = words if self.micrographs else words[::-1]
        for field in dataclasses.fields(self):
            require(
                field.name not in wrong or getattr(self, field.name) == field.default,
                f"--{field.name.replace('_', '-')} is of {others}, and these are "
                f"{these}. Leave it out, or "
                f"{'leave out' if self.micrographs else 'say how many'} --micrographs.",
            )

    def _check_shape(self) -> None:
        """Fill in the usual size; refuse one that is not of this kind of image."""
        if not self.shape:
            usual = (1024, 1024) if self.micrographs else (200, 200, 64)
            object.__setattr__(self, "shape", usual)
        axes = "x y" if self.micrographs else "x y z"
        require(
            len(self.shape) == len(axes.split()) and min(self.shape) >= 16,
            f"--shape: got {self.shape}, expected {axes} of 16 "
            f"{'pixels' if self.micrographs else 'voxels'} or more each.",
        )
