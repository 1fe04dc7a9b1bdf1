"""``etpicker compare``: what pickers share, where they differ, and by how much."""

import logging
from itertools import combinations
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.comparison.against_truth import score_sets
from etpicker_plugin.engine.comparison.agreement import Agreement, agree
from etpicker_plugin.engine.comparison.joining import (
    NOT_PICKED,
    IndexArray,
    join_sets,
    subset_label,
    subsets_of,
)
from etpicker_plugin.engine.comparison.pick_sets import (
    PickSets,
    find_files,
    read_pick_sets,
)
from etpicker_plugin.engine.comparison.report import write_report
from etpicker_plugin.engine.comparison.result import (
    ComparisonResult,
    write_result,
)
from etpicker_plugin.engine.comparison.subsets import subset_particles, write_subsets
from etpicker_plugin.engine.config.compare import CompareConfig
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.run_folder import (
    Run,
    claim_folder,
    describe_run,
    hash_files,
)

logger = logging.getLogger(__name__)

RESULT_FILE = "compare.json"


def compare(
    config: CompareConfig, out_dir: Path, *, on_progress: Progress
) -> ComparisonResult:
    """Compare sets; write compare.json, report.html and a folder per subset.

    Raises
    ------
    ConfigError
        If the folder holds another comparison.
    InputDataError
        If a file cannot be used.
    """
    ((class_name, diameter),) = config.diameter.items()
    distance = config.match_distance or diameter / 2
    sets = read_pick_sets(
        config.picks,
        config.tomogram,
        class_name=class_name,
        voxel_size=config.voxel_size,
        trust_voxel_size=config.trust_voxel_size,
        score_columns=config.score_column,
    )
    truth = _read_truth(config, sets, class_name)
    run = _describe_run(config, sets)
    claim_folder(out_dir, run, result=RESULT_FILE, begun=("subsets",))
    on_progress(ProgressEvent("comparing", 0, 3))
    members = join_all(sets, max_distance_ang=distance)
    scores = (
        score_sets(
            sets,
            truth,
            max_distance_ang=distance,
            beta=config.f_beta,
            resamples=config.resamples,
            seed=config.seed,
        )
        if truth
        else {}
    )
    result = ComparisonResult(
        sets=sets,
        members=members,
        subsets={
            subset_label(s, sets.names): (s, subset_particles(sets, members, s))
            for s in subsets_of(sets.names)
        },
        pairs=compare_pairs(sets, members),
        scores=scores,
    )
    on_progress(ProgressEvent("comparing", 1, 3))
    write_subsets(result.subsets, sets.names, out_dir / "subsets")
    on_progress(ProgressEvent("comparing", 2, 3))
    write_report(result, config, out_dir)
    write_result(result, config, run.digest, out_dir / RESULT_FILE)
    on_progress(ProgressEvent("comparing", 3, 3))
    _log(result)
    return result


def join_all(sets: PickSets, *, max_distance_ang: float) -> dict[str, IndexArray]:
    """Return per tomogram the ``(P, S)`` members that ``join_sets`` finds."""
    return {
        t: join_sets(
            [p.astype(np.float64) for p in sets.positions_of(t)],
            max_distance=max_distance_ang / sets.voxel_size,
        )
        for t in sets.tomograms
    }


def compare_pairs(sets: PickSets, members: dict[str, IndexArray]) -> list[Agreement]:
    """Sum up every two sets; ``members`` are those of ``join_all``."""
    return [compare_pair(sets, members, a, b) for a, b in combinations(sets.names, 2)]


def compare_pair(
    sets: PickSets, members: dict[str, IndexArray], first: str, second: str
) -> Agreement:
    """Sum up two sets over all tomograms; ``members`` are those of ``join_all``."""
    columns = [sets.names.index(first), sets.names.index(second)]
    displacements = []
    for t, table in members.items():
        pairs = table[:, columns]
        both = pairs[(pairs != NOT_PICKED).all(axis=1)]
        displacements.append(
            sets.picks[second][t].positions_zyx[both[:, 1]]
            - sets.picks[first][t].positions_zyx[both[:, 0]]
        )
    return agree(
        first,
        second,
        pairs=np.concatenate([table[:, columns] for table in members.values()]),
        displacements_zyx=np.concatenate(displacements),
    )


def _read_truth(
    config: CompareConfig, sets: PickSets, class_name: str
) -> dict[str, Particles]:
    """Return the true centres of the tomograms that have some."""
    if config.truth is None:
        return {}
    files = find_files("truth", Path(config.truth), sets.tomograms)
    return {
        t: read_csv(path, tomogram_id=t, flat=sets.tomograms[t].is_flat).of_class(
            class_name
        )
        for t, path in files.items()
    }


def _describe_run(config: CompareConfig, sets: PickSets) -> Run:
    """Return what tells comparisons apart; of tomograms only the header is read."""
    headers = [
        (f"tomogram {t}", f"{tomogram.shape_zyx} at {tomogram.voxel_size:g} Å")
        for t, tomogram in sets.tomograms.items()
    ]
    files = sets.named_files()
    if config.truth is not None:
        truth = find_files("truth", Path(config.truth), sets.tomograms)
        files += [(f"truth of {t}", path) for t, path in truth.items()]
    return describe_run(config, [*headers, *hash_files(files)])


def _log(result: ComparisonResult) -> None:
    for label, (_, particles) in result.subsets.items():
        logger.info("%s: %d", label, sum(len(p) for p in particles.values()))
    for pair in result.pairs:
        if pair.describe():
            logger.warning("%s", pair.describe())
