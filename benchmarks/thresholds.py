"""F1 at a model's thresholds and at the best ones, and at those chosen otherwise.

    python benchmarks/thresholds.py MODEL --training T.mrc … --test U.mrc …

MODEL was trained on the tomograms of --training, with default parameters. The truth of
each tomogram is the CSV beside it; --marks are those trained on, if others. What
training held out is picked again, as it is and at lower doses; thresholds are chosen on
it in several ways, and the test tomograms are picked at each. *best* is the best
threshold of each class and tomogram. Prints F1, its mean over tomograms, and what it
lacks to the best.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.evaluation.metrics import (
    best_threshold,
    precision_recall_curve,
)
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.model.model_file import load_model
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.training.annotated_border import annotated_border
from etpicker_plugin.engine.training.dataset import load_dataset
from etpicker_plugin.engine.training.judge import LOWER_DOSES, Judge
from etpicker_plugin.engine.training.read_material import read_inputs
from etpicker_plugin.engine.training.threshold import (
    choose_for_other_tomograms,
    choose_threshold,
)
from etpicker_plugin.engine.training.validation import (
    JudgedPicks,
    ValidationPart,
    join_judged,
    result_at,
    with_noise,
)

Way = Callable[[Sequence[JudgedPicks], bool], float]

WAYS: dict[str, Way] = {
    "present": lambda doses, sparse: choose_for_other_tomograms(doses, sparse=sparse),
    "before: doses pooled, the best": lambda doses, sparse: choose_threshold(
        join_judged(list(doses)), sparse=sparse
    ),
    "as they are alone, the best": lambda doses, sparse: choose_threshold(
        doses[0], sparse=sparse
    ),
    "0.05": lambda doses, sparse: 0.05,
    "0.08": lambda doses, sparse: 0.08,
}


def read_parts(
    card: ModelCard,
    alignment: int,
    training: tuple[Sequence[Path], Sequence[Path]],
    test: Sequence[Path] = (),
) -> list[ValidationPart]:
    """Return what training held out of its tomograms; or all of those for a test."""
    config = TrainConfig(
        tomogram=tuple(map(str, training[0])),
        coordinates=tuple(map(str, training[1])),
        validation_tomogram=tuple(map(str, test)),
        validation_coordinates=tuple(str(p.with_suffix(".csv")) for p in test),
        diameter={s.name: s.diameter_ang for s in card.classes},
        annotation="complete" if test else card.annotation,
        working_voxel_size=card.working_voxel_size,
        out="nowhere",
    )
    learnt, judged = read_inputs(config)
    _, parts = load_dataset(
        learnt,
        judged,
        species=card.classes,
        working_voxel_size=card.working_voxel_size,
        held_out_share=None if test else config.validation_fraction,
        border_ang=annotated_border(learnt + judged, card.classes),
        alignment=alignment,
    )
    return parts


def f1_of(judged: JudgedPicks, threshold: float) -> float:
    """Return F1 of the picks of at least a score."""
    return result_at(judged, threshold, f_alpha=3.0).f1


def best_f1(judged: JudgedPicks) -> float:
    """Return F1 at the best threshold."""
    best = best_threshold(
        precision_recall_curve(judged.scores, judged.is_true, judged.n_truth)
    )
    return best[0] if best else 0.0


def choose_all_ways(
    judge: Judge, network: Network, parts: list[ValidationPart]
) -> dict[str, list[float]]:
    """Return each way's threshold of each class."""
    levels = [judge.candidates(network, parts)]
    levels += [judge.candidates(network, with_noise(parts, s)) for s in LOWER_DOSES]
    sparse = "sparse" in parts[0].annotation
    return {
        name: [way(doses, sparse) for doses in zip(*levels, strict=True)]
        for name, way in WAYS.items()
    }


def main() -> None:
    """Choose, pick, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--training", type=Path, nargs="+", required=True)
    parser.add_argument("--marks", type=Path, nargs="+")
    parser.add_argument("--test", type=Path, nargs="+", required=True)
    arguments = parser.parse_args()
    network, card = load_model(arguments.model)
    judge = Judge(species=card.classes, voxel_size=card.working_voxel_size, f_alpha=3.0)
    marks = arguments.marks or [p.with_suffix(".csv") for p in arguments.training]
    training = (arguments.training, marks)
    held_out = read_parts(card, network.alignment, training)
    thresholds = choose_all_ways(judge, network, held_out)
    tests = [
        judge.candidates(network, read_parts(card, network.alignment, training, [test]))
        for test in arguments.test
    ]
    names = [s.name for s in card.classes]
    print(f"| way | {' | '.join(names)} | mean F1 | lacks |")
    print("|---" * (len(names) + 3) + "|")
    best = [np.mean([best_f1(t[c]) for t in tests]) for c in range(len(names))]
    rows = {"best": (["best"] * len(names), best)} | {
        name: (
            [f"{t:.3f}" for t in of_way],
            [
                np.mean([f1_of(t[c], of_way[c]) for t in tests])
                for c in range(len(names))
            ],
        )
        for name, of_way in thresholds.items()
    }
    for name, (at, f1) in rows.items():
        cells = [f"{f:.3f} (at {t})" for f, t in zip(f1, at, strict=True)]
        lacks = np.mean(best) - np.mean(f1)
        print(f"| {name} | {' | '.join(cells)} | {np.mean(f1):.3f} | {lacks:.3f} |")


if __name__ == "__main__":
    main()
