"""Parameters of ``etpicker train``."""

from dataclasses import dataclass

from etpicker_plugin.engine.config.checks import (
    require,
    require_diameters,
    require_not_negative,
    require_positive,
    require_same_number,
)
from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.config.shared import (
    annotation_option,
    device_option,
    exemplar_budget_option,
    exemplars_option,
    licence_option,
    owner_option,
    threads_option,
    voxel_size_option,
)

NETWORKS = ("fast", "deepetpicker")
LABEL_SHAPES = ("ball", "truncated-ball", "cubic")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What to learn from, what to learn, and how long."""

    tomogram: tuple[str, ...] = option(
        REQUIRED, "Tomograms to learn from (MRC).", label="Tomograms"
    )
    coordinates: tuple[str, ...] = option(
        REQUIRED,
        "One coordinate CSV per tomogram, in the same order: a header with "
        "class,x,y,z; 0-based voxels of that tomogram.",
        label="Coordinates",
    )
    diameter: dict[str, float] = option(
        REQUIRED,
        "Each class to learn and its particle diameter; rows of other classes are "
        "not used.",
        label="Particle diameter",
        unit="Å",
    )
    out: str = option(REQUIRED, "Folder for the model.", label="Output folder")
    annotation: str = annotation_option()
    voxel_size: float | None = voxel_size_option()
    mask: tuple[str, ...] = option(
        (),
        "One region mask (MRC) per tomogram: voxels that are 0 are not learnt from.",
        label="Region masks",
    )
    validation_tomogram: tuple[str, ...] = option(
        (),
        "Tomograms held out for validation and for the thresholds. Without any, "
        "a slab of each training tomogram is held out.",
        label="Validation tomograms",
    )
    validation_coordinates: tuple[str, ...] = option(
        (),
        "One coordinate CSV per validation tomogram.",
        label="Validation coordinates",
    )
    network: str = option(
        "fast",
        "fast: half-resolution residual U-Net; its picks do not depend on tiles. "
        "deepetpicker: the published 3D-ResUNet, 8 times the work; its "
        "patch-relative coordinates make picks depend slightly on tile positions.",
        label="Network",
        choices=NETWORKS,
    )
    max_minutes: float | None = option(
        None,
        "Stop training after this wall time, with the learning rate annealed to it.",
        label="Time limit",
        unit="min",
    )
    steps: int = option(
        4000, "Optimiser steps at most.", label="Training steps", advanced=True
    )
    batch_size: int = option(
        4, "Patches per step.", label="Batch size", unit="patches", advanced=True
    )
    patch_size: int = option(
        64,
        "Edge of a training patch, at the working voxel size; a multiple of 8.",
        label="Patch size",
        unit="voxels",
        advanced=True,
    )
    working_voxel_size: float | None = option(
        None,
        "Voxel size at which the network works; without it, chosen from the diameters.",
        label="Working voxel size",
        unit="Å",
        advanced=True,
    )
    label_shape: str = option(
        "ball",
        "Shape of the weak label at a particle's centre (DeepETPicker, eqs 1-4).",
        label="Label shape",
        choices=LABEL_SHAPES,
        advanced=True,
    )
    label_diameter: float | None = option(
        None,
        "Diameter of the weak labels; without it, from each class's diameter.",
        label="Label diameter",
        unit="Å",
        advanced=True,
    )
    learning_rate: float = option(
        3e-3, "Peak of the one-cycle schedule.", label="Learning rate", advanced=True
    )
    validation_fraction: float = option(
        0.2,
        "Share of each tomogram held out when no validation tomogram is given.",
        label="Validation share",
        advanced=True,
    )
    f_alpha: float = option(
        3.0,
        "Weight of recall in the validation score 2·P·R^α/(P+R^α).",
        label="F-alpha",
        advanced=True,
    )
    patience: int = option(
        6,
        "Stop after this many validations without a better score.",
        label="Patience",
        unit="validations",
        advanced=True,
    )
    exemplars: str = exemplars_option()
    exemplar_budget: float = exemplar_budget_option()
    owner: str = owner_option()
    licence: str = licence_option()
    seed: int = option(0, "Seed of every random choice.", label="Seed", advanced=True)
    device: str = device_option()
    threads: int = threads_option()

    def __post_init__(self) -> None:
        """Refuse contradictions before any file is opened."""
        require_same_number(self.tomogram, self.coordinates, "tomogram", "coordinates")
        if self.mask:
            require_same_number(self.tomogram, self.mask, "tomogram", "mask")
        require_same_number(
            self.validation_tomogram,
            self.validation_coordinates,
            "validation-tomogram",
            "validation-coordinates",
        )
        require_positive(self, "voxel_size", "working_voxel_size", "label_diameter")
        require_positive(self, "max_minutes", "steps", "batch_size", "learning_rate")
        require_positive(self, "f_alpha", "patience", "exemplar_budget")
        require_not_negative(self, "seed", "threads")
        require_diameters(self.diameter)
        require(
            self.patch_size >= 16 and self.patch_size % 8 == 0,
            f"--patch-size: got {self.patch_size}, expected a multiple of 8, 16 or "
            "more.",
        )
        require(
            0.05 <= self.validation_fraction <= 0.5,
            f"--validation-fraction: got {self.validation_fraction}, expected 0.05 "
            "to 0.5.",
        )
