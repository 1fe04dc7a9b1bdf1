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
from etpicker_plugin.engine.training.run import starting_state


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


def saved(path, digest="abc"):
    network, optimiser = make()
    take_steps(network, optimiser, [1])
    state = TrainingState(
        Counters(digest, step=1),
        {"network": network.state_dict()},
        optimiser_moments(optimiser),
    )
    save_state(path, state)


@pytest.mark.parametrize("old", [b'"step', b"network/bias", b"F32"])
def test_a_state_that_was_changed_begins_anew_with_a_warning(tmp_path, caplog, old):
    path = tmp_path / "state.safetensors"
    saved(path)
    assert starting_state(path, "abc").counters.step == 1

    data = path.read_bytes()
    at = data.index(old) + len(old) - 1
    path.write_bytes(data[:at] + b"x" + data[at + 1 :])

    assert starting_state(path, "abc").counters == Counters("abc")
    assert "training begins anew" in caplog.text


def test_weights_that_were_changed_begin_anew(tmp_path, caplog):
    path = tmp_path / "state.safetensors"
    saved(path)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)

    assert starting_state(path, "abc").tensors == {}
    assert "its checksum is another" in caplog.text


def test_the_state_of_another_run_is_not_gone_on_with(tmp_path, caplog):
    saved(tmp_path / "state.safetensors", digest="other")

    assert starting_state(tmp_path / "state.safetensors", "abc").counters.step == 0
    assert "of another run" in caplog.text
