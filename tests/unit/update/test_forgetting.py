"""The verdict: who lost, who was learnt, and what could not be measured."""

import numpy as np
import pytest

from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.judge import Judge
from etpicker_plugin.engine.training.split import Region
from etpicker_plugin.engine.training.validation import JudgedPicks, ValidationPart
from etpicker_plugin.engine.update.contender import Contender
from etpicker_plugin.engine.update.forgetting import (
    KEPT_OLD,
    PROMOTED,
    chance_shares,
    compare_models,
)
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

DIAMETERS = {"old": 100.0, "new": 100.0}
SHAPE = (30, 40, 50)


def judged(hits, misses, n_truth):
    return JudgedPicks(
        scores=np.full(hits + misses, 0.9),
        is_true=np.array([True] * hits + [False] * misses),
        n_truth=n_truth,
    )


class Known(Contender):
    """A contender whose picks are given: by group of data and class."""

    def pick(self, groups):
        return {
            g: {n: PICKS[self.network][g][n] for n in self.judge.classes}
            for g in groups
        }


PICKS = {}


def part(channels, *, n=20):
    generator = np.random.default_rng(0)
    return ValidationPart(
        tomogram_id="TS_1",
        image=ArrayVolume(np.zeros(SHAPE, np.float16)),
        region=Region((0, 0, 0), SHAPE),
        allowed=ArrayVolume(np.ones(SHAPE, bool)),
        positions_zyx=generator.uniform(0, 1, (n, 3)) * SHAPE,
        channels=np.array([channels[i % len(channels)] for i in range(n)]),
        annotation=("complete", "complete"),
    )


def contender(name, classes, picks):
    PICKS[name] = picks
    judge = Judge(
        species=tuple(
            Species(name=c, diameter_ang=DIAMETERS[c], label_diameter_ang=50.0)
            for c in classes
        ),
        voxel_size=10.0,
        f_alpha=3.0,
    )
    return Known(network=name, judge=judge)


def compare(before, after, *, old_on_new=None, allowed_drop=0.02):
    nothing = judged(0, 0, 0)
    old_on_new = old_on_new or (nothing, nothing)
    groups = {"round 0": [part([0])], "round 1": [part([1], n=4)]}
    first = contender(
        "before",
        ["old"],
        {"round 0": {"old": before}, "round 1": {"old": old_on_new[0]}},
    )
    second = contender(
        "after",
        ["old", "new"],
        {
            "round 0": {"old": after[0], "new": nothing},
            "round 1": {"old": old_on_new[1], "new": after[1]},
        },
    )
    return compare_models(
        first,
        second,
        groups=groups,
        new_group="round 1",
        allowed_drop=allowed_drop,
    )


def test_nothing_lost_and_something_learnt_is_promoted():
    found = compare(judged(18, 2, 20), (judged(18, 2, 20), judged(4, 1, 4)))

    assert found.verdict == PROMOTED
    assert found.reasons == ()
    old, new = found.classes
    assert (old.f1_before, old.f1_after, old.is_new) == (0.9, 0.9, False)
    assert new.f1_before == 0.0
    assert new.f1_after == pytest.approx(2 * 4 / (5 + 4))
    assert found.backward_transfer == 0.0
    assert found.forward_transfer is None


@pytest.mark.parametrize(("hits", "verdict"), [(49, PROMOTED), (47, KEPT_OLD)])
def test_an_old_class_may_lose_what_is_allowed(hits, verdict):
    # 49 of 50: F1 falls by 0.01; 47 of 50: by 0.03.
    after = judged(hits, 0, 50)
    found = compare(judged(50, 0, 50), (after, judged(4, 0, 4)))

    assert found.verdict == verdict
    assert found.classes[0].f1_after == pytest.approx(2 * hits / (hits + 50))
    if verdict == KEPT_OLD:
        assert "old: F1 on earlier data fell from 1.000" in found.reasons[0]


def test_a_new_class_found_by_chance_is_not_learnt():
    found = compare(judged(9, 0, 9), (judged(9, 0, 9), judged(1, 30, 4)))

    assert found.verdict == KEPT_OLD
    assert "new was not learnt: 1 of 31 picks" in found.reasons[0]


def test_an_old_class_that_new_marks_made_worse_is_named():
    found = compare(
        judged(9, 0, 9),
        (judged(9, 0, 9), judged(4, 0, 4)),
        old_on_new=(judged(5, 0, 5), judged(3, 0, 5)),
    )

    assert found.verdict == KEPT_OLD
    assert "on the new data itself" in found.reasons[0]
    assert found.forward_transfer == 1.0


def test_what_cannot_be_measured_is_not_promoted():
    nothing = judged(0, 0, 0)
    found = compare(nothing, (nothing, judged(4, 0, 4)))

    assert found.verdict == KEPT_OLD
    assert "old: no held-out particle" in found.reasons[0]
    assert found.classes[0].f1_before is None
    assert found.to_json()["classes"]["old"]["f1_after"] is None


def test_chance_by_hand():
    # Four particles, reach 5 voxels, in 30 x 40 x 50 voxels.
    share = 4 * 4 / 3 * np.pi * 125 / 60000

    assert chance_shares([part([1], n=4)], [5.0, 5.0]) == pytest.approx([0.0, share])
