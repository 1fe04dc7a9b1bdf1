"""Losses by hand on 2×2×2."""

import math

import torch

from etpicker_plugin.engine.training.losses import (
    cross_entropy_loss,
    soft_dice_loss,
    spare_likely_particles,
)


def example():
    target = torch.zeros(1, 2, 2, 2, 2)
    target[0, 0, 0, 0, 0] = 1.0
    target[0, 0, 1, 0, 1] = 1.0
    return torch.zeros(1, 2, 2, 2, 2), target, torch.ones(1, 2, 2, 2, 2)


def test_dice_by_hand():
    logits, target, weight = example()
    target[0, 1, 1, 1, 0] = 1.0
    # p = 1/2 everywhere: overlap 1, totals 4 + 2; overlap 1/2, totals 4 + 1.
    expected = ((1 - (2 * 1 + 1) / (6 + 1)) + (1 - (2 * 0.5 + 1) / (5 + 1))) / 2

    assert math.isclose(
        float(soft_dice_loss(logits, target, weight)), expected, rel_tol=1e-6
    )


def test_a_class_without_a_particle_in_the_batch_has_no_dice():
    logits, target, weight = example()
    logits[0, 1] = 5.0

    found = float(soft_dice_loss(logits, target, weight))

    assert math.isclose(found, 1 - (2 * 1 + 1) / (6 + 1), rel_tol=1e-6)
    assert float(soft_dice_loss(logits, torch.zeros_like(target), weight)) == 0.0


def test_dice_ignores_voxels_of_weight_zero():
    logits, target, weight = example()
    weight[0, :, 1] = 0.0
    expected = 1 - (2 * 0.5 + 1) / (3 + 1)

    assert math.isclose(
        float(soft_dice_loss(logits, target, weight)), expected, rel_tol=1e-6
    )


def test_dice_is_zero_for_a_sure_and_right_prediction():
    _, target, weight = example()

    assert float(soft_dice_loss(60 * target - 30, target, weight)) < 1e-6


def test_cross_entropy_by_hand():
    logits, target, weight = example()
    # Each voxel costs ln 2; class 0 has two marked voxels, class 1 none.
    expected = (8 * math.log(2) / 102 + 8 * math.log(2) / 100) / 2

    assert math.isclose(
        float(cross_entropy_loss(logits, target, weight)), expected, rel_tol=1e-6
    )


def test_unmarked_voxels_as_likely_as_the_marked_are_spared():
    # Marked: probabilities 0.2 and 0.4, of mean 0.3; another is masked out.
    probability = torch.tensor([0.2, 0.4, 0.9, 0.31, 0.29, 0.9, 0.9, 0.1])
    target = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    weight = torch.tensor([1.0, 1.0, 0.0, 0.5, 0.5, 1.0, 0.0, 0.5])
    shape = (1, 1, 2, 2, 2)

    spared = spare_likely_particles(
        torch.logit(probability).reshape(shape),
        target.reshape(shape),
        weight.reshape(shape),
    )

    expected = [1.0, 1.0, 0.0, 0.0, 0.5, 1.0, 0.0, 0.5]
    assert spared.flatten().tolist() == expected


def test_nothing_is_spared_of_a_class_that_is_not_shown():
    weight = torch.full((1, 1, 2, 2, 2), 0.5)
    sure = torch.full((1, 1, 2, 2, 2), 9.0)

    assert torch.equal(
        spare_likely_particles(sure, torch.zeros_like(sure), weight), weight
    )
