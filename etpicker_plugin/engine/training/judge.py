"""Judging a network on what was held out, while it trains and at the end."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.picking.nms import PeakSettings, pooling_kernel
from etpicker_plugin.engine.training.patches import SPARSE
from etpicker_plugin.engine.training.threshold import choose_threshold
from etpicker_plugin.engine.training.validation import (
    CANDIDATE_SCORE,
    MATCH_SHARE,
    ClassResult,
    JudgedPicks,
    See,
    ValidationPart,
    ignore,
    join_judged,
    judge_parts,
    result_at,
    with_noise,
)
from etpicker_plugin.engine.training.watch import Watch

LOWER_DOSES = (0.7, 1.1)
"""Noise added for choosing thresholds: a half and, nearly, two fifths of the SNR."""


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Picks held-out parts with a network, and judges the picks class by class.

    Attributes
    ----------
    classes
        Names, in the order of the channels.
    diameters_vox
        Per class, working voxels.
    flat_log_odds
        Per class, what flatness costs a pick's score (``flat_places``).
    f_alpha
        Weight of recall in the score that is maximised.
    """

    classes: tuple[str, ...]
    settings: PeakSettings
    diameters_vox: list[float]
    flat_log_odds: list[float]
    f_alpha: float

    @property
    def match_distances(self) -> list[float]:
        """How far from a centre a pick of each class may be, working voxels."""
        return [MATCH_SHARE * d for d in self.diameters_vox]

    def candidates(
        self, network: Network, parts: Iterable[ValidationPart], *, see: See = ignore
    ) -> list[JudgedPicks]:
        """Return each class's picks, true or false, over all parts."""
        return judge_parts(
            network,
            parts,
            settings=self.settings,
            diameters_vox=self.diameters_vox,
            flat_log_odds=self.flat_log_odds,
            see=see,
        )

    def validate(
        self, network: Network, parts: list[ValidationPart], *, see: See = ignore
    ) -> list[ClassResult]:
        """Return what each class reaches at the threshold best for these parts."""
        return [
            result_at(
                judged, choose_threshold(judged, sparse=sparse), f_alpha=self.f_alpha
            )
            for judged, sparse in zip(
                self.candidates(network, parts, see=see),
                _is_sparse(parts),
                strict=True,
            )
        ]

    def final_results(
        self, network: Network, parts: list[ValidationPart]
    ) -> list[ClassResult]:
        """Choose each class's threshold, and measure it on the held-out parts.

        The threshold is to hold on tomograms of lower quality too, where all scores
        fall: it is chosen on the parts as they are and at two lower doses, together.
        """
        levels = [self.candidates(network, parts)]
        levels += [
            self.candidates(network, with_noise(parts, share)) for share in LOWER_DOSES
        ]
        pooled = [join_judged(list(of_class)) for of_class in zip(*levels, strict=True)]
        thresholds = [
            choose_threshold(all_doses, sparse=sparse)
            for all_doses, sparse in zip(pooled, _is_sparse(parts), strict=True)
        ]
        return [
            result_at(clean, threshold, f_alpha=self.f_alpha)
            for clean, threshold in zip(levels[0], thresholds, strict=True)
        ]


def make_judge(
    diameters: Mapping[str, float],
    labels: Mapping[str, float],
    *,
    working_voxel_size: float,
    stride: int,
    f_alpha: float,
) -> Judge:
    """Return the judge of classes with these particle and label diameters (Å).

    Flatness costs nothing as yet.
    """
    return Judge(
        classes=tuple(diameters),
        settings=PeakSettings(
            kernels=[
                pooling_kernel(labels[name] / working_voxel_size / stride)
                for name in diameters
            ],
            min_score=CANDIDATE_SCORE,
        ),
        diameters_vox=[d / working_voxel_size for d in diameters.values()],
        flat_log_odds=[0.0] * len(diameters),
        f_alpha=f_alpha,
    )


def make_validate(
    judge: Judge, parts: list[ValidationPart], *, watch: Watch
) -> Callable[[Network], tuple[float, dict[str, float]]]:
    """Return the score that is maximised, a mean over the classes, and the F1s.

    It is F-alpha. Where only some particles are marked the others count as false, and
    no threshold is right; but of two networks that find the marked ones, the better
    has them among its first picks. There it is the average precision.
    """
    sparse = _is_sparse(parts)

    def validate(network: Network) -> tuple[float, dict[str, float]]:
        results = judge.validate(network, parts, see=watch.see)
        watch.write(results)
        scores = [
            result.average_precision if is_sparse else result.f_alpha
            for result, is_sparse in zip(results, sparse, strict=True)
        ]
        score = sum(scores) / len(scores)
        f1 = {f"f1:{n}": r.f1 for n, r in zip(judge.classes, results, strict=True)}
        return score, f1

    return validate


def equal_score(parts: list[ValidationPart]) -> float:
    """Return the difference of validation scores that is chance.

    The standard error of a share measured on n held-out particles is at most 0.5/√n;
    held between 0.02 and 0.3. So with a handful of them it is the end of the schedule
    that counts, and not the luck of an early validation. The average precision of one
    training, which ranks the same particles each time, varies half as much.
    """
    n_truth = sum(int(p.region.contains(p.positions_zyx).sum()) for p in parts)
    error = 0.25 if any(_is_sparse(parts)) else 0.5
    return float(np.clip(error / np.sqrt(max(n_truth, 1)), 0.02, 0.3))


def _is_sparse(parts: list[ValidationPart]) -> list[bool]:
    """Tell of each class whether it was marked sparsely in any part."""
    kinds = zip(*(part.annotation for part in parts), strict=True)
    return [SPARSE in of_class for of_class in kinds]
