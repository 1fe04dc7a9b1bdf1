"""``etpicker validate``: which picker's set averages to the particle."""

import json
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.comparison.compare import join_all
from etpicker_plugin.engine.comparison.joining import (
    IndexArray,
    in_subset,
    subset_label,
    subsets_of,
)
from etpicker_plugin.engine.comparison.pick_sets import (
    PickSets,
    digest_files,
    read_pick_sets,
)
from etpicker_plugin.engine.config.options import config_digest
from etpicker_plugin.engine.config.pick_sets import CONTROL
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.io.atomic import write_whole
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.relion.find import Relion, find_relion
from etpicker_plugin.engine.relion.plans import RANKS_OF_HALVES
from etpicker_plugin.engine.relion.run import check_mpi, mpi_words
from etpicker_plugin.engine.subtomograms.wedge import missing_wedge
from etpicker_plugin.engine.verdict.alignment_results import read_alignment
from etpicker_plugin.engine.verdict.boxes_table import write_boxes_table
from etpicker_plugin.engine.verdict.candidates import Candidates, gather_candidates
from etpicker_plugin.engine.verdict.cutting import read_box, write_boxes
from etpicker_plugin.engine.verdict.geometry import BoxGeometry, choose_geometry
from etpicker_plugin.engine.verdict.joint import (
    BOXES,
    LOG,
    STAR,
    JointRun,
    refine,
    write_inputs,
)
from etpicker_plugin.engine.verdict.local import local_resolutions, write_averages
from etpicker_plugin.engine.verdict.measures import (
    fit_growth,
    make_averages,
    split_by_set,
)
from etpicker_plugin.engine.verdict.ranking import rank_sets
from etpicker_plugin.engine.verdict.reference import (
    read_reference,
    reference_from_picks,
)
from etpicker_plugin.engine.verdict.report import write_report
from etpicker_plugin.engine.verdict.result import Verdict, write_verdict
from etpicker_plugin.engine.verdict.set_offsets import correlate_all, find_offsets
from etpicker_plugin.engine.verdict.words import verdict_words

logger = logging.getLogger(__name__)

RESULT_FILE = "verdict.json"
BOXES_FILE = "boxes.csv"
DIGEST_FILE = ".validation.digest"
ITERATIONS = 3
ITERATIONS_WITHOUT_REFERENCE = 4
UNINFLUENTIAL = ("out", "threads", "mpi_command")


def validate(
    config: ValidateConfig, out_dir: Path, *, on_progress: Progress
) -> Verdict:
    """Judge sets of picks by what they average to; write report and verdict.json.

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
    relion = find_relion()
    mpi = mpi_words(config.mpi_command)
    check_mpi(mpi, ranks=RANKS_OF_HALVES)
    sets = read_pick_sets(
        config.picks,
        config.tomogram,
        class_name=class_name,
        voxel_size=config.voxel_size,
    )
    geometry = choose_geometry(diameter, sets.voxel_size, config.box_voxel_size)
    given = (
        read_reference(Path(config.reference), geometry=geometry)
        if config.reference
        else None
    )
    members = join_all(sets, max_distance_ang=config.match_distance or diameter / 2)
    candidates = gather_candidates(
        sets,
        members,
        geometry=geometry,
        max_particles=config.max_particles,
        seed=config.seed,
    )
    claim_folder(out_dir, config, sets)
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
        sets,
        members,
        candidates,
        run=run,
        iteration=iteration,
        wedge=wedge,
        relion=relion,
        report=report,
    )
    words = verdict_words(verdict)
    write_report(verdict, config, words, out_dir)
    write_boxes_table(verdict, out_dir / BOXES_FILE)
    write_verdict(verdict, config, words, out_dir / RESULT_FILE)
    for text in (*verdict.alarms(), *words):
        logger.info("%s", text)
    return verdict


def claim_folder(out_dir: Path, config: ValidateConfig, sets: PickSets) -> None:
    """Claim a folder for this validation, or go on with the same one.

    Raises
    ------
    ConfigError
        If it holds another's.
    """
    files = [
        Path(f) / f"{t}.csv" for f in config.picks.values() for t in sets.tomograms
    ]
    files += [Path(config.reference)] if config.reference else []
    digest = config_digest(config, ignore=UNINFLUENTIAL) + digest_files(files)
    note = out_dir / DIGEST_FILE
    if note.is_file() and note.read_text(encoding="utf-8") == digest:
        return
    if note.exists() or (out_dir / RESULT_FILE).exists():
        raise ConfigError(
            f"{out_dir} holds the validation of other picks or parameters. Results are "
            "never overwritten: give another --out."
        )
    with write_whole(note) as temporary:
        temporary.write_text(digest, encoding="utf-8")


def make_run(config: ValidateConfig, out_dir: Path, geometry: BoxGeometry) -> JointRun:
    """Return the joint refinement's settings."""
    default = ITERATIONS if config.reference else ITERATIONS_WITHOUT_REFERENCE
    folder = out_dir / "relion"
    folder.mkdir(exist_ok=True)
    return JointRun(
        folder=folder,
        iterations=config.iterations or default,
        geometry=geometry,
        threads=config.threads,
        seed=config.seed,
    )


