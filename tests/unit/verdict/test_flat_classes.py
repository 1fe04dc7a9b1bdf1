"""Which 2D classes look like particles: numbers by hand, and planted classes."""

import numpy as np
import pytest

from etpicker_plugin.engine.relion.class2d import class2d
from etpicker_plugin.engine.relion.plans import Search
from etpicker_plugin.engine.verdict.flat.classes import (
    BLURRED,
    CHANCE,
    COARSE,
    ModelClass,
    beyond,
    judge_classes,
    least_beyond,
    share_interval,
)
from etpicker_plugin.engine.verdict.flat.joint import (
    Classification,
    choose_classes,
    read_models,
)
from etpicker_plugin.engine.verdict.flat.profiles import (
    RINGS,
    profile_ratios,
    radial_profiles,
)
from etpicker_plugin.engine.verdict.flat.shares import ClassVerdict, share_of

MODEL = """
data_model_general

_rlnNrClasses 3

data_model_classes

loop_
_rlnReferenceImage #1
_rlnClassDistribution #2
_rlnAccuracyRotations #3
_rlnAccuracyTranslationsAngst #4
_rlnEstimatedResolution #5
000001@run_it005_classes.mrcs 0.6 4.25 3.5 22.5
000002@run_it005_classes.mrcs 0.4 999 999 inf
000003@run_it005_classes.mrcs 0 17.1 14 45
"""


def model(resolution=20.0, accuracy=3.0):
    return ModelClass(
        share=0.1, resolution_ang=resolution, accuracy_deg=9.0, accuracy_ang=accuracy
    )


def test_what_is_beyond_chance_by_hand():
    # 30 of 100 picks are in the class, and 10 of 200 random coordinates: 5 by chance.
    assert beyond(30, 10, 100, 200) == pytest.approx(25 / 30)
    assert beyond(30, 60, 100, 200) == 0.0
    assert beyond(3, 60, 100, 200) == 0.0
    assert beyond(0, 0, 100, 200) == 0.0


def test_the_least_of_it_is_an_exact_limit():
    # With no random coordinate among n, the limit p solves p^n = 0.05.
    p = 0.05 ** (1 / 20)
    assert least_beyond(20, 0, 100, 100, error=0.05) == pytest.approx(1 - (1 - p) / p)
    three = least_beyond(20, 0, 300, 100, error=0.05)
    assert three == pytest.approx(1 - 3 * (1 - p) / p)
    assert least_beyond(20, 20, 100, 100, error=0.05) == 0.0
    assert least_beyond(0, 0, 100, 100, error=0.05) == 0.0
    assert least_beyond(30, 10, 100, 200, error=0.05) < beyond(30, 10, 100, 200)


def planted(picks, control):
    """Return the class of every box, picks before control, and the rows of both."""
    parts = [np.full(n, c) for counts in (picks, control) for c, n in enumerate(counts)]
    rows = np.arange(sum(picks) + sum(control))
    return np.concatenate(parts), rows[: sum(picks)], rows[sum(picks) :]


def judge(models, picks, control):
    classes, picked, random = planted(picks, control)
    return judge_classes(models, classes, picks=picked, control=random, search_ang=12.0)


def test_particles_are_told_from_what_random_places_fill():
    models = [model(), model(45.0, 14.0), model(40.0, 10.0)]
    judged = judge(models, picks=(80, 30, 40), control=(4, 60, 56))
    assert [one.is_of_particles for one in judged] == [True, False, False]
    assert (judged[0].n_picks, judged[0].n_control) == (80, 4)
    assert judged[1].reasons[0] == CHANCE


def test_few_picks_say_nothing_however_pure():
    models = [model(), model(45.0), model(45.0)]
    few = judge(models, picks=(4, 60, 60), control=(0, 60, 60))[0]
    assert few.beyond == 1.0
    assert few.reasons == (CHANCE,)
    assert judge(models, picks=(9, 60, 60), control=(0, 60, 60))[0].is_of_particles


def test_more_picks_than_chance_are_not_enough_if_most_are_chance():
    models = [model(), model(45.0), model(45.0)]
    mixed = judge(models, picks=(150, 60, 60), control=(70, 90, 90))[0]
    assert 0 < mixed.beyond_least < mixed.beyond < 0.5
    assert mixed.reasons == (CHANCE,)


