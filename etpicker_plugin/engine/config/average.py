"""Parameters of ``etpicker average``."""

from dataclasses import dataclass
from typing import Optional, Tuple

from etpicker_plugin.engine.config.checks import (
    require,
    require_in_bounds,
    require_not_negative,
    require_positive,
)
from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.config.shared import threads_option

TASKS = ("refine", "classify")
TUBE_DIAMETERS = 1.1
"""Of a filament's width: the tube outside of which RELION sees nothing."""

HELICAL_FIELDS = (
    *("tube_diameter", "tube_inner_diameter", "helical_rise", "helical_twist"),
    *("rise_range", "twist_range"),
)
"""What concerns boxes along filaments alone."""


@dataclass(frozen=True)
class AverageConfig:
    """Which boxes are averaged, from which reference, and how far."""

    particles: str = option(
        REQUIRED,
        "The folder of 'etpicker extract', or a STAR file of 3D boxes (RELION 3.1).",
        label="Particles",
        counts="content",
    )
    out: str = option(
        REQUIRED,
        "Folder for average.mrc, half maps, mask, fsc.csv, aligned.star and, last, "
        "average.json. A run that was stopped there goes on.",
        label="Output folder",
        counts="no",
    )
    task: str = option(
        "refine",
        "refine: one average with a gold-standard resolution. classify: one average "
        "or several without it, to sort boxes or to find a first reference.",
        choices=TASKS,
        label="Task",
    )
    reference: Optional[str] = option(
        None,
        "Map to start from (MRC, particles bright), of the boxes' size and voxel "
        "size; only its low resolution is used. Without it one is made from the "
        "picks themselves, which needs more and clearer boxes.",
        label="Reference",
        counts="content",
    )
    diameter: Optional[float] = option(
        None,
        "Diameter of the round mask around a particle; without it, that of the "
        "extraction.",
        label="Mask diameter",
        unit="Å",
    )
    symmetry: str = option(
        "C1", "Point group of the particle, as RELION names it.", label="Symmetry"
    )
    classes: int = option(1, "Number of classes of a classification.", label="Classes")
    iterations: Optional[int] = option(
        None,
        "Iterations of a classification, without it 10; of a refinement the most, "
        "without it 20: if it has not converged by then it is ended in good order.",
        label="Iterations",
    )
    local_resolution: bool = option(
        False,
        "Also map the resolution in each place (refinement).",
        label="Local resolution",
    )
    mask: Optional[str] = option(
        None,
        "Mask for the FSC (MRC, 0 to 1, soft edge); without it one is made around the "
        "average.",
        label="Mask",
        advanced=True,
        counts="content",
    )
    initial_lowpass: Optional[float] = option(
        None,
        "To which the reference is low-passed; without it, a fifth of the diameter, "
        "but not finer than four voxels.",
        label="Initial low-pass",
        unit="Å",
        advanced=True,
    )
    reference_greyscale: bool = option(
        False,
        "The reference was averaged from these very boxes, so that its grey values "
        "can be compared with theirs from the first iteration on.",
        label="Reference on the boxes' grey scale",
        advanced=True,
    )
    angular_step: str = option(
        "15",
        "First step of the search for orientations. Half the step takes eight times "
        "as long; a refinement goes on to finer steps by itself.",
        choices=("30", "15", "7.5", "3.7"),
        label="Angular step",
        unit="°",
        advanced=True,
    )
    angle_prior: float = option(
        10.0,
        "Boxes along filaments or on membranes are turned as the curve or the normal "
        "tells, but for the turn about it: tilt and psi are searched so near "
        "(standard deviation). 0 searches all.",
        label="Spread of tilt and psi",
        unit="°",
    )
    tube_diameter: Optional[float] = option(
        None,
        "Of filaments: nothing outside of this tube counts. Without it, a tenth more "
        "than the filament's width.",
        label="Tube diameter",
        unit="Å",
    )
    helical_rise: Optional[float] = option(
        None,
        "Of filaments: from one subunit to the next along the axis. With the twist, "
        "RELION imposes the helix; without both it makes use of none.",
        label="Helical rise",
        unit="Å",
    )
    helical_twist: Optional[float] = option(
        None,
        "Of filaments: from one subunit to the next about the axis, above 0 where the "
        "helix is right-handed.",
        label="Helical twist",
        unit="°",
    )
    tube_inner_diameter: Optional[float] = option(
        None,
        "Of hollow filaments: nothing inside of it counts.",
        label="Inner tube diameter",
        unit="Å",
        advanced=True,
    )
    rise_range: Tuple[float, ...] = option(
        (),
        "Lowest and highest rise: RELION refines the helix between these, and the "
        "twist's.",
        label="Range of the rise",
        unit="Å",
        advanced=True,
    )
    twist_range: Tuple[float, ...] = option(
        (),
        "Lowest and highest twist, likewise.",
        label="Range of the twist",
        unit="°",
        advanced=True,
    )
    keep_tilt_prior: bool = option(
        True,
        "Of filaments: the tilt that each box is searched about stays the curve's. "
        "No: it follows what the box and its neighbours were found at.",
        label="Keep the tilt of the curve",
        advanced=True,
    )
    offset_range: Optional[float] = option(
        None,
        "How far from a box's centre the particle is looked for; without it, four "
        "voxels.",
        label="Offset range",
        unit="Å",
        advanced=True,
    )
    tau2_fudge: float = option(
        2.0,
        "Weight of the data against the reference in a classification (RELION's T).",
        label="Regularisation T",
        advanced=True,
    )
    ranks: int = option(
        0,
        "MPI processes; 0 means what the task needs: 3 for a refinement (a leader "
        "and one for each half), 1 for a classification.",
        label="MPI processes",
        counts="no",
    )
    mpi_command: str = option(
        "",
        "What starts MPI programs, before '-n N'; without it, mpirun.",
        label="MPI command",
        advanced=True,
        counts="no",
    )
    threads: int = threads_option()
    seed: int = option(1, "Seed of every random choice.", label="Seed", advanced=True)

    def __post_init__(self) -> None:
        """Refuse contradictions before any file is opened."""
        require_positive(
            self,
            *("diameter", "classes", "iterations", "initial_lowpass", "offset_range"),
            *("tau2_fudge", "tube_diameter", "tube_inner_diameter", "helical_rise"),
        )
        require_not_negative(self, "ranks", "threads", "seed", "angle_prior")
        _check_helix(self)
        require(
            self.task == "classify" or self.classes == 1,
            f"--classes: got {self.classes} for a refinement, which makes one average. "
            "Classify first, then refine the STAR file of the class you want.",
        )
        require(
            self.task == "classify" or self.ranks in (0, *range(3, 10000)),
            f"--ranks: got {self.ranks} for a refinement, expected 3 or more: a "
            "leader, and one for each half.",
        )
        require(
            self.reference is not None or self.symmetry.upper() == "C1",
            f"--symmetry {self.symmetry}: without a --reference none is known whose "
            "axes are RELION's. Start with C1, turn the average onto its axes "
            "(relion_align_symmetry), and give it as the reference.",
        )
        require(
            self.iterations is None or self.iterations >= 2,
            f"--iterations: got {self.iterations}, expected 2 or more: after the first "
            "one, RELION's log-likelihoods can be correlations.",
        )
        require_in_bounds(self)


