"""Parameters of ``etpicker validate``."""

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from etpicker_plugin.engine.config.checks import (
    require,
    require_given_if_trusted,
    require_in_bounds,
    require_kinds,
    require_not_negative,
    require_positive,
    require_voxel_size,
)
from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.config.pick_sets import (
    diameter_option,
    match_distance_option,
    picks_option,
    require_pick_sets,
    tomograms_option,
)
from etpicker_plugin.engine.config.shared import (
    kind_option,
    tilt_axis_option,
    tilt_range_option,
    trust_voxel_size_option,
    voxel_size_option,
)
from etpicker_plugin.engine.kinds import PARTICLE, VESICLE
from etpicker_plugin.engine.species import MEMBRANE_ANG

LEAST_ITERATIONS = 2
"""The first compares by correlation; only later ones have likelihoods."""


@dataclass(frozen=True)
class ValidateConfig:
    """Which sets are averaged and judged, and how much work that may be."""

    picks: Dict[str, str] = picks_option()
    tomogram: Tuple[str, ...] = tomograms_option()
    diameter: Dict[str, float] = diameter_option()
    kind: Dict[str, str] = kind_option()
    tilt_range: Tuple[float, ...] = tilt_range_option(default=())
    out: str = option(
        REQUIRED,
        "Folder for report.html, verdict.json, the averages and RELION's own files. "
        "The same command goes on from what is finished there.",
        label="Output folder",
        counts="no",
    )
    reference: Optional[str] = option(
        None,
        "Map of the particle (MRC, protein bright) to align to first; of any box and "
        "voxel size. Without it one is made from the picks, which takes longer and "
        "finds orientations less surely. None for micrographs.",
        label="Reference map",
        counts="content",
    )
    voxel_size: Optional[float] = voxel_size_option()
    trust_voxel_size: bool = trust_voxel_size_option()
    tilt_axis: str = tilt_axis_option()
    invert: bool = option(
        True,
        "Turn the contrast over: particles are dark in the tomograms. No, when they "
        "are bright already.",
        label="Invert contrast",
    )
    match_distance: Optional[float] = match_distance_option()
    box_voxel_size: Optional[float] = option(
        None,
        "Voxel size of the boxes that RELION aligns; without it, so large that the "
        "particle is 18.5 voxels wide, or the tomograms' own if that is larger. Work "
        "grows with its inverse cube.",
        label="Box voxel size",
        unit="Å",
        advanced=True,
    )
    iterations: Optional[int] = option(
        None,
        "Iterations of the joint refinement; without it 3, and 4 without a reference. "
        "Of micrographs those of the joint classification; without it 20.",
        label="Iterations",
        advanced=True,
    )
    classes: Optional[int] = option(
        None,
        "2D classes of the boxes of micrographs; without it one for each 60 boxes, 5 "
        "to 20.",
        label="2D classes",
        advanced=True,
    )
    max_particles: int = option(
        500,
        "Judge at most so many picks of each set, drawn at random.",
        label="Most picks judged",
        advanced=True,
    )
    seeds: int = option(
        5,
        "Random draws of every subset, for matched numbers and the Rosenthal-Henderson "
        "plot.",
        label="Draws of subsets",
        advanced=True,
    )
    resamples: int = option(
        1000, "Bootstrap samples.", label="Bootstrap samples", advanced=True
    )
    seed: int = option(0, "Seed of every random choice.", label="Seed", advanced=True)
    threads: int = option(
        1,
        "Threads of each of the three MPI processes that refine, or of the one that "
        "classifies boxes of micrographs.",
        label="Threads",
        advanced=True,
        counts="no",
    )
    mpi_command: str = option(
        "",
        "Words that start MPI programs; without them mpirun with flags for small "
        "machines.",
        label="MPI command",
        advanced=True,
        counts="no",
    )

    def __post_init__(self) -> None:
        """Refuse contradictions before any file is opened."""
        require_pick_sets(self, least=1)
        require_kinds(self.kind, self.diameter)
        require_given_if_trusted(self)
        require_voxel_size(self, "box_voxel_size")
        require_positive(self, "match_distance", "seeds", "threads")
        require_not_negative(self, "seed")
        require(
            self.iterations is None or self.iterations >= LEAST_ITERATIONS,
            f"--iterations: got {self.iterations}, expected {LEAST_ITERATIONS} or "
            "more: the first compares by correlation and has no likelihoods.",
        )
        require(
            self.classes is None or 2 <= self.classes <= 200,
            f"--classes: got {self.classes}, expected 2 to 200.",
        )
        require(
            self.max_particles >= 8,
            f"--max-particles: got {self.max_particles}, expected 8 or more: four for "
            "each half set.",
        )
        require(
            self.resamples >= 100,
            f"--resamples: got {self.resamples}, expected 100 or more.",
        )
        low, high = self.tilt_range if len(self.tilt_range) == 2 else (1.0, 0.0)
        require(
            not self.tilt_range or -90 <= low < high <= 90,
            f"--tilt-range: got {' '.join(f'{t:g}' for t in self.tilt_range)}, "
            "expected the lowest and the highest tilt angle, -60 60 say.",
        )
        require_in_bounds(self)

    @property
    def judged_kind(self) -> str:
        """What the things of the class are."""
        return next(iter(self.kind.values()), PARTICLE)

    @property
    def match_distance_ang(self) -> float:
        """Most that two picks of one particle are apart, Å; half a diameter unasked.

        Of two points on one membrane, the membrane's thickness.
        """
        (diameter,) = self.diameter.values()
        if self.judged_kind == VESICLE:
            return self.match_distance or MEMBRANE_ANG
        return self.match_distance or diameter / 2
