"""From one alignment of all boxes to the verdict's numbers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.config.pick_sets import CONTROL
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.relion.find import Relion
from etpicker_plugin.engine.verdict.alignment.joint import LOG, JointRun
from etpicker_plugin.engine.verdict.alignment.results import read_alignment
from etpicker_plugin.engine.verdict.curved.found import Curved, find_curved
from etpicker_plugin.engine.verdict.measures.local import (
    local_resolutions,
    write_averages,
)
from etpicker_plugin.engine.verdict.measures.measures import (
    fit_growth,
    make_averages,
    split_by_set,
)
from etpicker_plugin.engine.verdict.measures.ranking import rank_sets
from etpicker_plugin.engine.verdict.origins.measure import measure_origins
from etpicker_plugin.engine.verdict.origins.origins import Origins
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.groups import all_groups
from etpicker_plugin.engine.verdict.reporting.result import Verdict


def judge(
    config: ValidateConfig,
    written: PickSets,
    sets: PickSets,
    members: dict[str, IndexArray],
    candidates: Candidates,
    *,
    run: JointRun,
    iteration: int,
    wedge: NDArray[np.float32],
    relion: Relion,
    report: Callable[[str, int, int], None],
) -> Verdict:
    """Compute every set's numbers from one alignment.

    ``written`` are the sets as they are given; ``sets`` as they are judged.
    """
    steps = 5
    report("judging", 0, steps)
    boxes = read_alignment(run, iteration)
    groups = all_groups(sets, members, candidates)
    ranking = rank_sets(
        {n: boxes.ratio[rows] for n, rows in candidates.rows.items()},
        control=CONTROL,
        resamples=config.resamples,
        generator=np.random.default_rng(config.seed),
        things=_things_of_sets(candidates),
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
    origins, curved = _find_faults(config, written, sets, members, candidates, run)
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
        origins=origins,
        curved=curved,
        local_ang=local,
        iteration=iteration,
        relion_version=relion.version,
        commands=_commands(run.folder / LOG),
    )
    report("judging", steps, steps)
    return verdict


def _things_of_sets(candidates: Candidates) -> dict[str, IndexArray] | None:
    if candidates.things is None:
        return None
    return {n: candidates.things[rows] for n, rows in candidates.rows.items()}


def _find_faults(
    config: ValidateConfig,
    written: PickSets,
    sets: PickSets,
    members: dict[str, IndexArray],
    candidates: Candidates,
    run: JointRun,
) -> tuple[Origins, Curved | None]:
    """Return where the sets place particles; or what is wrong of their curves."""
    if candidates.matrices is None:
        origins = measure_origins(
            sets,
            members,
            candidates,
            geometry=run.geometry,
            invert=config.invert,
            max_distance_vox=config.match_distance_ang / sets.voxel_size,
            seed=config.seed,
        )
        return origins, None
    curved = find_curved(
        written,
        sets,
        candidates,
        kind=config.judged_kind,
        geometry=run.geometry,
        invert=config.invert,
        seed=config.seed,
    )
    return curved.origins(), curved


def _commands(log: Path) -> tuple[str, ...]:
    """Return the RELION commands that a log tells of."""
    if not log.is_file():
        return ()
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return tuple(line[2:] for line in lines if line.startswith("$ "))
