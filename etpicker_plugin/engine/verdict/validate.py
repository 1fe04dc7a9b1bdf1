"""``etpicker validate``: which picker's set averages to the particle."""

import logging
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.comparison.compare import join_all
from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.comparison.pick_sets import PickSets, read_pick_sets
from etpicker_plugin.engine.config.pick_sets import CONTROL
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.relion.find import find_relion
from etpicker_plugin.engine.relion.plans import RANKS_OF_HALVES
from etpicker_plugin.engine.relion.run import check_mpi, mpi_words
from etpicker_plugin.engine.run_folder import (
    Run,
    claim_folder,
    describe_run,
    hash_files,
)
from etpicker_plugin.engine.subtomograms.wedge import missing_wedge
from etpicker_plugin.engine.verdict.alignment.joint import (
    BOXES,
    STAR,
    JointRun,
    refine,
    write_inputs,
)
from etpicker_plugin.engine.verdict.alignment.reference import (
    read_reference,
    reference_from_picks,
)
from etpicker_plugin.engine.verdict.flat.result import FlatVerdict
from etpicker_plugin.engine.verdict.flat.validate import validate_micrographs
from etpicker_plugin.engine.verdict.judge import judge
from etpicker_plugin.engine.verdict.places.candidates import (
    Candidates,
    gather_candidates,
)
from etpicker_plugin.engine.verdict.places.cutting import read_box, write_boxes
from etpicker_plugin.engine.verdict.places.geometry import (
    BoxGeometry,
    choose_geometry,
    choose_thing_geometry,
)
from etpicker_plugin.engine.verdict.places.on_things import gather_on_things
from etpicker_plugin.engine.verdict.places.things import named_kinds, points_on_things
from etpicker_plugin.engine.verdict.reporting.boxes_table import write_boxes_table
from etpicker_plugin.engine.verdict.reporting.report import write_report
from etpicker_plugin.engine.verdict.reporting.result import Verdict, write_verdict
from etpicker_plugin.engine.verdict.reporting.words import verdict_words

logger = logging.getLogger(__name__)

RESULT_FILE = "verdict.json"
BOXES_FILE = "boxes.csv"
RELION_FOLDER = "relion"
ITERATIONS = 3
ITERATIONS_WITHOUT_REFERENCE = 4
SIGMA_DEG = 10.0
"""Of tilt and psi about a curve's direction or a membrane's normal."""


def validate(
    config: ValidateConfig, out_dir: Path, *, on_progress: Progress
) -> Verdict | FlatVerdict:
    """Judge sets of picks by what they average to; write report and verdict.json.

    In tomograms they are refined together, in micrographs classified together.

    Raises
    ------
    ConfigError
        If the folder holds another validation.
    InputDataError
        If files cannot be used or a set is too small for two halves.
    ExternalProgramError, ResourceError
        If RELION or MPI is missing, too old, or fails.
    """
    ((class_name, diameter),) = config.diameter.items()
    written = read_pick_sets(
        config.picks,
        config.tomogram,
        class_name=class_name,
        voxel_size=config.voxel_size,
        trust_voxel_size=config.trust_voxel_size,
    )
    check_images(config, written)
    described = describe_validation(config, written)
    if written.are_flat:
        return validate_micrographs(
            config,
            written,
            described,
            out_dir,
            on_progress=on_progress,
            names=(RESULT_FILE, BOXES_FILE, RELION_FOLDER),
        )
    relion = find_relion()
    mpi = mpi_words(config.mpi_command)
    check_mpi(mpi, ranks=RANKS_OF_HALVES)
    sets, geometry = _what_is_judged(config, written, diameter)
    given = _read_given(config, geometry)
    members = join_all(sets, max_distance_ang=config.match_distance_ang)
    candidates = _gather(config, sets, members, geometry)
    claim_folder(out_dir, described, result=RESULT_FILE, begun=(RELION_FOLDER,))
    run = make_run(config, out_dir, geometry)
    wedge = missing_wedge(
        geometry.box,
        tilt_range=(config.tilt_range[0], config.tilt_range[1]),
        tilt_axis=config.tilt_axis,
    )
    report = partial(_report, on_progress)
    write_boxes(
        sets,
        candidates,
        run.folder / BOXES,
        geometry=geometry,
        invert=config.invert,
        on_box=partial(report, "cutting boxes"),
    )
    if not (run.folder / STAR).exists():
        reference = _choose_reference(given, run, candidates)
        write_inputs(run, candidates, wedge=wedge, reference=reference)
    iteration = refine(
        run, relion, mpi=mpi, on_iteration=partial(report, "refining all together")
    )
    verdict = judge(
        config,
        written,
        sets,
        members,
        candidates,
        run=run,
        iteration=iteration,
        wedge=wedge,
        relion=relion,
        report=report,
    )
    _write(verdict, config, out_dir)
    return verdict


