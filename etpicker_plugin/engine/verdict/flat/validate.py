"""The verdict on pickers in micrographs: one 2D classification of all their boxes."""

import logging
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.averaging.job import Job
from etpicker_plugin.engine.comparison.compare import compare_pairs, join_all
from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.config.pick_sets import CONTROL
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.relion.find import Relion, find_relion
from etpicker_plugin.engine.run_folder import Run, claim_folder
from etpicker_plugin.engine.verdict.flat.classes import judge_classes
from etpicker_plugin.engine.verdict.flat.joint import (
    BOXES,
    STAR,
    choose_classes,
    classify,
    write_inputs,
)
from etpicker_plugin.engine.verdict.flat.profiles import (
    profile_ratios,
    radial_profiles,
)
from etpicker_plugin.engine.verdict.flat.report import write_report
from etpicker_plugin.engine.verdict.flat.result import FlatVerdict, write_verdict
from etpicker_plugin.engine.verdict.flat.shares import ClassVerdict
from etpicker_plugin.engine.verdict.flat.stacks import (
    Images,
    read_images,
    write_stacks,
)
from etpicker_plugin.engine.verdict.flat.words import verdict_words
from etpicker_plugin.engine.verdict.measures.ranking import Ranking, rank_sets
from etpicker_plugin.engine.verdict.places.candidates import (
    Candidates,
    gather_candidates,
)
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry, choose_geometry
from etpicker_plugin.engine.verdict.places.groups import all_groups
from etpicker_plugin.engine.verdict.reporting.boxes_table import write_rows

logger = logging.getLogger(__name__)

ITERATIONS = 20


def validate_micrographs(
    config: ValidateConfig,
    sets: PickSets,
    described: Run,
    out_dir: Path,
    *,
    on_progress: Progress,
    names: tuple[str, str, str],
) -> FlatVerdict:
    """Judge sets of picks in micrographs; write report and verdict.json.

    Where RELION is missing, the sets are compared, and judged by rotational means.

    Parameters
    ----------
    described
        What tells this validation from another.
    names
        Of the result, the table of boxes, and the folder that RELION works in.

    Raises
    ------
    ConfigError
        If the folder holds another validation.
    InputDataError
        If files cannot be used, or a set is too small.
    ExternalProgramError
        If RELION fails, or is missing where it was before.
    """
    result_file, boxes_file, folder_name = names
    relion, missing = _find()
    (diameter,) = config.diameter.values()
    geometry = choose_geometry(diameter, sets.voxel_size, config.box_voxel_size)
    members = join_all(sets, max_distance_ang=config.match_distance_ang)
    candidates = gather_candidates(
        sets,
        members,
        geometry=geometry,
        max_particles=config.max_particles,
        seed=config.seed,
    )
    claim_folder(out_dir, described, result=result_file, begun=(folder_name,))
    folder = out_dir / folder_name
    folder.mkdir(exist_ok=True)
    if relion is None and (folder / STAR).exists():
        raise ExternalProgramError(
            f"{out_dir} was begun with RELION, and would lose its classes. {missing}"
        )
    write_stacks(
        sets.tomograms,
        candidates,
        folder / BOXES,
        geometry=geometry,
        invert=config.invert,
        on_stack=partial(_report, on_progress, "cutting boxes"),
    )
    by_classes = None
    if relion is not None:
        job = Job(relion=relion, mpi=[], folder=folder, on_progress=on_progress)
        by_classes = _classified(config, job, candidates, geometry)
    verdict = _judged(
        config,
        sets,
        members,
        candidates,
        geometry=geometry,
        images=read_images(folder / BOXES, candidates),
        by_classes=by_classes,
        missing=missing,
    )
    words = verdict_words(verdict)
    write_report(verdict, config, words, out_dir)
    _write_boxes(verdict, out_dir / boxes_file)
    write_verdict(verdict, config, words, out_dir / result_file)
    for text in (*verdict.alarms(), *words):
        logger.info("%s", text)
    return verdict


def _find() -> tuple[Relion | None, str]:
    """Return RELION, or why there is none."""
    try:
        return find_relion(), ""
    except ExternalProgramError as error:
        logger.warning("Without 2D classes: %s", error)
        return None, str(error)


def _classified(
    config: ValidateConfig, job: Job, candidates: Candidates, geometry: BoxGeometry
) -> ClassVerdict:
    if not (job.folder / STAR).exists():
        write_inputs(job.folder, candidates, geometry)
    found = classify(
        job,
        candidates,
        geometry=geometry,
        classes=config.classes or choose_classes(len(candidates)),
        iterations=config.iterations or ITERATIONS,
        threads=config.threads,
        seed=config.seed,
    )
    control = candidates.rows[CONTROL]
    _, first = np.unique(candidates.particles, return_index=True)
    judged = judge_classes(
        found.models,
        found.classes,
        picks=np.setdiff1d(first, control),
        control=control,
        search_ang=geometry.search_ang,
    )
    return ClassVerdict(
        classification=found,
        judged=judged,
        version=job.relion.version,
        commands=tuple(" ".join(words) for words in job.commands),
    )


def _judged(
    config: ValidateConfig,
    sets: PickSets,
    members: dict[str, IndexArray],
    candidates: Candidates,
    *,
    geometry: BoxGeometry,
    images: Images,
    by_classes: ClassVerdict | None,
    missing: str,
) -> FlatVerdict:
    picked = np.ones(len(candidates), dtype=bool)
    picked[candidates.rows[CONTROL]] = False
    ratio = profile_ratios(radial_profiles(images), picked=picked, half=candidates.half)
    return FlatVerdict(
        sets=sets,
        members=members,
        geometry=geometry,
        candidates=candidates,
        groups=all_groups(sets, members, candidates),
        pairs=compare_pairs(sets, members),
        means={
            name: images[rows].mean(axis=0, dtype=np.float64)
            for name, rows in candidates.rows.items()
        },
        profile_ratio=ratio,
        ranking=_ranking(config, candidates, by_classes, ratio),
        by_classes=by_classes,
        missing=missing,
    )


def _ranking(
    config: ValidateConfig,
    candidates: Candidates,
    by_classes: ClassVerdict | None,
    ratio: NDArray[np.float64],
) -> Ranking:
    """Rank by shares in classes that look like particles, or by rotational means."""
    values = ratio if by_classes is None else by_classes.in_particles.astype(float)
    return rank_sets(
        {name: values[rows] for name, rows in candidates.rows.items()},
        control=CONTROL,
        resamples=config.resamples,
        generator=np.random.default_rng(config.seed),
        typical=np.median if by_classes is None else np.mean,
    )


def _write_boxes(verdict: FlatVerdict, path: Path) -> None:
    """Write one row per box: its class, and its rotational mean's ratio."""
    columns = {"profile_ratio": [f"{value:.3f}" for value in verdict.profile_ratio]}
    found = verdict.by_classes
    if found is not None:
        columns |= {
            "relion_class": [str(c + 1) for c in found.classification.classes],
            "looks_like_particle": [str(int(good)) for good in found.in_particles],
            "best_probability": [f"{p:.4f}" for p in found.classification.probability],
        }
    write_rows(path, verdict.candidates, columns, voxel_size=verdict.sets.voxel_size)


def _report(on_progress: Progress, stage: str, done: int, total: int) -> None:
    on_progress(ProgressEvent(stage, done, total))
