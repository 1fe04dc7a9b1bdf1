"""The training state: everything back, and optimisation goes on the same."""

import pytest
import torch

from etpicker_plugin.engine.errors import CheckpointError
from etpicker_plugin.engine.training.resume import (
    Counters,
    TrainingState,
    load_state,
    optimiser_moments,
    restore_moments,
    save_state,
)


def take_steps(network, optimiser, seeds):
    for seed in seeds:
        x = torch.randn(5, 3, generator=torch.Generator().manual_seed(seed))
        optimiser.zero_grad()
        network(x).square().sum().backward()
        optimiser.step()


def make(seed=0):
    torch.manual_seed(seed)
    network = torch.nn.Linear(3, 2)
    return network, torch.optim.AdamW(network.parameters(), lr=0.1)


def test_optimisation_goes_on_as_if_unbroken(tmp_path):
    network, optimiser = make()
    take_steps(network, optimiser, [1, 2])
    counters = Counters("abc", step=2, elapsed_s=1.5, history=[{"step": 1}])
    save_state(
        tmp_path / "state.safetensors",
        TrainingState(
            counters, {"network": network.state_dict()}, optimiser_moments(optimiser)
        ),
    )
    take_steps(network, optimiser, [3, 4])

    state = load_state(tmp_path / "state.safetensors")
    again, restored = make(seed=9)
    again.load_state_dict(state.tensors["network"])
    restore_moments(restored, state.moments)
    take_steps(again, restored, [3, 4])

    assert state.counters == counters
    assert torch.equal(again.weight, network.weight)
    assert torch.equal(again.bias, network.bias)


def test_a_damaged_state_says_what_to_do(tmp_path):
    path = tmp_path / "state.safetensors"
    path.write_bytes(b"not a state")

    with pytest.raises(CheckpointError, match="Delete it to train from the start"):
        load_state(path)
