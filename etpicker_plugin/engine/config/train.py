"""Parameters of ``etpicker train``."""

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from etpicker_plugin.engine.config.checks import (
    require,
    require_in_bounds,
    require_kinds,
    require_positive,
    require_voxel_size,
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
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.names import require_new_names
from etpicker_plugin.engine.network_names import NETWORKS

LABEL_SHAPES = ("ball", "truncated-ball", "cubic")


@dataclass(frozen=True)
class TrainConfig:
    """What to learn from, what to learn, and how long."""

    tomogram: Tuple[str, ...] = option(
        REQUIRED,
        "Tomograms to learn from (MRC), or micrographs (MRC or TIFF).",
        label="Tomograms",
        counts="content",
    )
    coordinates: Tuple[str, ...] = option(
        (),
        "One coordinate CSV per tomogram, named after it: a header with class,x,y,z "
        "(of micrographs, class,x,y); 0-based voxels of that tomogram. Rows of class "
        "'negative' are places without a particle and are learnt as such. With --map "
        "none are needed.",
        label="Coordinates",
        counts="content",
        of="tomogram",
    )
    map: Dict[str, str] = option(
        {},
        "Density maps of classes, to learn from instead of marks or beside them: MRC, "
        "of either contrast, or atoms (PDB, mmCIF). The tomograms are looked at, and "
        "scenes made that are like them and hold these particles.",
        label="Density maps",
        counts="content",
        example="ribosome=emd_1234.map proteasome=4cr2.cif",
    )
    diameter: Dict[str, float] = option(
        REQUIRED,
        "Each class to learn and its particle diameter; rows of other classes are "
        "not used, except negatives.",
        label="Particle diameter",
        unit="Å",
        example="ribosome=323 proteasome=150",
        class_in="coordinates",
    )
    kind: Dict[str, str] = kind_option()
    defocus: Optional[float] = option(
        None,
        "Defocus of the tomograms, where it is known and its phases were not "
        "corrected, for scenes of density maps; without it, scenes of many.",
        label="Defocus",
        unit="µm",
        advanced=True,
    )
    out: str = option(
        REQUIRED,
        "Folder for the model.",
        label="Output folder",
        counts="no",
    )
    annotation: str = annotation_option()
    voxel_size: Optional[float] = voxel_size_option()
    trust_voxel_size: bool = trust_voxel_size_option()
    mask: Tuple[str, ...] = mask_option()
    validation_tomogram: Tuple[str, ...] = option(
        (),
        "Tomograms held out for validation and for the thresholds. Without any, "
        "a slab of each training tomogram is held out.",
        label="Validation tomograms",
        counts="content",
    )
    validation_coordinates: Tuple[str, ...] = option(
        (),
        "One coordinate CSV per validation tomogram, named after it.",
        label="Validation coordinates",
        counts="content",
        of="validation_tomogram",
    )
    network: str = option(
        "fast",
        "fast: half-resolution residual U-Net; its picks do not depend on tiles. "
        "deepetpicker: the published 3D-ResUNet, 8 times the work; its "
        "patch-relative coordinates make picks depend slightly on tile positions.",
        label="Network",
        choices=NETWORKS,
    )
    from_scratch: bool = option(
        False,
        "Begin from random weights, not from those that come with etpicker, which "
        "simulated particles of random shapes have taught. The published network has "
        "none and always begins from random ones.",
        label="From scratch",
        advanced=True,
    )
    first_look: bool = option(
        False,
        "See in two minutes whether it works: training at a coarser voxel size, of "
        "which the picks are less exact. With a time limit, for as long as that.",
        label="First look",
    )
    instant: bool = option(
        False,
        "A model in seconds, from one marked particle of each class on: nothing is "
        "trained; what is like the marked places, and unlike all else, follows from "
        "the weights that come with etpicker. Not all particles need be marked. Mark "
        "some of what else there is as classes of their own, or as negatives, and it "
        "is told apart.",
        label="Instant",
    )
    max_minutes: Optional[float] = max_minutes_option()
    steps: int = option(
        4000,
        "Optimiser steps at most. Where fewer than 150 marked particles are learnt "
        "from, 15 for each of them, unless from scratch.",
        label="Training steps",
        advanced=True,
    )
    batch_size: int = option(
        4,
        "Patches per step, on each GPU.",
        label="Batch size",
        unit="patches",
        advanced=True,
    )
    patch_size: int = patch_size_option()
    working_voxel_size: Optional[float] = option(
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
    label_diameter: Optional[float] = option(
        None,
        "Diameter of the weak labels; without it, from each class's diameter.",
        label="Label diameter",
        unit="Å",
        advanced=True,
    )
    learning_rate: float = learning_rate_option(
        more=" Where fewer than 150 marked particles are learnt from it is lower, a "
        "tenth with five, unless from scratch."
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
        self._check_maps()
        check_learning(self)
        require_kinds(self.kind, self.diameter)
        if self.instant and (self.network != "fast" or self.from_scratch):
            raise ConfigError(
                "--instant builds on the weights that come with etpicker, and there "
                "are none for this network or from scratch. Leave out --network and "
                "--from-scratch, or --instant."
            )
        require_new_names(self.diameter, what="--diameter")
        require_voxel_size(self, "working_voxel_size")
        require_positive(self, "label_diameter", "defocus")
        require_in_bounds(self)

    def _check_maps(self) -> None:
        """Refuse maps of no class, and a run without anything to learn from."""
        require(
            bool(self.coordinates or self.map),
            "Missing parameter(s): --coordinates. Give the marked centres, or --map "
            "with a density map of each class.",
        )
        for name in self.map:
            require(
                name in self.diameter,
                f"--map {name}: no diameter of it. Add --diameter {name}=Å.",
            )
            require(
                self.kind.get(name, PARTICLE) == PARTICLE,
                f"--map {name}: scenes are made of particles only, and --kind says "
                f"{self.kind.get(name)}. Leave its map out and mark some.",
            )
        without = [name for name in self.diameter if name not in self.map]
        require(
            bool(self.coordinates) or not without,
            f"--diameter {', '.join(without)}: neither a map nor coordinates are given "
            "of it. Add --map, or --coordinates, or leave it out.",
        )
        require(
            bool(self.coordinates) or not self.mask,
            "--mask says where marks are learnt, and there are no --coordinates. Leave "
            "it out.",
        )
        require(
            not (self.map and self.instant),
            "--instant makes a model of marks, and --map of scenes, which are learnt "
            "for minutes. Leave one out.",
        )
