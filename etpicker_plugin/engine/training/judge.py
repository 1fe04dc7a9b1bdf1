"""Judging a network on what was held out, while it trains and at the end."""

from collections.abc import Callable, Iterable
from functools import partial

from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.picking.find import PeakSettings
from etpicker_plugin.engine.picking.nms import pooling_kernel
from etpicker_plugin.engine.training.fit import Validate
from etpicker_plugin.engine.training.threshold import choose_threshold
from etpicker_plugin.engine.training.validation import (
    CANDIDATE_SCORE,
    ClassResult,
    JudgedPicks,
    ValidationPart,
    join_judged,
    judge_parts,
    result_at,
    with_noise,
)

Judge = Callable[[Network, Iterable[ValidationPart]], list[JudgedPicks]]

MATCH_SHARE = 0.5
LOWER_DOSES = (0.7, 1.1)
"""Noise added for choosing thresholds: a half and, nearly, two fifths of the SNR."""


def make_judge(
    config: TrainConfig, labels: dict[str, float], working: float, stride: int
) -> Judge:
    """Return what picks held-out parts with a network and judges the picks."""
    settings = PeakSettings(
        kernels=[pooling_kernel(d / working / stride) for d in labels.values()],
        min_score=CANDIDATE_SCORE,
    )
    distances = [MATCH_SHARE * d / working for d in config.diameter.values()]
    return partial(judge_parts, settings=settings, match_distances=distances)


def make_validate(
    judge: Judge, parts: list[ValidationPart], config: TrainConfig
) -> Validate:
    """Return the score that is maximised, F-alpha over the classes, and the F1s."""

    def validate(network: Network) -> tuple[float, dict[str, float]]:
        results = [
            result_at(
                judged,
                choose_threshold(judged, sparse=config.annotation == "sparse"),
                f_alpha=config.f_alpha,
            )
            for judged in judge(network, parts)
        ]
        score = sum(r.f_alpha for r in results) / len(results)
        f1 = {f"f1:{n}": r.f1 for n, r in zip(config.diameter, results, strict=True)}
        return score, f1

    return validate


def final_results(
    network: Network, judge: Judge, parts: list[ValidationPart], config: TrainConfig
) -> list[ClassResult]:
    """Choose each class's threshold, and measure it on the held-out parts.

    The threshold is to hold on tomograms of lower quality too, where all scores fall:
    it is chosen on the parts as they are and at two lower doses, together.
    """
    levels = [judge(network, parts)]
    levels += [judge(network, with_noise(parts, share)) for share in LOWER_DOSES]
    pooled = [join_judged(list(of_class)) for of_class in zip(*levels, strict=True)]
    sparse = config.annotation == "sparse"
    return [
        result_at(
            clean, choose_threshold(all_doses, sparse=sparse), f_alpha=config.f_alpha
        )
        for clean, all_doses in zip(levels[0], pooled, strict=True)
    ]
