"""``etpicker evaluate``: picks compared with a truth, per tomogram and pooled."""

import dataclasses
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.evaluation.filament_pictures import (
    HOW_TO_READ,
    draw_filaments,
)
from etpicker_plugin.engine.evaluation.kinds import (
    JUDGES,
    check_kinds,
    judge_class,
    with_centres,
)
from etpicker_plugin.engine.evaluation.reliability import measure_reliability
from etpicker_plugin.engine.evaluation.report import write_report
from etpicker_plugin.engine.evaluation.scoring import (
    ClassScores,
    Comparison,
    compare,
    pool,
    score,
)
from etpicker_plugin.engine.evaluation.table import Measured, format_table
from etpicker_plugin.engine.formats.coordinates_csv import lacks_z, read_csv
from etpicker_plugin.engine.kinds import FILAMENT
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.progress import Progress, ProgressEvent

logger = logging.getLogger(__name__)

OFFSET_ALARM_VOX = 0.5
OFFSET_ALARM_MATCHES = 10


@dataclass(frozen=True, kw_only=True)
class EvaluationResult:
    """The numbers, and what the report draws.

    Attributes
    ----------
    classes
        Per class, all tomograms together.
    tomograms
        Per tomogram, per class.
    comparisons
        Per class of particles, the pooled scores and hits behind the numbers.
    """

    classes: Measured
    tomograms: dict[str, Measured]
    comparisons: dict[str, Comparison]


@dataclass(frozen=True)
class Pair:
    """The picks and the truth of one tomogram."""

    picks: Particles
    truth: Particles


def evaluate(
    config: EvaluateConfig, out_dir: Path, *, on_progress: Progress
) -> EvaluationResult:
    """Compare picks with a truth; write metrics.json, report.html and its pictures.

    Raises
    ------
    InputDataError
        If a file cannot be read, or holds no filaments where they should be.
    """
    names = [Path(path).stem for path in config.picks]
    pairs: dict[str, Pair] = {}
    for done, name in enumerate(names, 1):
        picks, truth = Path(config.picks[done - 1]), Path(config.truth[done - 1])
        flat = lacks_z(picks) or lacks_z(truth)
        pairs[name] = Pair(
            with_centres(
                read_csv(
                    picks, tomogram_id=name, score_column=config.score_column, flat=flat
                ),
                config,
                picks,
            ),
            with_centres(read_csv(truth, tomogram_id=name, flat=flat), config, truth),
        )
        if flat:
            _check_in_plane(pairs[name], picks, truth)
        check_kinds(pairs[name].picks, config, picks)
        check_kinds(pairs[name].truth, config, truth)
        on_progress(ProgressEvent("evaluate", done, len(names)))
    result = judge(pairs, config)
    _warn(result)
    write_metrics(result, config, out_dir / "metrics.json")
    write_report(
        result.classes,
        result.tomograms,
        result.comparisons,
        out_dir,
        more=_pictures(pairs, config),
    )
    logger.info("Picks against truth\n%s", format_table(result.classes))
    return result


def _check_in_plane(pair: Pair, picks: Path, truth: Path) -> None:
    """See that both files are of a micrograph, where one of them names no z.

    Raises
    ------
    InputDataError
        If the other one has positions off the plane.
    """
    for particles, path, other in (
        (pair.picks, picks, truth),
        (pair.truth, truth, picks),
    ):
        if particles.positions_zyx[:, 0].any():
            raise InputDataError(
                f"Coordinates {other}: no column z, and in {path} z is not 0. Expected "
                "both of a tomogram, with z, or both of a micrograph, without."
            )


def judge(pairs: Mapping[str, Pair], config: EvaluateConfig) -> EvaluationResult:
    """Judge each class as its kind asks for: in each tomogram, and in all together."""
    particles = [n for n in config.diameter if config.kind.get(n) not in JUDGES]
    compared = {
        tomogram: {name: compare_centres(pair, name, config) for name in particles}
        for tomogram, pair in pairs.items()
    }
    pooled = {
        name: pool([classes[name] for classes in compared.values()])
        for name in particles
    }
    return EvaluationResult(
        classes=_measure(list(pairs.values()), pooled, config),
        tomograms={
            tomogram: _measure([pair], compared[tomogram], config)
            for tomogram, pair in pairs.items()
        },
        comparisons=pooled,
    )


def _measure(
    pairs: Sequence[Pair],
    comparisons: Mapping[str, Comparison],
    config: EvaluateConfig,
) -> Measured:
    """Return the numbers of all classes in some tomograms."""
    picks, truth = [pair.picks for pair in pairs], [pair.truth for pair in pairs]
    return {
        name: score(comparisons[name], voxel_size=config.voxel_size, beta=config.f_beta)
        if name in comparisons
        else judge_class(name, picks, truth, config)
        for name in config.diameter
    }


def compare_centres(pair: Pair, name: str, config: EvaluateConfig) -> Comparison:
    """Match the picks of one class in one tomogram, in Å."""
    picks, truth = pair.picks.of_class(name), pair.truth.of_class(name)
    return compare(
        picks.positions_zyx * config.voxel_size,
        truth.positions_zyx * config.voxel_size,
        scores=picks.scores,
        max_distance=config.match_distance * config.diameter[name],
    )


def _pictures(
    pairs: Mapping[str, Pair], config: EvaluateConfig
) -> dict[str, tuple[Figure, str]]:
    """Return the pictures of kinds that are not judged by their centres."""
    names = [n for n in config.diameter if config.kind.get(n) == FILAMENT]
    if not names:
        return {}
    both = {name: (pair.picks, pair.truth) for name, pair in pairs.items()}
    return {"filaments.png": (draw_filaments(both, names), HOW_TO_READ)}


def write_metrics(result: EvaluationResult, config: EvaluateConfig, path: Path) -> None:
    """Write the numbers as JSON; what is not defined is null."""
    record: dict[str, Any] = {
        "classes": _as_values(result.classes),
        "tomograms": {n: _as_values(c) for n, c in result.tomograms.items()},
        "reliability": _reliabilities(result.comparisons),
        "settings": config_to_values(config),
    }
    with write_whole(path) as temporary:
        temporary.write_text(
            json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
            encoding="utf-8",
        )


def _reliabilities(comparisons: Mapping[str, Comparison]) -> dict[str, Any]:
    """Return the reliability of each class of particles; None where it has none."""
    measured = {name: measure_reliability(c) for name, c in comparisons.items()}
    return {name: m and dataclasses.asdict(m) for name, m in measured.items()}


def _as_values(classes: Measured) -> dict[str, dict[str, Any]]:
    return {
        name: dataclasses.asdict(m) if isinstance(m, ClassScores) else {**m}
        for name, m in classes.items()
    }


def _warn(result: EvaluationResult) -> None:
    """Log what makes numbers mean less than they seem to."""
    for name, numbers in _as_values(result.classes).items():
        if numbers["n_truth"] == 0:
            logger.warning(
                "Class %s: the truth holds none of it, so every pick counts as false. "
                "Check the class's name.",
                name,
            )
        if numbers["n_picks"] == 0:
            logger.warning("Class %s: there are no picks of it.", name)
        offset = numbers.get("mean_offset_voxels_xyz")
        if offset is None or (numbers["n_true_positive"] or 0) < OFFSET_ALARM_MATCHES:
            continue
        if float(np.linalg.norm(offset)) > OFFSET_ALARM_VOX:
            logger.warning(
                "Class %s: picks lie off by %.2f %.2f %.2f voxels (x, y, z) on "
                "average. One of the files may count voxels from another origin.",
                name,
                *offset,
            )
