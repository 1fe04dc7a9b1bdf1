"""Gold-standard refinement: two halves to the end, with final maps whatever happens."""

from __future__ import annotations

import logging
from pathlib import Path

from etpicker_plugin.engine.averaging.job import (
    Job,
    iteration_of,
    latest_optimiser,
)
from etpicker_plugin.engine.averaging.maps import (
    is_at_nyquist,
    make_mask,
    map_local_resolution,
    measure_fsc,
)
from etpicker_plugin.engine.config.average import AverageConfig
from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.newer_python import without_end
from etpicker_plugin.engine.relion.plans import Search, auto_refine, force_converge
from etpicker_plugin.engine.relion.read import PostProcess
from etpicker_plugin.engine.relion.whole import is_whole_map
from etpicker_plugin.engine.volumes.tomogram import copy_map

logger = logging.getLogger(__name__)

MOST_ITERATIONS = 20
ROOT = "refine/run"
HALVES = ("half1_unfil.mrc", "half2_unfil.mrc")


def refine(
    job: Job,
    reference: str,
    *,
    config: AverageConfig,
    search: Search,
    voxel_size: float,
) -> tuple[str, PostProcess]:
    """Refine, and leave maps, mask, FSC and, if wanted, local resolution.

    Returns
    -------
    table, result
        The final ``data.star``, from the job's folder, and the FSC.
    """
    root = _run(job, reference, config=config, search=search)
    for half, name in enumerate(HALVES, 1):
        made = job.folder / f"{root}_half{half}_class001_unfil.mrc"
        copy_map(made, job.folder / name, voxel_size)
    if config.mask is None:
        mask = make_mask(
            job, f"{root}_class001.mrc", search=search, voxel_size=voxel_size
        )
    else:
        mask = str(Path(config.mask).resolve())
    result = measure_fsc(job, HALVES[0], mask=mask, voxel_size=voxel_size)
    if config.local_resolution:
        map_local_resolution(
            job, HALVES[0], mask=mask, voxel_size=voxel_size, result=result
        )
    _report(result, voxel_size)
    return f"{root}_data.star", result


def _run(job: Job, reference: str, *, config: AverageConfig, search: Search) -> str:
    """Return the root of the final files."""
    (job.folder / ROOT).parent.mkdir(exist_ok=True)
    total = config.iterations or MOST_ITERATIONS
    plan = auto_refine(
        "input.star",
        ROOT,
        reference=reference,
        search=search,
        max_iterations=total,
        join_halves_ang=search.initial_lowpass_ang,
    )
    job.run_iterations(
        "refine", plan, root=ROOT, search=search, total=total, refining=True
    )
    finished = finished_root(job.folder)
    if finished is not None:
        return finished
    # RELION stops at the last iteration without final maps.
    last = latest_optimiser(job.folder, ROOT)
    if last is None:
        raise ExternalProgramError(
            f"The refinement left no iteration in {job.folder / ROOT}. Its log: "
            f"{job.folder / 'logs' / 'refine.log'}"
        )
    logger.warning(
        "The refinement had not converged after %d iterations; it is ended here. More "
        "--iterations may find more.",
        iteration_of(last),
    )
    root = f"{ROOT}_ct{iteration_of(last)}"
    job.run(
        "converge",
        force_converge(str(last.relative_to(job.folder)), root, search=search),
    )
    return root


def finished_root(folder: Path) -> str | None:
    """Return the root of a refinement's final files, if it converged."""
    end = "_half2_class001_unfil.mrc"
    found = sorted((folder / ROOT).parent.glob(f"[!.]*{end}"))
    final = [path for path in found if is_whole_map(path)]
    if not final:
        return None
    return without_end(str(final[-1].relative_to(folder)), end)


def _report(result: PostProcess, voxel_size: float) -> None:
    logger.info("Resolution %.1f Å (FSC 0.143, masked).", result.resolution_ang)
    if is_at_nyquist(result, voxel_size):
        logger.warning(
            "The FSC does not fall below 0.143: %.1f Å is what voxels of %g Å can "
            "hold. Extract with smaller voxels to see more.",
            result.resolution_ang,
            voxel_size,
        )
