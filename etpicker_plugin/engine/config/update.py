"""Parameters of ``etpicker update``."""

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from etpicker_plugin.engine.config.checks import (
    require,
    require_in_bounds,
    require_kinds,
    require_not_negative,
)
from etpicker_plugin.engine.config.learning import (
    check_learning,
    f_alpha_option,
    learning_rate_option,
    mask_option,
    max_minutes_option,
    patch_size_option,
    patience_option,
    seed_option,
    validation_fraction_option,
)
from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.config.shared import (
    annotation_option,
    device_option,
    exemplar_budget_option,
    exemplars_option,
    kind_option,
    licence_option,
    owner_option,
    threads_option,
    trust_voxel_size_option,
    voxel_size_option,
)


@dataclass(frozen=True)
class UpdateConfig:
    """Which model learns what, and what keeps it from forgetting."""

    model: str = option(
        REQUIRED,
        "Model to update (.safetensors); it stays as it is.",
        label="Model",
        counts="content",
    )
    tomogram: Tuple[str, ...] = option(
        REQUIRED,
        "New tomograms to learn from (MRC), or micrographs (MRC or TIFF).",
        label="Tomograms",
        counts="content",
    )
    coordinates: Tuple[str, ...] = option(
        REQUIRED,
        "One coordinate CSV per new tomogram, named after it: a header with "
        "class,x,y,z; 0-based voxels of that tomogram. Rows of class 'negative' are "
        "places without a particle and are learnt as such.",
        label="Coordinates",
        counts="content",
        of="tomogram",
    )
    out: str = option(
        REQUIRED,
        "Folder for the new model.",
        label="Output folder",
        counts="no",
    )
    diameter: Dict[str, float] = option(
        {},
        "Classes to learn from the new tomograms and their particle diameters; needed "
        "for classes that are new to the model. Without any, all classes in the "
        "coordinates that the model knows.",
        label="Particle diameter",
        unit="Å",
        example="ribosome=323 proteasome=150",
        class_in="coordinates",
    )
    kind: Dict[str, str] = kind_option()
    annotation: str = annotation_option()
    other_classes: str = option(
        "unknown",
        "Classes of the model that are not learnt now. unknown: they may well be in "
        "the new tomograms, and nobody marked them; what the old model takes for them "
        "is not taught as background. absent: none of them is there.",
        label="Old classes not marked",
        choices=("unknown", "absent"),
        advanced=True,
    )
    voxel_size: Optional[float] = voxel_size_option()
    trust_voxel_size: bool = trust_voxel_size_option()
    mask: Tuple[str, ...] = mask_option()
    validation_tomogram: Tuple[str, ...] = option(
        (),
        "Tomograms, of new or of earlier data, that are never learnt from: old and "
        "new model are compared on them.",
        label="Validation tomograms",
        counts="content",
    )
    validation_coordinates: Tuple[str, ...] = option(
        (),
        "One coordinate CSV per validation tomogram; every class of the model in it "
        "counts.",
        label="Validation coordinates",
        counts="content",
        of="validation_tomogram",
    )
    allowed_drop: float = option(
        0.02,
        "F1 that an old class may lose. If one loses more, the verdict is 'kept old'.",
        label="Allowed drop of F1",
    )
    max_minutes: Optional[float] = max_minutes_option()
    steps: int = option(
        800, "Optimiser steps at most.", label="Training steps", advanced=True
    )
    batch_size: int = option(
        4,
        "Patches per step; a quarter are replayed exemplars, the others new.",
        label="Batch size",
        unit="patches",
        advanced=True,
    )
    patch_size: int = patch_size_option()
    learning_rate: float = learning_rate_option()
    replay_weight: float = option(
        1.0, "Weight of the loss on exemplars.", label="Replay", advanced=True
    )
    distillation_weight: float = option(
        1.0,
        "Weight of differing from the old model's outputs, on new data and exemplars.",
        label="Output distillation",
        advanced=True,
    )
    feature_weight: float = option(
        0.03,
        "Weight of differing from the old model's features.",
        label="Feature distillation",
        advanced=True,
    )
    importance_weight: float = option(
        0.01,
        "Weight of moving weights, in proportion to how much they mattered.",
        label="Weight importance",
        advanced=True,
    )
    validation_fraction: float = validation_fraction_option()
    f_alpha: float = f_alpha_option()
    patience: int = patience_option()
    exemplars: str = exemplars_option()
    exemplar_budget: float = exemplar_budget_option()
    owner: str = owner_option()
    licence: str = licence_option()
    seed: int = seed_option()
    device: str = device_option()
    threads: int = threads_option()

    def __post_init__(self) -> None:
        """Refuse contradictions before any file is opened."""
        check_learning(self)
        require_kinds(self.kind, self.diameter)
        for name in ("replay", "distillation", "feature", "importance"):
            require_not_negative(self, f"{name}_weight")
        require(
            self.batch_size >= 2,
            f"--batch-size: got {self.batch_size}, expected 2 or more: new data and "
            "exemplars share a batch.",
        )
        require(
            0.0 <= self.allowed_drop <= 1.0,
            f"--allowed-drop: got {self.allowed_drop}, expected 0 to 1.",
        )
        require_in_bounds(self)
