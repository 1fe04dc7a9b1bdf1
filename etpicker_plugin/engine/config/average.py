"""Parameters of ``etpicker average``."""

from dataclasses import dataclass
from typing import Optional

from etpicker_plugin.engine.config.checks import (
    require,
    require_in_bounds,
    require_not_negative,
    require_positive,
)
from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.config.shared import threads_option

TASKS = ("refine", "classify")


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
            "tau2_fudge",
        )
        require_not_negative(self, "ranks", "threads", "seed")
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
