"""What is asked of torch, in this process."""

from collections import ChainMap

import pytest
import torch

from etpicker_plugin.engine.doctor import look_torch
from etpicker_plugin.engine.doctor.gpu import LEAST_LIKENESS
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.model.pretrained import begin_from_pretrained

CPU = torch.device("cpu")


@pytest.fixture
def network(monkeypatch):
    monkeypatch.setattr(look_torch, "SIDE", 32)
    network = make_network("fast", 1).eval()
    begin_from_pretrained(network)
    return network


def test_the_network_is_like_itself_and_garbage_is_not(network, monkeypatch):
    assert look_torch.likeness(network, CPU) > LEAST_LIKENESS

    predict, calls = look_torch.predict_logits, []

    def upside_down(*words):
        calls.append(words)
        logits = predict(*words)
        return logits.flip(1) if len(calls) == 2 else logits

    monkeypatch.setattr(look_torch, "predict_logits", upside_down)
    assert look_torch.likeness(network, CPU) < LEAST_LIKENESS


def test_the_speed_is_voxels_by_the_best_time(network, monkeypatch):
    now = iter([0.0, 0.0, 0.5, 0.6, 1.0, 1.25, 1.3, 2.0, 2.5, 2.6])
    monkeypatch.setattr(look_torch.time, "perf_counter", lambda: next(now))

    assert look_torch.speed(network, CPU, side=16) == pytest.approx(16**3 / 0.25 / 1e6)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_torch_that_finds_no_gpu_tells_why(monkeypatch):
    monkeypatch.setattr(look_torch, "SIDE", 16)
    monkeypatch.setattr(look_torch, "built_for", lambda: "CUDA 13.0")

    told = dict(ChainMap(*look_torch.look()))

    assert told["built_for"] == "CUDA 13.0"
    assert told["speed"] > 0
    assert told["gpu_fault"]
    assert "gpus" not in told