def check_images(config: ValidateConfig, sets: PickSets) -> None:
    """Refuse tomograms beside micrographs, and settings of the one for the other.

    Raises
    ------
    InputDataError, ConfigError
        Naming what is in the way.
    """
    flat = [t for t, tomogram in sets.tomograms.items() if tomogram.is_flat]
    thick = [t for t in sets.tomograms if t not in flat]
    if flat and thick:
        raise InputDataError(
            f"{flat[0]} is a micrograph and {thick[0]} a tomogram. Picks of the two "
            "are not judged together: give only micrographs, or only tomograms."
        )
    if thick and not config.tilt_range:
        raise ConfigError(
            "--tilt-range is missing: tomograms have a missing wedge. Give the lowest "
            "and the highest tilt angle, -60 60 say."
        )
    of_tomograms = {
        "--tilt-range": config.tilt_range,
        "--reference": config.reference,
        f"--kind {config.judged_kind}": config.judged_kind != PARTICLE,
    }
    given = [name for name, value in of_tomograms.items() if value]
    if flat and given:
        raise ConfigError(
            f"{given[0]} is of tomograms, and {flat[0]} is a micrograph. Leave it out."
        )
    if thick and config.classes:
        raise ConfigError(
            f"--classes is of micrographs, and {thick[0]} is a tomogram: its boxes are "
            "refined together. Leave it out."
        )


def _what_is_judged(
    config: ValidateConfig, sets: PickSets, diameter: float
) -> tuple[PickSets, BoxGeometry]:
    """Return the sets as points with boxes about them, and the boxes' sizes."""
    kind, voxel_size = config.judged_kind, sets.voxel_size
    if kind == PARTICLE:
        for named in named_kinds(sets):
            logger.warning(
                "The picks name %ss, and are judged as particles, each by itself. If "
                "that is not meant, give --kind %s=%s.",
                named,
                *config.diameter,
                named,
            )
        return sets, choose_geometry(diameter, voxel_size, config.box_voxel_size)
    return (
        points_on_things(sets, kind, diameter_ang=diameter),
        choose_thing_geometry(kind, diameter, voxel_size, config.box_voxel_size),
    )


def _gather(
    config: ValidateConfig,
    sets: PickSets,
    members: dict[str, IndexArray],
    geometry: BoxGeometry,
) -> Candidates:
    if config.judged_kind == PARTICLE:
        return gather_candidates(
            sets,
            members,
            geometry=geometry,
            max_particles=config.max_particles,
            seed=config.seed,
        )
    return gather_on_things(
        sets,
        members,
        kind=config.judged_kind,
        geometry=geometry,
        max_particles=config.max_particles,
        seed=config.seed,
    )


def describe_validation(config: ValidateConfig, sets: PickSets) -> Run:
    """Return what two validations must have alike to be the same."""
    files: list[tuple[str, Path]] = [
        (f"tomogram {t}", tomogram.path) for t, tomogram in sets.tomograms.items()
    ]
    files += sets.named_files()
    if config.reference is not None:
        files.append(("reference", Path(config.reference)))
    return describe_run(config, hash_files(files))


def make_run(config: ValidateConfig, out_dir: Path, geometry: BoxGeometry) -> JointRun:
    """Return the joint refinement's settings."""
    default = ITERATIONS if config.reference else ITERATIONS_WITHOUT_REFERENCE
    folder = out_dir / RELION_FOLDER
    folder.mkdir(exist_ok=True)
    return JointRun(
        folder=folder,
        iterations=config.iterations or default,
        geometry=geometry,
        threads=config.threads,
        seed=config.seed,
        sigma_deg=0.0 if config.judged_kind == PARTICLE else SIGMA_DEG,
    )


def _write(verdict: Verdict, config: ValidateConfig, out_dir: Path) -> None:
    words = verdict_words(verdict)
    write_report(verdict, config, words, out_dir)
    write_boxes_table(verdict, out_dir / BOXES_FILE)
    write_verdict(verdict, config, words, out_dir / RESULT_FILE)
    for text in (*verdict.alarms(), *words):
        logger.info("%s", text)


def _read_given(
    config: ValidateConfig, geometry: BoxGeometry
) -> NDArray[np.float32] | None:
    if config.reference is None:
        return None
    return read_reference(Path(config.reference), geometry=geometry)


def _choose_reference(
    given: NDArray[np.float32] | None, run: JointRun, candidates: Candidates
) -> NDArray[np.float32]:
    if given is not None:
        return given
    picked = np.unique(
        np.concatenate([r for n, r in candidates.rows.items() if n != CONTROL])
    )
    return reference_from_picks(
        (read_box(run.folder / BOXES, int(row)) for row in picked),
        geometry=run.geometry,
        seed=run.seed,
        matrices=(None if candidates.matrices is None else candidates.matrices[picked]),
    )


def _report(on_progress: Progress, stage: str, done: int, total: int) -> None:
    on_progress(ProgressEvent(stage, done, total))
