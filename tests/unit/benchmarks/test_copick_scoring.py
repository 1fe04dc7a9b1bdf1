"""Picks counted as the organisers of CZII's challenge count, worked out by hand."""

import numpy as np
import pytest
from copick_scoring import Counts, count, count_all, weighted_mean


def at(*xyz):
    return np.array(xyz, float).reshape(-1, 3)


def test_what_lies_just_in_reach_is_found():
    found = count(at((30, 0, 0), (0, 30.1, 500)), at((0, 0, 0), (0, 0, 500)), 30.0)

    assert found == Counts(found=1, false=1, missed=1)


def test_further_picks_on_a_particle_are_false():
    found = count(at((1, 0, 0), (2, 0, 0), (0, 3, 0)), at((0, 0, 0)), 30.0)

    assert found == Counts(found=1, false=2, missed=0)
    assert found.precision == pytest.approx(1 / 3)


def test_one_pick_between_two_particles_finds_both():
    found = count(at((0, 0, 0)), at((0, 0, 20), (0, 0, -20)), 30.0)

    assert found == Counts(found=2, false=-1, missed=0)
    assert found.precision == 2.0  # as the published metric has it


def test_nothing_picked_or_nothing_there():
    assert count(at(), at((0, 0, 0), (9, 9, 9)), 30.0) == Counts(0, 0, 2)
    assert count(at((0, 0, 0)), at(), 30.0) == Counts(0, 1, 0)
    assert Counts(0, 0, 2).f(4) == Counts(0, 1, 0).f(4) == 0.0


def test_f4_weighs_recall_sixteen_times():
    # P = 1/2, R = 1: 17 · 0.5 / (16 · 0.5 + 1); and the other way round.
    assert Counts(found=3, false=3, missed=0).f(4) == pytest.approx(8.5 / 9)
    assert Counts(found=3, false=0, missed=3).f(4) == pytest.approx(8.5 / 16.5)


def test_tomograms_are_pooled_before_anything_is_divided():
    truth = {"a": {"x": at((0, 0, 0))}, "b": {"x": at((0, 0, 0), (500, 0, 0))}}
    picks = {"a": {"x": at((5, 0, 0), (90, 0, 0))}, "c": {"x": at((1, 1, 1))}}

    counted = count_all(picks, truth, {"x": 60.0, "y": 60.0}, share=0.5)

    assert counted == {"x": Counts(1, 1, 2), "y": Counts(0, 0, 0)}


def test_a_class_without_particles_adds_nothing_and_weighs():
    counted = {"x": Counts(2, 0, 0), "y": Counts(0, 3, 0), "z": Counts(0, 0, 4)}

    total = weighted_mean(counted, {"x": 1.0, "y": 2.0, "z": 1.0}, beta=4.0)

    assert total == pytest.approx(1 / 4)
