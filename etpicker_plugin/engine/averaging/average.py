"""``etpicker average``: boxes to an average, its resolution and aligned particles."""

from __future__ import annotations

import json
import logging
import os
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

from etpicker_plugin import __version__
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.averaging.classify import classify
from etpicker_plugin.engine.averaging.inputs import (
    FEW_BOXES,
    Boxes,
    check_count,
    check_reference,
    choose_diameter,
    noted_diameter,
    read_boxes,
)
from etpicker_plugin.engine.averaging.job import Job
from etpicker_plugin.engine.averaging.maps import check_mask, is_at_nyquist
from etpicker_plugin.engine.averaging.priors import (
    check_tubes,
    choose_priors,
    parted_by_vesicle,
)
from etpicker_plugin.engine.averaging.records import ALIGNED, RECORD
from etpicker_plugin.engine.averaging.reference import make_reference
from etpicker_plugin.engine.averaging.refine import refine
from etpicker_plugin.engine.config.average import AverageConfig
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.progress import Progress
from etpicker_plugin.engine.relion.find import find_relion
from etpicker_plugin.engine.relion.plans import RANKS_OF_HALVES, Search
from etpicker_plugin.engine.relion.read import IMAGE, read_particles
from etpicker_plugin.engine.relion.run import check_mpi, mpi_words
from etpicker_plugin.engine.result_files import (
    are_as_written,
    hash_results,
    noted_files,
    read_record,
)
from etpicker_plugin.engine.run_folder import (
    Run,
    claim_folder,
    describe_run,
    hash_files,
)
from etpicker_plugin.engine.subtomograms.star import write_tables

logger = logging.getLogger(__name__)

INPUT = "input.star"
LOWPASS_DIAMETERS, LOWPASS_VOXELS = 0.2, 4.0
OFFSET_VOXELS = 4.0


def average(
    config: AverageConfig, out_dir: Path, *, on_progress: Progress
) -> dict[str, Any]:
    """Classify or refine the boxes with RELION; return the record, average.json.

    Raises
    ------
    InputDataError, ConfigError
        If boxes, reference or mask cannot be used or do not fit each other, or
        another run's results stand in the folder.
    ExternalProgramError, ResourceError
        If RELION is absent, too old or fails; if MPI does not start.
    """
    boxes = parted_by_vesicle(read_boxes(config.particles), config.task)
    check_count(boxes, config.task)
    check_tubes(boxes, config.task)
    if config.reference is not None:
        check_reference(config.reference, boxes)
    if config.mask is not None:
        check_mask(config.mask, box=boxes.box, voxel_size=boxes.voxel_size)
    search = plan_search(config, boxes)
    job = _prepare(out_dir, search, config, on_progress)
    run = _describe_run(config, boxes)
    if claim_folder(out_dir, run, result=RECORD, begun=(INPUT,)):
        record = read_record(out_dir / RECORD)
        if are_as_written(out_dir, noted_files(record, [ALIGNED])):
            logger.info("%s is finished already.", out_dir)
            return record
    _warn(boxes, config)
    tables = {"optics": boxes.optics, "particles": boxes.particles}
    write_tables(tables, out_dir / INPUT)
    reference = _reference(config, boxes, job, search)
    if config.reference is None:
        search = plan_search(config, boxes, own_reference=True)
    found = _run(job, reference, config=config, search=search, boxes=boxes)
    return _finish(found, job, boxes=boxes, config=config, search=search)


