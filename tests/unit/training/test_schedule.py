"""The one-cycle schedule and the budget it runs on."""

import pytest

from etpicker_plugin.engine.training.schedule import Budget, one_cycle


def test_one_cycle_passes_through_its_three_values():
    assert one_cycle(0.0, 3.0) == pytest.approx(0.1)
    assert one_cycle(0.1, 3.0) == pytest.approx(3.0)
    assert one_cycle(1.0, 3.0) == pytest.approx(0.003)
    assert one_cycle(0.55, 3.0) == pytest.approx((3.0 + 0.003) / 2)


def test_progress_follows_whatever_runs_out_first():
    budget = Budget(steps=100, seconds=50.0)

    assert budget.progress(10, 1.0) == pytest.approx(0.1)
    assert budget.progress(10, 20.0) == pytest.approx(0.4)
    assert budget.progress(10, 80.0) == 1.0
    assert Budget(steps=100).progress(10, 1e9) == pytest.approx(0.1)


def test_the_time_left_is_at_the_pace_so_far():
    # A tenth of the steps in 6 s, but a quarter of the time.
    assert Budget(steps=100).left_s(10, 6.0) == pytest.approx(54.0)
    assert Budget(steps=100, seconds=24.0).left_s(10, 6.0) == pytest.approx(18.0)
    assert Budget(steps=100).left_s(0, 0.0) is None
    assert Budget(steps=100, seconds=24.0).is_out_of_time(24.0)
    assert not Budget(steps=100, seconds=24.0).is_out_of_time(23.9)
    assert not Budget(steps=100).is_out_of_time(1e9)
