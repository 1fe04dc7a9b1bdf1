"""Who is believed where: the marks, the old model, or nobody."""

import torch

from etpicker_plugin.engine.update.loss import (
    spare_old_particles,
    where_teacher_counts,
)


def test_what_the_old_model_is_sure_of_is_not_taught_as_background():
    weight = torch.full((1, 3, 1, 1, 4), 0.1)
    weight[0, 1] = 1.0  # every particle of the second class is marked
    taught = torch.full((1, 2, 1, 1, 4), -9.0)
    taught[0, :, 0, 0, 2] = 3.0

    spared = spare_old_particles(weight, taught, torch.tensor([0.3, 0.3]))

    assert spared[0, 0, 0, 0].tolist() == [
        *weight[0, 0, 0, 0, :2],
        0.0,
        weight[0, 0, 0, 0, 3],
    ]
    assert torch.equal(spared[0, 1:], weight[0, 1:])


def test_sure_means_above_each_class_s_own_threshold():
    weight = torch.full((1, 2, 1, 1, 1), 0.1)
    taught = torch.zeros((1, 2, 1, 1, 1))  # probability 0.5

    spared = spare_old_particles(weight, taught, torch.tensor([0.4, 0.6]))

    assert spared[0, 0].item() == 0.0
    assert spared[0, 1].item() > 0.0


def test_the_old_model_counts_on_exemplars_and_where_nobody_marked():
    weight = (
        torch.tensor([1.0, 0.1, 0.0, 0.5]).reshape(1, 1, 1, 1, 4).repeat(2, 1, 1, 1, 1)
    )

    held = where_teacher_counts(weight, torch.tensor([False, True]))

    assert held[0].flatten().tolist() == [0.0, 1.0, 0.0, 1.0]
    assert held[1].flatten().tolist() == [1.0, 1.0, 1.0, 1.0]
