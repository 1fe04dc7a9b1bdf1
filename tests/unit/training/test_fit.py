"""Parts of the training loop."""

import torch

from etpicker_plugin.engine.training.fit import spare_likely_particles


def test_only_unmarked_likely_voxels_are_spared():
    logits = torch.tensor([5.0, -5.0, 5.0, 5.0])
    weight = torch.tensor([0.1, 0.1, 1.0, 0.0])

    assert spare_likely_particles(logits, weight).tolist() == [
        0.0,
        weight[1].item(),
        1.0,
        0.0,
    ]
