"""Maxima search and de-duplication alone, at 10³, 10⁴ and 10⁵ peaks.

    python benchmarks/nms.py OUT

Probability: soft balls, one in about 1000 output voxels, in slabs as picking has them.
De-duplication: peaks scattered so that about half are too near to a better one. The
pairwise way compares every peak with every other, as the published program does; it is
not run at 10⁵. Prints a table and writes OUT/nms.json.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import published_way
import torch

from etpicker_plugin.engine.device import available_cores
from etpicker_plugin.engine.picking.nms import (
    Peaks,
    find_peaks,
    mean_pool,
    remove_duplicates,
)

COUNTS = (1_000, 10_000, 100_000)
SLAB = (40, 250, 250)
SPACING = 10
DISTANCE = 10.0
KERNEL = 5


def seconds_of(function: Callable[[], object], *, repeats: int = 3) -> float:
    """Return the shortest of a few runs."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def soft_balls(generator: np.random.Generator) -> torch.Tensor:
    """Return a slab ``(1, z, y, x)`` with a ball in each cell of a grid."""
    image = torch.zeros(SLAB)
    cells = [np.arange(SPACING // 2, n, SPACING) for n in SLAB]
    places = np.stack(np.meshgrid(*cells, indexing="ij"), -1).reshape(-1, 3)
    places = places + generator.integers(-2, 3, places.shape)
    image[tuple(torch.from_numpy(places.T))] = 1.0
    blurred = mean_pool(image, 5)
    return (blurred / blurred.max())[None]


def scattered(count: int, generator: np.random.Generator) -> Peaks:
    """Return peaks of which about half have a better one within ``DISTANCE``."""
    edge = (count * DISTANCE**3 * 4.2) ** (1 / 3)
    return Peaks(
        positions_zyx=generator.uniform(0, edge, (count, 3)),
        scores=generator.uniform(0, 1, count),
        channels=np.zeros(count, np.intp),
    )


def measure(count: int) -> dict[str, float | int | None]:
    """Return the seconds at one number of peaks."""
    generator = np.random.default_rng(0)
    slab = soft_balls(generator)
    in_slab = len(find_peaks(slab, [KERNEL], min_score=0.05))
    search = seconds_of(lambda: find_peaks(slab, [KERNEL], min_score=0.05))
    peaks = scattered(count, generator)
    kept = len(remove_duplicates(peaks, [DISTANCE]))
    pairwise = None
    if count <= 10_000:
        pairwise = seconds_of(
            lambda: published_way.remove_duplicates(
                peaks.positions_zyx, peaks.scores, radius=DISTANCE
            ),
            repeats=1,
        )
    return {
        "peaks": count,
        "search_s": search * count / in_slab,
        "search_mvoxel_per_s": slab.numel() / search / 1e6,
        "kept": kept,
        "deduplication_s": seconds_of(lambda: remove_duplicates(peaks, [DISTANCE])),
        "pairwise_s": pairwise,
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(available_cores())
    rows = [measure(count) for count in COUNTS]
    (out / "nms.json").write_text(json.dumps(rows, indent=1))
    print(
        "| peaks | maxima search, s (Mvoxel/s) | de-duplication, s | kept "
        "| pairwise, s |"
    )
    print("|---|---|---|---|---|")
    for row in rows:
        pairwise = row["pairwise_s"]
        print(
            f"| {row['peaks']} | {row['search_s']:.3f} "
            f"({row['search_mvoxel_per_s']:.0f}) | {row['deduplication_s']:.3f} "
            f"| {row['kept']} | {'-' if pairwise is None else f'{pairwise:.2f}'} |"
        )


if __name__ == "__main__":
    main()
