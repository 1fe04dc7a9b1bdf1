"""Rates of the machine, and work of the networks: what picking takes at best."""

import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from etpicker_plugin.engine.device import choose_device
from etpicker_plugin.engine.model.network import make_network

EDGE = {"cpu": 4096, "cuda": 8192}
"""Of the matrices whose product measures the rate."""


def machine_and_networks(device_name: str = "cpu") -> dict:
    """Return a device's rates, and each network's work per input voxel."""
    device = choose_device(device_name)
    result: dict = {"networks": {}}
    for name, kind in (("bfloat16", torch.bfloat16), ("float32", torch.float32)):
        a = torch.randn(EDGE[device.type], EDGE[device.type], device=device).to(kind)
        seconds = _best(lambda a=a: a @ a, device)
        result[f"{name}_gflop_per_s"] = 2 * len(a) ** 3 / seconds / 1e9
    source = torch.randn(1 << 28, device=device)
    target = torch.empty_like(source)
    copied = 2 * source.numel() * source.itemsize
    seconds = _best(lambda: target.copy_(source), device)
    result["gbyte_per_s"] = copied / seconds / 1e9
    for name in ("fast", "deepetpicker"):
        result["networks"][name] = _work(make_network(name, 6).eval())
    return result


def finish(device: torch.device) -> None:
    """Wait until a GPU has done what it was given: it works behind the program."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _best(function: Callable[[], object], device: torch.device) -> float:
    times = []
    for _ in range(4):
        finish(device)
        began = time.perf_counter()
        function()
        finish(device)
        times.append(time.perf_counter() - began)
    return min(times)


def _work(network: torch.nn.Module) -> dict[str, float]:
    """Return floating-point operations, and bytes in and out of layers, per voxel."""
    edge = 96
    values = [0]

    def count(module: torch.nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        values[0] += inputs[0].numel() + output.numel()

    hooks = [
        m.register_forward_hook(count)
        for m in network.modules()
        if isinstance(m, torch.nn.Conv3d | torch.nn.ConvTranspose3d)
    ]
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 1, edge, edge, edge))
    for hook in hooks:
        hook.remove()
    return {
        "kflop": counter.get_total_flops() / edge**3 / 1e3,
        "bytes_bfloat16": 2 * values[0] / edge**3,
    }
