"""What an update gained and lost, and whether the new model should be used."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from etpicker_plugin.engine.held_out import FEW
from etpicker_plugin.engine.training.judge import Judge
from etpicker_plugin.engine.training.validation import (
    MATCH_SHARE,
    JudgedPicks,
    ValidationPart,
    join_judged,
    result_at,
)
from etpicker_plugin.engine.update.contender import Contender, Groups

PROMOTED, KEPT_OLD = "promoted", "kept old"
CHANCE = 0.01
"""A class was learnt when random picks would hit as often with less probability."""

Judged = Mapping[str, Mapping[str, JudgedPicks]]
"""Picks that pass the threshold, by group of data and class."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One class on one group of held-out data: F1 of the old and of the new model.

    ``f1_before`` is None for a class that the old model does not know.
    """

    class_name: str
    group: str
    n_particles: int
    f1_before: float | None
    f1_after: float


@dataclass(frozen=True, kw_only=True)
class ClassChange:
    """One class: an old one on all earlier data, a new one on the new data.

    ``f1_before`` is 0 for a new class. Both are None for an old class of which no
    held-out particle is left.
    """

    name: str
    is_new: bool
    n_particles: int
    f1_before: float | None
    f1_after: float | None


@dataclass(frozen=True, kw_only=True)
class Forgetting:
    """The comparison of a model before and after an update.

    ``reasons`` say why the old model is kept, ``doubts`` what is measured on too few
    particles to say much.
    ``backward_transfer`` is the mean change of F1 of old classes on earlier data;
    ``forward_transfer`` the mean F1 that the old model had on the new data, of the
    classes it knew (Lopez-Paz & Ranzato, NeurIPS 2017). None where not measured.
    """

    verdict: str
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]
    classes: tuple[ClassChange, ...]
    matrix: tuple[Cell, ...]
    backward_transfer: float | None
    forward_transfer: float | None
    allowed_drop: float

    def to_json(self) -> dict[str, object]:
        """Return plain values, with the classes by name."""
        values = dataclasses.asdict(self)
        values["classes"] = {c.pop("name"): c for c in values["classes"]}
        return values


def compare_models(
    before: Contender,
    after: Contender,
    *,
    groups: Groups,
    new_group: str,
    allowed_drop: float,
    n_views: int = 1,
) -> Forgetting:
    """Compare two models on held-out data.

    Parameters
    ----------
    groups
        Held-out parts, by the round in which their tomogram was learnt.
    new_group
        The group of this round's data.
    n_views
        How often the groups show each particle (see ``contender.many_views``).
    """
    old, new = before.pick(groups), after.pick(groups)
    matrix = tuple(_cells(old, new, after.judge.classes, n_views=n_views))
    changes = tuple(
        _change(
            *(name, old, new),
            known=name in before.judge.classes,
            of_round=new_group,
            n_views=n_views,
        )
        for name in after.judge.classes
    )
    chance = chance_shares(groups[new_group], match_distances(after.judge))
    reasons = [
        *_lost(changes, allowed_drop),
        *_worse(matrix, new_group, allowed_drop),
        *_not_learnt(changes, new[new_group], chance, n_views=n_views),
    ]
    return Forgetting(
        verdict=KEPT_OLD if reasons else PROMOTED,
        reasons=tuple(reasons),
        doubts=tuple(_measured_on_few(changes)),
        classes=changes,
        matrix=matrix,
        backward_transfer=_mean(
            c.f1_after - c.f1_before
            for c in changes
            if not c.is_new and c.f1_after is not None and c.f1_before is not None
        ),
        forward_transfer=_mean(
            cell.f1_before
            for cell in matrix
            if cell.group == new_group and cell.f1_before is not None
        ),
        allowed_drop=allowed_drop,
    )


def match_distances(judge: Judge) -> list[float]:
    """Return how far from a centre a pick of each class may be, working voxels."""
    return [MATCH_SHARE * s.size_vox(judge.voxel_size).diameter for s in judge.species]


def chance_shares(
    parts: Sequence[ValidationPart], match_distances: Sequence[float]
) -> list[float]:
    """Return, for each class, the share of the space within reach of a particle.

    So often does a pick at a random place hit.
    """
    volume = sum(
        float(np.prod(np.subtract(p.region.stop, p.region.start))) for p in parts
    )
    is_flat = all(p.image.shape_zyx[0] == 1 for p in parts)
    shares = []
    for channel, distance in enumerate(match_distances):
        count = sum(
            int(p.region.contains(p.positions_zyx[p.channels == channel]).sum())
            for p in parts
        )
        reach = np.pi * distance**2 * (1 if is_flat else 4 / 3 * distance)
        shares.append(min(count * reach / volume, 1.0))
    return shares


def _cells(
    old: Judged, new: Judged, classes: Iterable[str], *, n_views: int
) -> Iterable[Cell]:
    for group, of_class in new.items():
        for name in classes:
            if of_class[name].n_truth:
                known = name in old[group]
                yield Cell(
                    class_name=name,
                    group=group,
                    n_particles=of_class[name].n_truth // n_views,
                    f1_before=_f1(old[group][name]) if known else None,
                    f1_after=_f1(of_class[name]),
                )


def _change(
    name: str, old: Judged, new: Judged, *, known: bool, of_round: str, n_views: int
) -> ClassChange:
    """Judge an old class on earlier data, and a new one on this round's."""
    chosen = [g for g in new if (g != of_round) == known]
    after = join_judged([new[g][name] for g in chosen])
    measured = after.n_truth > 0
    f1_before: float | None = 0.0
    if known:
        before = join_judged([old[g][name] for g in chosen])
        f1_before = _f1(before) if measured else None
    return ClassChange(
        name=name,
        is_new=not known,
        n_particles=after.n_truth // n_views,
        f1_before=f1_before,
        f1_after=_f1(after) if measured else None,
    )


