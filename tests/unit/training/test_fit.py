"""The training loop: learning, the best average kept, early stop, going on."""

import numpy as np
import pytest
import torch

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.species import SizeVox
from etpicker_plugin.engine.training.fit import (
    FitSettings,
    _validation_is_due,
    _validations_by,
    fit,
    never,
)
from etpicker_plugin.engine.training.patches import PatchSampler, TrainingVolume
from etpicker_plugin.engine.training.resume import Counters, TrainingState
from etpicker_plugin.engine.training.schedule import Budget
from etpicker_plugin.engine.training.weak_labels import LabelSettings
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

LABELS = LabelSettings(
    shape="ball", sizes=(SizeVox(diameter=8.0, label_diameter=5.0),) * 1, stride=2
)


@pytest.fixture
def sampler():
    image = np.random.default_rng(0).normal(0, 1, (17, 33, 41)).astype(np.float16)
    volume = TrainingVolume(
        tomogram_id="TS_1",
        annotation=("complete",),
        image=ArrayVolume(image),
        learnable=ArrayVolume(np.ones(image.shape, dtype=bool)),
        positions_zyx=np.array([[8.0, 12.0, 30.0]]),
        channels=np.zeros(1, np.intp),
    )
    return PatchSampler([volume], patch_size=16, labels=LABELS, seed=0)


def run(
    sampler,
    path,
    scores,
    *,
    steps=20,
    seconds=None,
    patience=99,
    learning_rate=1e-3,
    is_asked_to_finish=never,
):
    """Fit with validation scores given in advance; return network, state, events."""
    network = make_network("fast", 1, seed=0)
    state = TrainingState(Counters("abc"), {}, {})
    averages = []

    def validate(average, step):
        averages.append({k: v.clone() for k, v in average.state_dict().items()})
        return scores[len(averages) - 1], {}

    best = fit(
        network,
        sampler,
        settings=FitSettings(
            budget=Budget(steps=steps, seconds=seconds),
            batch_size=1,
            learning_rate=learning_rate,
            patience=patience,
            equal_score=0.02,
        ),
        validate=validate,
        state=state,
        state_path=path,
        on_progress=ignore_progress,
        is_asked_to_finish=is_asked_to_finish,
    )
    return best, state, averages


def same(network, weights):
    return all(torch.equal(v, weights[k]) for k, v in network.state_dict().items())


def test_the_best_average_is_returned(sampler, tmp_path):
    scores = [0.1, 0.5, 0.9, *[0.2] * 20]

    best, state, averages = run(sampler, tmp_path / "state", scores)

    assert len(averages) > 5
    assert same(best, averages[2])
    assert not same(best, averages[3])
    assert state.counters.best_score == 0.9
    assert state.counters.step == 20
    assert [h["score"] for h in state.counters.history] == scores[: len(averages)]


def test_of_equal_averages_the_later_is_kept(sampler, tmp_path):
    scores = [0.5, 0.9, 0.895, *[0.2] * 20]

    best, _, averages = run(sampler, tmp_path / "state", scores)

    assert same(best, averages[2])


def test_it_stops_early_when_nothing_gets_better(sampler, tmp_path):
    scores = [0.9, *[0.1] * 20]

    best, state, averages = run(sampler, tmp_path / "state", scores, patience=3)

    assert len(averages) == 4
    assert state.counters.step < 20
    assert same(best, averages[0])


def test_a_training_that_diverges_is_stopped(sampler, tmp_path):
    with pytest.raises(ConfigError, match=r"diverged.*--learning-rate than 1e\+30"):
        run(sampler, tmp_path / "state", [0.5] * 20, learning_rate=1e30)


def test_it_finishes_when_asked_with_a_last_validation(sampler, tmp_path):
    looks = iter([False, False, True, True])

    best, state, averages = run(
        sampler, tmp_path / "state", [0.4] * 20, is_asked_to_finish=lambda: next(looks)
    )

    # Asked after step 3 of 20, before the first validation would have been due.
    assert state.counters.step == 3
    assert [record["step"] for record in state.counters.history] == [3]
    assert state.counters.stopped_by == "asked"
    assert same(best, averages[0])


@pytest.mark.parametrize(
    ("keywords", "reason"),
    [
        ({"steps": 4}, "steps"),
        ({"seconds": 1e-3}, "time"),
        ({"patience": 2}, "patience"),
    ],
)
def test_it_says_what_ended_it(sampler, tmp_path, keywords, reason):
    scores = [0.9, *[0.1] * 20]

    _, state, _ = run(sampler, tmp_path / "state", scores, **keywords)

    assert state.counters.stopped_by == reason


def test_validations_missed_by_a_shorter_limit_come_once():
    # Ten intervals between 0.3 and 1: the fourth begins at 0.51.
    assert _validations_by(0.29, first=0.3) == 0
    assert _validations_by(0.3, first=0.3) == 1
    assert _validations_by(0.52, first=0.3) == 4
    assert _validations_by(1.0, first=0.3) == 11
    assert _validation_is_due(0.52, 1, first=0.3)
    assert not _validation_is_due(0.52, 4, first=0.3)