def plan_search(
    config: AverageConfig, boxes: Boxes, *, own_reference: bool = False
) -> Search:
    """Return the settings of the search, with what was not given worked out."""
    diameter = choose_diameter(config, boxes)
    priors = choose_priors(
        config, boxes, width_ang=noted_diameter(boxes.record), mask_ang=diameter
    )
    voxel = boxes.voxel_size
    offset = (config.offset_range or OFFSET_VOXELS * voxel) / voxel
    needed = RANKS_OF_HALVES if config.task == "refine" else 1
    ranks = config.ranks or needed
    workers = max(ranks - 1, 1)
    return Search(
        diameter_ang=diameter,
        initial_lowpass_ang=config.initial_lowpass
        or max(LOWPASS_DIAMETERS * diameter, LOWPASS_VOXELS * voxel),
        symmetry=config.symmetry,
        angular_step=config.angular_step,
        offset_range_vox=offset,
        offset_step_vox=min(2.0, offset / 2),
        correct_greyscale=config.reference_greyscale or own_reference,
        priors=priors,
        ranks=ranks,
        threads=max(1, (config.threads or os.cpu_count() or 1) // workers),
        seed=config.seed,
    )


def write_aligned(table: Path, boxes: Boxes, out: Path) -> int:
    """Write the aligned particles with RELION's columns; return how many.

    Raises
    ------
    InputDataError
        If the table holds other boxes than those given.
    """
    particles, optics = read_particles(table)
    if set(particles[IMAGE]) != set(boxes.particles[IMAGE]):
        raise InputDataError(f"{table} holds other boxes than {boxes.star}.")
    order = {name: n for n, name in enumerate(boxes.particles[IMAGE])}
    particles = particles.sort_values(IMAGE, key=lambda names: names.map(order))
    write_tables({"optics": optics, "particles": particles}, out)
    return len(particles)


def _prepare(
    out_dir: Path, search: Search, config: AverageConfig, on_progress: Progress
) -> Job:
    """Find RELION and see that MPI starts, before anything is written."""
    relion = find_relion()
    logger.info(
        "etpicker %s, RELION %s in %s", __version__, relion.version, relion.folder
    )
    mpi: list[str] = []
    if search.ranks > 1:
        mpi = mpi_words(config.mpi_command)
        check_mpi(mpi, ranks=search.ranks)
    return Job(
        relion=relion, mpi=mpi, folder=out_dir.resolve(), on_progress=on_progress
    )


def _describe_run(config: AverageConfig, boxes: Boxes) -> Run:
    given = {"reference": config.reference, "mask": config.mask}
    named = [(what, path) for what, path in given.items() if path]
    return describe_run(config, hash_files([("table of boxes", boxes.star), *named]))


def _warn(boxes: Boxes, config: AverageConfig) -> None:
    if config.task == "refine" and len(boxes) < FEW_BOXES:
        logger.warning(
            "%d boxes are few: %d in each half set. The resolution will say little.",
            len(boxes),
            len(boxes) // 2,
        )
    if config.angular_step in ("7.5", "3.7"):
        logger.warning(
            "--angular-step %s searches all orientations in steps of %s°: that can "
            "take hours where 15° takes minutes.",
            config.angular_step,
            config.angular_step,
        )


def _reference(config: AverageConfig, boxes: Boxes, job: Job, search: Search) -> str:
    if config.reference is None:
        return make_reference(boxes, job, search=search)
    return str(Path(config.reference).resolve())


def _run(
    job: Job, reference: str, *, config: AverageConfig, search: Search, boxes: Boxes
) -> dict[str, Any]:
    """Run the task; return its table and what to record."""
    if config.task == "classify":
        table, classes = classify(
            job,
            reference,
            config=config,
            search=search,
            voxel_size=boxes.voxel_size,
        )
        return {"table": table, "classes": [asdict(item) for item in classes]}
    table, result = refine(
        job, reference, config=config, search=search, voxel_size=boxes.voxel_size
    )
    return {
        "table": table,
        "average": "average.mrc",
        "halves": ["half1_unfil.mrc", "half2_unfil.mrc"],
        "resolution_ang": result.resolution_ang,
        "at_nyquist": is_at_nyquist(result, boxes.voxel_size),
    }


def _finish(
    found: dict[str, Any],
    job: Job,
    *,
    boxes: Boxes,
    config: AverageConfig,
    search: Search,
) -> dict[str, Any]:
    """Write aligned.star and, last, the record."""
    count = write_aligned(job.folder / found["table"], boxes, job.folder / ALIGNED)
    record = {
        "task": config.task,
        **found,
        "aligned": ALIGNED,
        "particles": count,
        "files": hash_results(job.folder, [ALIGNED]),
        "box_size": boxes.box,
        "voxel_size_ang": boxes.voxel_size,
        "diameter_ang": search.diameter_ang,
        "reference_from_boxes": config.reference is None,
        "log_likelihoods": "compare only within this run: they depend on its noise "
        "model and image size",
        "relion_version": job.relion.version,
        "commands": [shlex.join(words) for words in job.commands],
        "config": config_to_values(config),
        "code_version": __version__,
    }
    with write_whole(job.folder / RECORD) as temporary:
        temporary.write_text(
            json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
            encoding="utf-8",
        )
    return record
