"""One joint gold-standard refinement of all sets and the control, by RELION.

Log-likelihoods of separate runs do not compare: they hold each run's noise spectra and
resolution. So all boxes are aligned in one run, and the sets are told apart after.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.formats.relion_priors import PRIORS
from etpicker_plugin.engine.geometry import reverse_axes
from etpicker_plugin.engine.names import star_word
from etpicker_plugin.engine.orientation import to_relion_angles
from etpicker_plugin.engine.relion.find import Relion
from etpicker_plugin.engine.relion.plans import (
    RANKS_OF_HALVES,
    RelionCommand,
    Search,
    auto_refine,
    continue_run,
)
from etpicker_plugin.engine.relion.poses import ANGLES
from etpicker_plugin.engine.relion.priors import Priors
from etpicker_plugin.engine.relion.run import run_relion
from etpicker_plugin.engine.relion.whole import is_whole_iteration
from etpicker_plugin.engine.subtomograms.star import write_tables
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.cutting import box_path
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry
from etpicker_plugin.engine.volumes.tomogram import write_volume

BOXES = "boxes"
STAR = "particles.star"
WEDGE = "wedge.mrc"
REFERENCE = "reference.mrc"
LOG = "relion.log"
ROOT = "refinement/run"
"""RELION wants the folder in its outputs' names."""


@dataclass(frozen=True, kw_only=True)
class JointRun:
    """Where the refinement works and how.

    Attributes
    ----------
    folder
        RELION's working folder: paths in its tables start there.
    iterations
        After which it is stopped.
    sigma_deg
        Of tilt and psi about those that the table tells; 0 searches all.
    """

    folder: Path
    iterations: int
    geometry: BoxGeometry
    threads: int
    seed: int
    sigma_deg: float = 0.0

    def data_star(self, iteration: int) -> Path:
        """Return the particles' table of an iteration."""
        return self.folder / f"{ROOT}_it{iteration:03d}_data.star"

    def model_star(self, iteration: int, half: int) -> Path:
        """Return a half set's model of an iteration."""
        return self.folder / f"{ROOT}_it{iteration:03d}_half{half}_model.star"

    def map_of(self, iteration: int, half: int) -> Path:
        """Return a half set's map of an iteration."""
        return self.folder / f"{ROOT}_it{iteration:03d}_half{half}_class001.mrc"

    def optimiser(self, iteration: int) -> Path:
        """Return what an iteration is continued from."""
        return self.folder / optimiser_name(iteration)

    def finished_iterations(self) -> int:
        """Return the number of the last iteration that is whole, or 0."""
        found = (
            int(match.group(1))
            for path in self.folder.glob(f"{ROOT}_it*_optimiser.star")
            if (match := re.search(r"_it(\d+)_", path.name))
            and is_whole_iteration(path)
        )
        return max(found, default=0)


def optimiser_name(iteration: int) -> str:
    """Return an iteration's file to continue from, from the working folder."""
    return f"{ROOT}_it{iteration:03d}_optimiser.star"


def write_inputs(
    run: JointRun,
    candidates: Candidates,
    *,
    wedge: NDArray[np.float32],
    reference: NDArray[np.float32],
) -> None:
    """Write the table of boxes, and wedge and reference, both ``(B, B, B)``.

    The half sets are ours (``rlnRandomSubset``): RELION keeps them.
    """
    voxel_size = run.geometry.box_voxel_size
    write_volume(run.folder / WEDGE, wedge, voxel_size)
    write_volume(run.folder / REFERENCE, reference, voxel_size)
    tables = {
        "optics": _optics_table(run.geometry),
        "particles": _particle_table(candidates),
    }
    write_tables(tables, run.folder / STAR)


def _optics_table(geometry: BoxGeometry) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rlnOpticsGroupName": ["opticsGroup1"],
            "rlnOpticsGroup": [1],
            "rlnSphericalAberration": [2.7],
            "rlnVoltage": [300.0],
            "rlnImagePixelSize": [geometry.box_voxel_size],
            "rlnImageSize": [geometry.box],
            "rlnImageDimensionality": [3],
        }
    )


def _particle_table(candidates: Candidates) -> pd.DataFrame:
    x, y, z = reverse_axes(candidates.positions_zyx).T
    count = len(candidates)
    return pd.DataFrame(
        {
            "rlnMicrographName": [
                f"{star_word(t)}.mrc" for t in candidates.tomogram_ids
            ],
            "rlnCoordinateX": x,
            "rlnCoordinateY": y,
            "rlnCoordinateZ": z,
            "rlnImageName": [str(box_path(Path(BOXES), n)) for n in range(count)],
            "rlnCtfImage": np.full(count, WEDGE, dtype=object),
            "rlnOpticsGroup": np.ones(count, dtype=int),
            "rlnRandomSubset": candidates.half,
            **_directions(candidates),
        }
    )


def _directions(candidates: Candidates) -> dict[str, FloatArray]:
    """Return the angles that filaments and membranes tell, and priors of them."""
    if candidates.matrices is None:
        return {}
    angles = to_relion_angles(candidates.matrices)
    told = dict(zip(ANGLES, angles.T, strict=True))
    return told | dict(zip(PRIORS, angles[:, 1:].T, strict=True))


def plan(run: JointRun) -> RelionCommand | None:
    """Return what is left to run: all, the rest, or nothing."""
    done = run.finished_iterations()
    if done >= run.iterations:
        return None
    geometry = run.geometry
    search = Search(
        diameter_ang=geometry.diameter_ang,
        initial_lowpass_ang=geometry.lowpass_ang,
        angular_step="15",
        offset_range_vox=geometry.search_ang / geometry.box_voxel_size,
        offset_step_vox=geometry.search_step_vox,
        priors=Priors(run.sigma_deg) if run.sigma_deg else None,
        ranks=RANKS_OF_HALVES,
        threads=run.threads,
        seed=run.seed + 1,
    )
    if done:
        return continue_run(
            optimiser_name(done),
            ROOT,
            search=search,
            max_refinement=run.iterations,
        )
    command = auto_refine(
        STAR,
        ROOT,
        reference=REFERENCE,
        search=search,
        max_iterations=run.iterations,
        # From that on RELION searches about the last angles, within spreads of its own.
        local_from="3.7" if run.sigma_deg else "15",
        join_halves_ang=geometry.join_ang,
    )
    # RELION moves all boxes' search grids by one random step, against artefacts of
    # the grid. That would look like a wrong origin of every set.
    return replace(command, arguments=(*command.arguments, "--perturb", "0"))


def refine(
    run: JointRun,
    relion: Relion,
    *,
    mpi: Sequence[str],
    on_iteration: Callable[[int, int], None],
) -> int:
    """Run what is left of the refinement; return the last iteration.

    Raises
    ------
    ExternalProgramError
        If RELION fails or ends with fewer iterations than likelihoods need.
    """
    (run.folder / ROOT).parent.mkdir(exist_ok=True)
    command = plan(run)
    if command is not None:
        shown = [-1]

        def report() -> None:
            done = run.finished_iterations()
            if done != shown[0]:
                shown[0] = done
                on_iteration(done, run.iterations)

        run_relion(
            command,
            relion,
            folder=run.folder,
            log=run.folder / LOG,
            mpi=mpi,
            on_poll=report,
        )
    last = run.finished_iterations()
    if last < 2:
        raise ExternalProgramError(
            f"RELION {relion.version} ended after {last} iteration(s); likelihoods "
            f"need two. Its log: {run.folder / LOG}"
        )
    return last