def test_as_coarse_as_random_places_is_fine_enough():
    models = [model(45.0), model(45.0), model(60.0)]
    judged = judge(models, picks=(80, 30, 40), control=(4, 60, 56))
    assert judged[0].is_of_particles


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (model(resolution=46.0), COARSE),
        (model(resolution=None), COARSE),
        (model(accuracy=12.0), BLURRED),
        (model(accuracy=None), BLURRED),
    ],
)
def test_what_relion_does_not_resolve_is_no_particle(wrong, reason):
    judged = judge([wrong, model(45.0)], picks=(90, 30), control=(2, 110))
    assert judged[0].reasons == (reason,)


def test_a_picker_of_nothing_seldom_has_a_class_by_chance():
    generator = np.random.default_rng(3)
    found = 0
    for _ in range(200):
        classes = generator.integers(0, 8, 300)
        rows = np.arange(300)
        judged = judge_classes(
            [model()] * 8, classes, picks=rows[:180], control=rows[180:], search_ang=12
        )
        found += any(one.is_of_particles for one in judged)
    assert found <= 0.05 * 200


def test_shares_of_sets_with_the_controls_taken_off():
    models = [model(20.0), model(45.0, 20.0), model(25.0)]
    picks, control = (60, 20, 40), (3, 100, 2)
    classes, picked, random = planted(picks, control)
    found = ClassVerdict(
        classification=Classification(
            classes=classes,
            probability=np.ones(len(classes)),
            models=models,
            averages=np.zeros((3, 4, 4), np.float32),
            iteration=5,
        ),
        judged=judge(models, picks, control),
        version="3.1.3",
        commands=(),
    )
    share = share_of(found, picked, control=random)
    assert (share.count, share.total) == (100, 120)
    chance = 5 / 105
    assert share.beyond_chance == pytest.approx((100 / 120 - chance) / (1 - chance))
    assert share.resolution_ang == 20.0
    assert share.interval == pytest.approx((0.7566, 0.8894), abs=2e-4)
    assert found.count(2, picked) == 40
    none = share_of(found, picked[60:80], control=random)
    assert (none.count, none.resolution_ang, none.beyond_chance) == (0, None, 0.0)
    assert share_interval(0, 0) == (0.0, 1.0)


def test_relions_numbers_of_classes(tmp_path):
    (tmp_path / "model.star").write_text(MODEL)
    first, second, third = read_models(tmp_path / "model.star")
    assert (first.share, first.resolution_ang) == (0.6, 22.5)
    assert (first.accuracy_deg, first.accuracy_ang) == (4.25, 3.5)
    assert (second.resolution_ang, second.accuracy_deg) == (None, None)
    assert third.accuracy_ang == 14.0


def test_relion_is_asked_for_2d_classes():
    search = Search(
        diameter_ang=150.0,
        initial_lowpass_ang=30.0,
        offset_range_vox=2.5,
        offset_step_vox=1.5,
        threads=3,
        seed=7,
    )
    plan = class2d("p.star", "c/run", search=search, classes=9, iterations=12)
    words = " ".join(plan.arguments)
    for expected in (
        "--i p.star --o c/run --K 9 --iter 12",
        "--particle_diameter 150",
        "--ini_high 30",
        "--offset_range 2.5 --offset_step 1.5",
        "--j 3 --random_seed 7",
    ):
        assert expected in words
    assert "--ctf" not in words
    assert plan.makes == "c/run_it012_data.star"
    assert [choose_classes(n) for n in (50, 700, 9000)] == [5, 11, 20]


def test_rings_are_means_on_circles():
    images = np.zeros((2, 16, 16), np.float32)
    images[0, 8, 8] = 1.0  # the centre's ring has one pixel
    images[1] = 3.0
    profiles = radial_profiles(images)
    assert profiles.shape == (2, RINGS)
    assert profiles[0].tolist() == [1.0] + [0.0] * (RINGS - 1)
    assert profiles[1] == pytest.approx(3.0)


def test_profiles_tell_picks_from_random_places_in_the_other_half():
    generator = np.random.default_rng(1)
    count = 240
    picked = np.arange(count) < 120
    good = np.arange(count) < 60  # half of the picks are particles
    half = np.arange(count) % 2 + 1
    profiles = generator.normal(0, 1, (count, RINGS))
    profiles[good, :4] += (3.0, 2.0, 1.0, 0.5)
    ratios = profile_ratios(profiles, picked=picked, half=half)
    limit = np.quantile(ratios[~picked], 0.95)
    assert np.mean(ratios[good] > limit) > 0.85
    assert np.mean(ratios[picked & ~good] > limit) < 0.15
