"""Ranks, areas under curves, and whether a ranking can be relied on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from etpicker_plugin.engine.arrays import FloatArray

IndexArray = NDArray[np.intp]

LEAST_JUDGED = 20
LEAST_THINGS = 5
SURE = 0.95


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Sets by the median of their log-likelihood ratios, the best first.

    Attributes
    ----------
    order
        Names.
    stays_first
        Share of bootstrap samples in which the first stays first.
    intervals
        Per set: 95 % interval of the median, over these samples.
    reasons
        Why the ranking is not conclusive; empty when it is.
    """

    order: tuple[str, ...]
    stays_first: float
    intervals: dict[str, tuple[float, float]]
    reasons: tuple[str, ...]

    @property
    def is_conclusive(self) -> bool:
        """Whether the first place can be relied on."""
        return not self.reasons


def area_under_curve(positive: ArrayLike, negative: ArrayLike) -> float | None:
    """Return the probability that a positive exceeds a negative, ties half.

    The area under the ROC curve, from rank sums (Mann & Whitney 1947). ``None`` if one
    side is empty. The lengths ``(N,)`` and ``(M,)`` of the two may differ.
    """
    high, low = np.asarray(positive, float).ravel(), np.asarray(negative, float).ravel()
    if not len(high) or not len(low):
        return None
    ranks = rankdata(np.concatenate([high, low]))
    above = ranks[: len(high)].sum() - len(high) * (len(high) + 1) / 2
    return float(above / (len(high) * len(low)))


def rank_sets(
    ratios: Mapping[str, FloatArray],
    *,
    control: str,
    resamples: int,
    generator: np.random.Generator,
    typical: Callable[..., Any] = np.median,
    things: Mapping[str, IndexArray] | None = None,
) -> Ranking:
    """Rank sets by median ratio and test the first place by a bootstrap.

    It is conclusive if the first is no control, every set has 20 judged picks, and
    the first keeps its place in 95 % of the samples. Each sample draws every set's
    picks anew.

    Parameters
    ----------
    ratios
        Per set and for the control: ``(N,)`` log-likelihood ratios of its own number
        of judged picks; a set without any comes last.
    control
        The name under which the random coordinates are among them.
    resamples
        Number of bootstrap samples.
    typical
        In the median's place: ``np.mean`` of values 0 and 1 ranks by shares.
    things
        Per set: ``(N,)`` which filament or vesicle each pick lies on. A sample draws
        these anew, with all their picks: neighbours are alike. Each set needs five.
    """
    found = {name: float(typical(v)) for name, v in ratios.items() if len(v)}
    order = tuple(sorted(found, key=lambda name: -found[name]))
    order += tuple(name for name in ratios if name not in found)
    drawn = {
        name: _draw(v, things[name] if things else None, resamples, generator, typical)
        for name, v in ratios.items()
        if len(v)
    }
    best = order[0]
    others = [drawn[name] for name in drawn if name != best]
    first = np.all([drawn[best] > other for other in others], axis=0)
    stays_first = float(np.mean(first)) if others else 1.0
    reasons = _reasons(ratios, best, stays_first, control)
    return Ranking(
        order=order,
        stays_first=stays_first,
        intervals={name: _interval(medians) for name, medians in drawn.items()},
        reasons=(*_few_things(things or {}, control), *reasons),
    )


def _draw(
    values: FloatArray,
    things: IndexArray | None,
    resamples: int,
    generator: np.random.Generator,
    typical: Callable[..., Any],
) -> FloatArray:
    """Return ``(resamples,)`` what is typical of draws: of values, or of things."""
    if things is None:
        drawn = generator.choice(values, (resamples, len(values)))
        return np.asarray(typical(drawn, axis=1))
    parts = [values[things == thing] for thing in np.unique(things)]
    return np.array(
        [
            typical(np.concatenate([parts[i] for i in chosen]))
            for chosen in generator.integers(len(parts), size=(resamples, len(parts)))
        ]
    )


def _interval(drawn: FloatArray) -> tuple[float, float]:
    low, high = np.percentile(drawn, [50 * (1 - SURE), 50 * (1 + SURE)])
    return float(low), float(high)


def _few_things(things: Mapping[str, IndexArray], control: str) -> tuple[str, ...]:
    counts = {n: len(np.unique(t)) for n, t in things.items() if n != control}
    small = [f"{n} ({count})" for n, count in counts.items() if count < LEAST_THINGS]
    if not small:
        return ()
    return (
        f"too few filaments or vesicles are judged of {', '.join(small)}: a verdict "
        f"needs {LEAST_THINGS} or more of each",
    )


def _reasons(
    ratios: Mapping[str, FloatArray], best: str, stays_first: float, control: str
) -> tuple[str, ...]:
    small = [f"{n} ({len(v)})" for n, v in ratios.items() if len(v) < LEAST_JUDGED]
    reasons = []
    if small:
        reasons.append(
            f"too few picks are judged of {', '.join(small)}: a verdict needs "
            f"{LEAST_JUDGED} or more of each"
        )
    if best == control:
        reasons.append("the control ranks first")
    elif stays_first < SURE:
        reasons.append(
            f"{best} stays first in only {100 * stays_first:.0f} % of the bootstrap "
            "samples"
        )
    return tuple(reasons)


def share_above(values: FloatArray, control: FloatArray, *, level: float) -> float:
    """Return the share of ``(N,)`` values above a quantile of ``(M,)`` others."""
    if not len(values) or not len(control):
        return 0.0
    return float(np.mean(values > np.quantile(control, level)))
