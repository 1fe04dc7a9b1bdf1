"""Judging a network on what was held out, while it trains and at the end."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from etpicker_plugin.engine.annotation import SPARSE
from etpicker_plugin.engine.fewshot.cut_off import choose_cut_off
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.picking.second_look import SecondLook
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.threshold import (
    DEFAULT_THRESHOLD,
    are_few,
    choose_for_micrographs,
    choose_for_other_tomograms,
    choose_threshold,
)
from etpicker_plugin.engine.training.validation import (
    ClassResult,
    JudgedPicks,
    See,
    ValidationPart,
    join_judged,
    judge_parts,
    result_at,
    see_nothing,
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
    species
        In the order of the channels; their thresholds do not matter.
    voxel_size
        Working voxel size, Å.
    f_alpha
        Weight of recall in the score that is maximised.
    second_look
        Compares the candidates with maps at the end, when thresholds are chosen.
    """

    species: tuple[Species, ...]
    voxel_size: float
    f_alpha: float
    second_look: SecondLook | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names, in the order of the channels."""
        return tuple(s.name for s in self.species)

    def candidates(
        self,
        network: Network,
        parts: Iterable[ValidationPart],
        *,
        see: See = see_nothing,
    ) -> list[JudgedPicks]:
        """Return each class's picks, true or false, over all parts."""
        return judge_parts(
            network,
            parts,
            self.species,
            voxel_size=self.voxel_size,
            see=see,
            second_look=self.second_look,
        )

    def validate(
        self, network: Network, parts: list[ValidationPart], *, see: See = see_nothing
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
        is_flat = all(len(part.image.data) == 1 for part in parts)
        thresholds = [
            self._choose(one, doses, sparse=sparse, is_flat=is_flat)
            for one, *doses, sparse in zip(
                self.species, *levels, _is_sparse(parts), strict=True
            )
        ]
        return [
            result_at(clean, threshold, f_alpha=self.f_alpha)
            for clean, threshold in zip(levels[0], thresholds, strict=True)
        ]

    @staticmethod
    def _choose(
        one: Species, doses: list[JudgedPicks], *, sparse: bool, is_flat: bool
    ) -> float:
        """Choose a class's threshold; points of curves have no usual one.

        A micrograph holds a hundred particles. Where a few of them are marked, and
        one or two of these held out, F1 tells nothing, because all others count as
        false; what these score does, as of a model without training.
        """
        if one.kind != PARTICLE:
            return choose_threshold(join_judged(doses), sparse=sparse)
        clean = doses[0]
        if not is_flat:
            return choose_for_other_tomograms(doses, sparse=sparse)
        if not (sparse and are_few(doses)):
            return choose_for_micrographs(clean, sparse=sparse)
        cut_off = choose_cut_off(clean.scores, clean.is_true, is_pure=True)
        return DEFAULT_THRESHOLD if cut_off is None else cut_off.value


def make_validate(
    judge: Judge, parts: list[ValidationPart], *, watch: Watch
) -> Callable[[Network, int], tuple[float, dict[str, float]]]:
    """Return the score that is maximised, a mean over the classes, and the F1s.

    It is F-alpha. Where only some particles are marked the others count as false, and
    no threshold is right; but of two networks that find the marked ones, the better
    has them among its first picks. There it is the average precision.

    The function returned takes a network and the step it has come to.
    """
    sparse = _is_sparse(parts)

    def validate(network: Network, step: int) -> tuple[float, dict[str, float]]:
        shown: list[Peaks] = []
        results = judge.validate(network, parts, see=watch.collect(shown))
        watch.write(shown, results, step=step)
        scores = [
            result.average_precision if is_sparse else result.f_alpha
            for result, is_sparse in zip(results, sparse, strict=True)
        ]
        score = sum(scores) / len(scores)
        f1 = {f"f1:{n}": r.f1 for n, r in zip(judge.classes, results, strict=True)}
        return score, f1

    return validate


def with_results(
    species: Sequence[Species], results: Sequence[ClassResult]
) -> tuple[Species, ...]:
    """Return species with the thresholds chosen and what was measured at them."""
    return tuple(
        replace(
            one,
            threshold=round(result.threshold, 6),
            metrics={
                "precision": result.precision,
                "recall": result.recall,
                "f1": result.f1,
                "particles": result.n_truth,
            },
        )
        for one, result in zip(species, results, strict=True)
    )


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
