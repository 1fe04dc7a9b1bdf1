"""Picking with the published network the way its authors' program runs it.

Written anew from what that program does (Liu et al. 2024): the whole volume in memory
with 12 zeros around it, blocks of 72 voxels every 48, float32 in the contiguous layout,
maxima of each block alone by repeated mean pooling, a loop over the peaks, and a
de-duplication that compares every peak with every other. One class, and nothing but
this process's own cores.
"""

import time
from itertools import product
from pathlib import Path

import mrcfile
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

BLOCK, STRIDE, PADDING = 72, 48, 12
BATCH = 8
PARTICLE_DIAMETER = 23
POOL = 5
POOLINGS = int(PARTICLE_DIAMETER / (POOL - 1) + 1)
LOWEST_PROBABILITY, LOWEST_POOLED = 0.5, 0.1
PICKED_SHARE = 0.002
"""Share of voxels that the untrained network is made to find probable."""


def block_starts(length: int) -> list[int]:
    """Return where blocks begin along an axis (padded); the last one is flush."""
    padded = max(length + 2 * PADDING, BLOCK)
    starts = list(range(0, padded - BLOCK, STRIDE))
    return [*starts, padded - BLOCK]


def all_blocks(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the corners of all blocks of a volume, in the padded volume."""
    return list(product(*(block_starts(n) for n in shape)))


def maxima(probability: Tensor) -> tuple[Tensor, Tensor]:
    """Return a block's maxima, ``(B, 1, z, y, x)`` true or false, and pooled values."""
    pooled = (probability > LOWEST_PROBABILITY).float()
    for _ in range(POOLINGS):
        pooled = nn.functional.avg_pool3d(pooled, POOL, stride=1, padding=POOL // 2)
    highest = nn.functional.max_pool3d(pooled, POOL, stride=1, padding=POOL // 2)
    return (pooled == highest) & (pooled > LOWEST_POOLED), pooled


def collect(
    found: Tensor, pooled: Tensor, corners: list[tuple[int, ...]]
) -> list[tuple[float, ...]]:
    """Return ``(z, y, x, value)`` of the maxima in the middle of their blocks."""
    rows = []
    for number, _, z, y, x in torch.nonzero(found).tolist():
        inside = all(PADDING <= v <= BLOCK - PADDING for v in (z, y, x))
        if inside:
            place = [
                v + c - PADDING for v, c in zip((z, y, x), corners[number], strict=True)
            ]
            rows.append((*place, float(pooled[number, 0, z, y, x])))
    return rows


def remove_duplicates(
    positions: NDArray[np.float64], values: NDArray[np.float64], *, radius: float
) -> list[int]:
    """Return which peaks stay: of any nearer than ``radius``, that of most value."""
    kept: list[int] = []
    dropped: list[int] = []
    for i in range(len(positions)):
        if i in dropped:
            continue
        distances = np.sqrt(((positions - positions[i]) ** 2).sum(axis=1))
        near = np.flatnonzero(distances < radius)
        best = int(near[np.argmax(values[near])])
        dropped.extend(int(n) for n in near if n != best)
        if best == i:
            kept.append(i)
    return kept


def calibrate(network: nn.Module, block: Tensor) -> None:
    """Move the head's bias so that an untrained network finds few voxels probable."""
    with torch.inference_mode():
        logits = network(block)
    network.head.bias -= torch.quantile(logits.flatten()[::7], 1 - PICKED_SHARE)


def pick(path: Path, network: nn.Module, *, most_blocks: int) -> dict:
    """Pick a tomogram, or its first blocks; return the seconds of each part."""
    began = time.perf_counter()
    with mrcfile.open(path) as mrc:
        data = mrc.data.astype(np.float32)
    data = (data - data.mean()) / data.std()
    volume = np.pad(data, PADDING)
    labels = np.zeros_like(volume)  # the authors' program carries them along
    blocks = all_blocks(data.shape)
    todo = blocks[:most_blocks]
    seconds = {"reading": time.perf_counter() - began, "network": 0.0, "nms": 0.0}
    began, cpu = time.perf_counter(), time.process_time()
    calibrate(network, torch.from_numpy(_cut(volume, blocks[0]))[None, None])
    not_counted = time.perf_counter() - began
    not_counted_cpu = time.process_time() - cpu
    cpu = time.process_time()
    rows: list[tuple[float, ...]] = []
    for first in range(0, len(todo), BATCH):
        corners = todo[first : first + BATCH]
        began = time.perf_counter()
        batch = torch.from_numpy(np.stack([_cut(volume, c) for c in corners]))[:, None]
        _ = np.stack([_cut(labels, c) for c in corners])
        read = time.perf_counter()
        with torch.inference_mode():
            probability = torch.sigmoid(network(batch))
        seen = time.perf_counter()
        rows += collect(*maxima(probability), corners)
        seconds["reading"] += read - began
        seconds["network"] += seen - read
        seconds["nms"] += time.perf_counter() - seen
    began = time.perf_counter()
    table = np.array(rows, float).reshape(-1, 4)
    radius = PARTICLE_DIAMETER // 2 + 1
    kept = remove_duplicates(table[:, :3], table[:, 3], radius=radius)
    seconds["de-duplication"] = time.perf_counter() - began
    return {
        "seconds": seconds,
        "not_counted_s": not_counted,
        "not_counted_cpu_s": not_counted_cpu,
        "blocks_cpu_s": time.process_time() - cpu,
        "blocks": len(blocks),
        "blocks_done": len(todo),
        "peaks": len(rows),
        "picks": len(kept),
    }


def _cut(volume: NDArray[np.float32], corner: tuple[int, ...]) -> NDArray[np.float32]:
    return volume[tuple(slice(c, c + BLOCK) for c in corner)]
