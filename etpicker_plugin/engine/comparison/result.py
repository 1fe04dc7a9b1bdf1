"""What a comparison found, and how it is written."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from etpicker_plugin import __version__
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.comparison.against_truth import SetScores
from etpicker_plugin.engine.comparison.agreement import Agreement
from etpicker_plugin.engine.comparison.joining import IndexArray, subset_file_name
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.config.compare import CompareConfig
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.particles import Particles


@dataclass(frozen=True, kw_only=True)
class ComparisonResult:
    """What ``compare`` found.

    Attributes
    ----------
    members
        Per tomogram, ``(P, S)``: the pick of each set at each particle, or -1.
    subsets
        By label: the sets of it, and its particles per tomogram.
    pairs
        Every two sets.
    scores
        Per set, against the truth; empty without one.
    """

    sets: PickSets
    members: dict[str, IndexArray]
    subsets: dict[str, tuple[tuple[str, ...], dict[str, Particles]]]
    pairs: list[Agreement]
    scores: dict[str, SetScores]


def write_result(
    result: ComparisonResult, config: CompareConfig, digest: str, path: Path
) -> None:
    """Write the numbers as JSON; last, as the mark of a whole comparison."""
    names = result.sets.names
    record: dict[str, Any] = {
        "sets": {
            name: {
                "n": result.sets.count(name),
                **({"truth": asdict(result.scores[name])} if result.scores else {}),
            }
            for name in names
        },
        "subsets": {
            label: {
                "n": sum(len(p) for p in particles.values()),
                "sets": list(subset),
                "folder": f"subsets/{subset_file_name(subset, names)}",
            }
            for label, (subset, particles) in result.subsets.items()
        },
        "pairs": [_pair_record(pair) for pair in result.pairs],
        "tomograms": list(result.sets.tomograms),
        "left_out": list(result.sets.left_out),
        "settings": config_to_values(config),
        "code_version": __version__,
        "digest": digest,
    }
    with write_whole(path) as temporary:
        temporary.write_text(
            json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
            encoding="utf-8",
        )


def _pair_record(pair: Agreement) -> dict[str, Any]:
    return {
        "first": pair.first,
        "second": pair.second,
        "n_both": pair.n_both,
        "dice": pair.dice,
        "median_distance_voxels": pair.distance_vox,
        "offset_voxels_xyz": list(pair.offset.mean_xyz),
        "offset_standard_error_voxels_xyz": list(pair.offset.standard_error_xyz),
        "origin_alarm": pair.offset.is_alarming,
        "message": pair.describe(),
    }
