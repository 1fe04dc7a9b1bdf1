"""Running the default network, on the CPU and on a GPU; run by ``child.ask``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor

from etpicker_plugin.engine.device import (
    choose_device,
    has_fast_bfloat16,
    is_out_of_memory,
)
from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.model.inference import for_inference, predict_logits
from etpicker_plugin.engine.model.network import Network, make_network
from etpicker_plugin.engine.model.pretrained import begin_from_pretrained

SIDE = 96
SIDE_ON_GPU = 192
"""Voxels along each side of the cube; fewer do not keep a GPU busy."""
MEASURE_S = 1.5
MOST_RUNS = 10


def look() -> Iterator[dict[str, Any]]:
    """Yield what torch is, what it finds of GPUs, and how fast the network runs."""
    yield {"version": torch.__version__, "built_for": built_for()}
    cpu = choose_device("cpu")
    yield {"threads": torch.get_num_threads(), "bfloat16": has_fast_bfloat16(cpu)}
    network = cast(FastNetwork, make_network("fast", 1).eval())
    begin_from_pretrained(network)
    yield {"speed": speed(network, cpu, side=SIDE)}
    if built_for() == "the CPU":
        return
    try:
        torch.cuda.init()
        yield {"gpus": [describe(n) for n in range(torch.cuda.device_count())]}
    except Exception as error:  # noqa: BLE001  torch raises RuntimeError and others.
        yield {"gpu_fault": str(error)}
        return
    try:
        gpu = torch.device("cuda")
        yield {"gpu_bfloat16": has_fast_bfloat16(gpu)}
        yield {"likeness": likeness(network, gpu)}
        yield {"gpu_speed": speed(network, gpu, side=SIDE_ON_GPU)}
    except Exception as error:  # noqa: BLE001  The same.
        yield {"run_fault": str(error), "full": is_out_of_memory(error)}


def built_for() -> str:
    """Return what torch computes on besides the CPU: ``CUDA 12.8``, say."""
    if torch.version.hip:
        return f"ROCm {torch.version.hip}"
    return f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU"


def describe(number: int) -> dict[str, Any]:
    """Return a GPU's name, what it can, and its memory in bytes."""
    found = torch.cuda.get_device_properties(number)
    free, total = torch.cuda.mem_get_info(number)
    return {
        "name": found.name,
        "capability": f"{found.major}.{found.minor}",
        "free": free,
        "total": total,
    }


def noise(side: int) -> Tensor:
    """Return a cube of noise, the same each time."""
    return torch.randn((side,) * 3, generator=torch.Generator().manual_seed(1))


def speed(network: Network, device: torch.device, *, side: int) -> float:
    """Return how many million voxels the network does in a second, at its best."""
    ready = for_inference(network, device=device)
    volume = noise(side).to(device)
    predict_logits(ready, volume).cpu()  # The first time kernels are chosen.
    best, begin = float("inf"), time.perf_counter()
    for _ in range(MOST_RUNS):
        start = time.perf_counter()
        predict_logits(ready, volume).cpu()  # To copy them back is to wait for them.
        best = min(best, time.perf_counter() - start)
        if time.perf_counter() - begin > MEASURE_S:
            break
    return side**3 / best / 1e6


def likeness(network: Network, device: torch.device) -> float:
    """Return how alike the network's logits are on a device and on the CPU.

    Returns
    -------
    float
        Their correlation: 0.999 where the device rounds to bfloat16.
    """
    volume = noise(SIDE)
    here = predict_logits(for_inference(network, "float32"), volume)
    there = predict_logits(for_inference(network, device=device), volume.to(device))
    both = torch.stack([here.flatten(), there.cpu().flatten()])
    return float(torch.corrcoef(both)[0, 1])
