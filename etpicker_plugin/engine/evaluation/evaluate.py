"""``etpicker evaluate``: picks compared with a truth, per tomogram and pooled."""

import dataclasses
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.evaluation.report import write_report
from etpicker_plugin.engine.evaluation.scoring import (
    ClassScores,
    Comparison,
    compare,
    pool,
    score,
)
from etpicker_plugin.engine.evaluation.table import format_table
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
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
        Per class, pooled over the tomograms.
    tomograms
        Per tomogram, per class.
    comparisons
        Per class, the pooled scores and hits behind the numbers.
    """

    classes: dict[str, ClassScores]
    tomograms: dict[str, dict[str, ClassScores]]
    comparisons: dict[str, Comparison]


def evaluate(
    config: EvaluateConfig, out_dir: Path, *, on_progress: Progress
) -> EvaluationResult:
    """Compare picks with a truth; write metrics.json, report.html and its pictures.

    Raises
    ------
    InputDataError
        If a file cannot be read.
    """
    names = [Path(path).stem for path in config.picks]
    compared: dict[str, dict[str, Comparison]] = {}
    for done, name in enumerate(names, 1):
        picks = read_csv(
            Path(config.picks[done - 1]),
            tomogram_id=name,
            score_column=config.score_column,
        )
        truth = read_csv(Path(config.truth[done - 1]), tomogram_id=name)
        compared[name] = compare_classes(picks, truth, config)
        on_progress(ProgressEvent("evaluate", done, len(names)))
    result = summarise(compared, config)
    _warn(result, config)
    write_metrics(result, config, out_dir / "metrics.json")
    write_report(result.classes, result.tomograms, result.comparisons, out_dir)
    logger.info("Picks against truth\n%s", format_table(result.classes))
    return result


def compare_classes(
    picks: Particles, truth: Particles, config: EvaluateConfig
) -> dict[str, Comparison]:
    """Match the picks of one tomogram class by class, in Å."""
    return {
        name: compare(
            picks.of_class(name).positions_zyx * config.voxel_size,
            truth.of_class(name).positions_zyx * config.voxel_size,
            scores=picks.of_class(name).scores,
            max_distance=config.match_distance * diameter,
        )
        for name, diameter in config.diameter.items()
    }


def summarise(
    compared: dict[str, dict[str, Comparison]], config: EvaluateConfig
) -> EvaluationResult:
    """Score each tomogram, and each class over all tomograms."""
    pooled = {
        name: pool([classes[name] for classes in compared.values()])
        for name in config.diameter
    }

    def score_all(comparisons: dict[str, Comparison]) -> dict[str, ClassScores]:
        return {
            name: score(c, voxel_size=config.voxel_size, beta=config.f_beta)
            for name, c in comparisons.items()
        }

    return EvaluationResult(
        classes=score_all(pooled),
        tomograms={name: score_all(classes) for name, classes in compared.items()},
        comparisons=pooled,
    )


def write_metrics(result: EvaluationResult, config: EvaluateConfig, path: Path) -> None:
    """Write the numbers as JSON; what is not defined is null."""
    record: dict[str, Any] = {
        "classes": _as_values(result.classes),
        "tomograms": {n: _as_values(c) for n, c in result.tomograms.items()},
        "settings": config_to_values(config),
    }
    with write_whole(path) as temporary:
        temporary.write_text(
            json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
            encoding="utf-8",
        )


def _as_values(classes: dict[str, ClassScores]) -> dict[str, dict[str, Any]]:
    return {name: dataclasses.asdict(scores) for name, scores in classes.items()}


def _warn(result: EvaluationResult, config: EvaluateConfig) -> None:
    """Log what makes numbers mean less than they seem to."""
    for name, scores in result.classes.items():
        if scores.n_truth == 0:
            logger.warning(
                "Class %s: the truth holds no such particle, so every pick counts as "
                "false. Check the class's name.",
                name,
            )
        if scores.n_picks == 0:
            logger.warning("Class %s: there are no picks of it.", name)
        offset = scores.mean_offset_voxels_xyz
        if offset is None or scores.n_true_positive < OFFSET_ALARM_MATCHES:
            continue
        if float(np.linalg.norm(offset)) > OFFSET_ALARM_VOX:
            logger.warning(
                "Class %s: picks lie off by %.2f %.2f %.2f voxels (x, y, z) on "
                "average. One of the files may count voxels from another origin.",
                name,
                *offset,
            )
