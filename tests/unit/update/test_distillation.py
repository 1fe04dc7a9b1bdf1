"""Distance from the old model: zero when nothing moved, by hand when it did."""

import math

import pytest
import torch

from etpicker_plugin.engine.update.distillation import (
    feature_distillation,
    output_distillation,
)

SHAPE = (2, 3, 2, 3, 4)


def test_the_same_outputs_cost_nothing():
    logits = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))

    assert output_distillation(logits, logits, torch.ones(SHAPE)) == pytest.approx(0)


def test_output_distillation_by_hand():
    # One voxel of one class differs: p = 0.8 from the teacher, q = 0.5.
    teacher = torch.full(SHAPE, -40.0)
    student = teacher.clone()
    teacher[0, 1, 0, 2, 3] = math.log(4)
    student[0, 1, 0, 2, 3] = 0.0
    divergence = 0.8 * math.log(0.8 / 0.5) + 0.2 * math.log(0.2 / 0.5)

    loss = output_distillation(student, teacher, torch.ones(SHAPE))

    assert loss.item() == pytest.approx(divergence / (0.8 + 100) / 3, rel=1e-4)


def test_only_weighted_voxels_are_held():
    teacher, student = torch.zeros(SHAPE), torch.ones(SHAPE)
    weight = torch.zeros(SHAPE)

    assert output_distillation(student, teacher, weight) == 0
    weight[1, 2, 1, 1, 1] = 1
    assert output_distillation(student, teacher, weight) > 0


def test_feature_distillation_is_relative():
    teacher = torch.full((1, 2, 2, 2, 3), 2.0)

    assert feature_distillation(teacher * 1.5, teacher) == pytest.approx(0.25)
    assert feature_distillation(teacher * 15, teacher * 10) == pytest.approx(0.25)