def _measured_on_few(changes: Iterable[ClassChange]) -> Iterable[str]:
    """Name the classes of which a gain or loss may be chance."""
    for c in changes:
        if 0 < c.n_particles < FEW:
            yield (
                f"{c.name} was measured on {c.n_particles} held-out particle(s), too "
                "few to judge by. Look at the picks of both models before you choose."
            )


def _lost(changes: Iterable[ClassChange], allowed_drop: float) -> Iterable[str]:
    """Name the old classes that lost more than allowed, or could not be measured."""
    for c in changes:
        if c.is_new:
            continue
        if c.f1_before is None or c.f1_after is None:
            yield (
                f"{c.name}: no held-out particle of earlier data is left to measure it "
                "on. Give validation tomograms that show it."
            )
        elif c.f1_before - c.f1_after > allowed_drop:
            yield (
                f"{c.name}: F1 on earlier data fell from {c.f1_before:.3f} to "
                f"{c.f1_after:.3f}, more than the {allowed_drop:g} allowed "
                f"({c.n_particles} held-out particles)."
            )


def _worse(
    matrix: Iterable[Cell], new_group: str, allowed_drop: float
) -> Iterable[str]:
    """Name the old classes that the new data made worse on the new data itself."""
    for cell in matrix:
        if cell.group != new_group or cell.f1_before is None:
            continue
        if cell.f1_before - cell.f1_after > allowed_drop:
            yield (
                f"{cell.class_name}: F1 on the new data itself fell from "
                f"{cell.f1_before:.3f} to {cell.f1_after:.3f}. Check its marks."
            )


def _not_learnt(
    changes: Iterable[ClassChange],
    picks: Mapping[str, JudgedPicks],
    chance: Sequence[float],
    *,
    n_views: int,
) -> Iterable[str]:
    """Name the new classes whose picks hit no more often than random ones."""
    for c, share in zip(changes, chance, strict=True):
        if not c.is_new:
            continue
        # Views of one particle are no more evidence than one of them.
        n_picks = round(len(picks[c.name].scores) / n_views)
        n_hits = round(picks[c.name].is_true.sum() / n_views)
        probability = float(binom.sf(n_hits - 1, n_picks, share))
        if n_hits == 0 or probability > CHANCE:
            yield (
                f"{c.name} was not learnt: {n_hits} of {n_picks} picks on held-out "
                f"new data hit one of its {c.n_particles} particles, and random picks "
                f"would hit {share * n_picks:.1f}. Check its marks, mark more, or "
                "train longer."
            )


def _f1(judged: JudgedPicks) -> float:
    return result_at(judged, 0.0, f_alpha=1.0).f1


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return sum(listed) / len(listed) if listed else None
