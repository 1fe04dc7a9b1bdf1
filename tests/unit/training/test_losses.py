"""Losses by hand on 2×2×2."""

import math

import torch

from etpicker_plugin.engine.training.losses import (
    cross_entropy_loss,
    soft_dice_loss,
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