def judge(
    config: ValidateConfig,
    sets: PickSets,
    members: dict[str, IndexArray],
    candidates: Candidates,
    *,
    run: JointRun,
    iteration: int,
    wedge: NDArray[np.float32],
    relion: Relion,
    report: partial[None],
) -> Verdict:
    """Compute every set's numbers from one alignment."""
    steps = 5
    report("judging", 0, steps)
    boxes = read_alignment(run, iteration)
    groups = all_groups(sets, members, candidates)
    ranking = rank_sets(
        {n: boxes.ratio[rows] for n, rows in candidates.rows.items()},
        control=CONTROL,
        resamples=config.resamples,
        generator=np.random.default_rng(config.seed),
    )
    report("judging", 1, steps)
    averages, matched_n, subsets = make_averages(
        run,
        candidates,
        boxes,
        groups,
        wedge=wedge,
        seeds=config.seeds,
        seed=config.seed,
    )
    names = list(candidates.rows)
    growth = split_by_set(subsets, names)
    report("judging", 2, steps)
    offsets = find_offsets(
        sets,
        members,
        candidates,
        correlate_all(
            run, candidates, boxes, iteration, centre=config.reference is None
        ),
        best=next(n for n in ranking.order if n != CONTROL),
        scale=run.geometry.scale,
        seed=config.seed,
    )
    report("judging", 3, steps)
    folder = run.folder.parent / "averages"
    write_averages(averages, folder, geometry=run.geometry)
    local = local_resolutions(
        [n for n in sets.names if averages[n].resolution_ang],
        folder,
        geometry=run.geometry,
        relion=relion,
    )
    report("judging", 4, steps)
    verdict = Verdict(
        sets=sets,
        members=members,
        geometry=run.geometry,
        candidates=candidates,
        boxes=boxes,
        groups=groups,
        ranking=ranking,
        averages=averages,
        matched_n=matched_n,
        matched=split_by_set(subsets, names, n=matched_n),
        growth=growth,
        fits=fit_growth(growth, resamples=config.resamples, seed=config.seed),
        offsets=offsets,
        local_ang=local,
        iteration=iteration,
        relion_version=relion.version,
        commands=_commands(run.folder / LOG),
    )
    report("judging", steps, steps)
    return verdict


def all_groups(
    sets: PickSets, members: Mapping[str, IndexArray], candidates: Candidates
) -> dict[str, IndexArray]:
    """Return the rows of sets and control, then of what sets share or have alone.

    A group of several sets is shown by the boxes of the first of them.
    """
    groups = dict(candidates.rows)
    if len(sets.names) < 2:
        return groups
    first = 0
    numbers: dict[tuple[str, ...], list[IndexArray]] = {}
    for table in members.values():
        for subset in subsets_of(sets.names):
            found = np.flatnonzero(in_subset(table, subset, sets.names)) + first
            numbers.setdefault(subset, []).append(found)
        first += len(table)
    for subset, particles in numbers.items():
        own = candidates.rows[subset[0]]
        chosen = np.isin(candidates.particles[own], np.concatenate(particles))
        groups[subset_label(subset, sets.names)] = own[chosen]
    return groups


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
    )


def _commands(log: Path) -> tuple[str, ...]:
    """Return the RELION commands that a log tells of."""
    if not log.is_file():
        return ()
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return tuple(line[2:] for line in lines if line.startswith("$ "))


def _report(on_progress: Progress, stage: str, done: int, total: int) -> None:
    on_progress(ProgressEvent(stage, done, total))


def read_verdict(path: Path) -> dict[str, object]:
    """Return verdict.json."""
    record: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return record