def _check_helix(config: AverageConfig) -> None:
    """Refuse half a helix, and ranges around another one."""
    rise, twist = config.helical_rise, config.helical_twist
    require(
        (rise is None) == (twist is None),
        f"--helical-rise {rise} and --helical-twist {twist}: a helix has both. Give "
        "both, or none.",
    )
    outer, inner = config.tube_diameter, config.tube_inner_diameter
    require(
        outer is None or inner is None or inner < outer,
        f"--tube-inner-diameter: got {inner}, expected less than the tube's {outer} Å.",
    )
    require(
        bool(config.rise_range) == bool(config.twist_range),
        "--rise-range and --twist-range: both are refined together. Give both.",
    )
    for flag, pair, start in (
        ("rise", config.rise_range, rise),
        ("twist", config.twist_range, twist),
    ):
        low, high = pair if len(pair) == 2 else (1.0, 0.0)
        require(
            not pair or (start is not None and low <= start <= high and low < high),
            f"--{flag}-range: got {' '.join(f'{v:g}' for v in pair)}, expected a "
            f"lowest and a highest value around --helical-{flag} ({start}).",
        )
    if config.rise_range:
        low, high = config.rise_range
        require(
            low > 0 and high <= 2 * low,
            f"--rise-range: got {low:g} {high:g}, expected numbers above 0, and at "
            "most a third off their mean: RELION searches no further.",
        )
