"""From one alignment to the numbers of every set."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.verdict.alignment.averages import average_subsets
from etpicker_plugin.engine.verdict.alignment.joint import BOXES, JointRun
from etpicker_plugin.engine.verdict.alignment.likelihood import soft_sphere
from etpicker_plugin.engine.verdict.alignment.results import AlignedBoxes
from etpicker_plugin.engine.verdict.measures.fsc import (
    GOLD_STANDARD,
    HALF,
    fsc_curve,
    resolution_at,
)
from etpicker_plugin.engine.verdict.measures.rosenthal import BFactorFit, fit_b_factor
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.cutting import read_box
from etpicker_plugin.engine.verdict.places.subsets import (
    Subset,
    draw_subsets,
    even_size,
    growing_sizes,
    halves_of,
)

IndexArray = NDArray[np.intp]

MASK_EDGE_VOX = 3.0


@dataclass(frozen=True, kw_only=True)
class Average:
    """A set's map and what its halves agree on.

    Attributes
    ----------
    volume
        ``(B, B, B)``.
    halves
        Both half maps.
    curve
        Shell correlation.
    resolution_ang, resolution_half_ang
        At 0.143 and 0.5; ``None`` where there is none.
    """

    n: int
    volume: NDArray[np.float32]
    halves: tuple[NDArray[np.float32], NDArray[np.float32]]
    curve: FloatArray
    resolution_ang: float | None
    resolution_half_ang: float | None


@dataclass(frozen=True, kw_only=True)
class SubsetResolution:
    """The resolution of one draw of one size."""

    set_name: str
    seed: int
    n: int
    resolution_ang: float | None


def make_averages(
    run: JointRun,
    candidates: Candidates,
    boxes: AlignedBoxes,
    groups: Mapping[str, IndexArray],
    *,
    wedge: NDArray[np.float32],
    seeds: int,
    seed: int,
) -> tuple[dict[str, Average], int, list[SubsetResolution]]:
    """Return the average of each group, the matched number, and all subsets'.

    ``groups`` holds sets, control, and other groups of rows; subsets are drawn of the
    sets and the control only.

    Parameters
    ----------
    groups
        Per group: ``(N,)`` rows of the candidates.
    wedge
        ``(B, B, B)``, zero frequency in the middle.
    """
    half = candidates.half
    matched_n = min(even_size(rows, half) for rows in candidates.rows.values())
    subsets: list[Subset] = []
    for name, rows in candidates.rows.items():
        sizes = growing_sizes(even_size(rows, half))
        if sizes:
            sizes = sorted({*sizes, matched_n})
        subsets += draw_subsets(name, rows, half, sizes=sizes, seeds=seeds, seed=seed)
    whole = [halves_of(rows, half) for rows in groups.values()]
    parts = [*whole, *((s.first, s.second) for s in subsets)]
    maps = average_subsets(
        (read_box(run.folder / BOXES, row) for row in range(len(candidates))),
        list(boxes.matrices),
        boxes.origins_vox,
        _membership(parts, len(candidates)),
        wedge=wedge,
    )
    averages = {
        name: _average(maps[2 * i], maps[2 * i + 1], run, whole[i])
        for i, name in enumerate(groups)
    }
    first = 2 * len(groups)
    resolutions = [
        SubsetResolution(
            set_name=s.set_name,
            seed=s.seed,
            n=s.n,
            resolution_ang=_resolutions(
                maps[first + 2 * i], maps[first + 2 * i + 1], run
            )[1],
        )
        for i, s in enumerate(subsets)
    ]
    return averages, matched_n if matched_n >= 8 else 0, resolutions


def _membership(
    parts: list[tuple[IndexArray, IndexArray]], count: int
) -> NDArray[np.bool_]:
    table = np.zeros((2 * len(parts), count), dtype=bool)
    for number, (first, second) in enumerate(parts):
        table[2 * number, first] = True
        table[2 * number + 1, second] = True
    return table


def _resolutions(
    first: NDArray[np.float32], second: NDArray[np.float32], run: JointRun
) -> tuple[FloatArray, float | None, float | None]:
    geometry = run.geometry
    mask = soft_sphere(
        geometry.box, radius_vox=geometry.radius_vox, edge_vox=MASK_EDGE_VOX
    )
    curve = fsc_curve(first, second, mask=mask)
    return (
        curve,
        resolution_at(curve, GOLD_STANDARD, box_ang=geometry.box_ang),
        resolution_at(curve, HALF, box_ang=geometry.box_ang),
    )


def _average(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    run: JointRun,
    rows: tuple[IndexArray, IndexArray],
) -> Average:
    curve, fine, coarse = _resolutions(first, second, run)
    counts = [len(part) for part in rows]
    total = max(sum(counts), 1)
    return Average(
        n=sum(counts),
        volume=(first * counts[0] + second * counts[1]) / np.float32(total),
        halves=(first, second),
        curve=curve,
        resolution_ang=fine if min(counts) >= 4 else None,
        resolution_half_ang=coarse if min(counts) >= 4 else None,
    )


def split_by_set(
    resolutions: list[SubsetResolution], names: list[str], *, n: int | None = None
) -> dict[str, list[SubsetResolution]]:
    """Return the subsets of each set; of one size, if given."""
    return {
        name: [r for r in resolutions if r.set_name == name and (n is None or r.n == n)]
        for name in names
    }


def fit_growth(
    growth: Mapping[str, list[SubsetResolution]], *, resamples: int, seed: int
) -> dict[str, BFactorFit | None]:
    """Fit each set's Rosenthal-Henderson line."""
    return {
        name: fit_b_factor(
            [p.n for p in points],
            [p.resolution_ang for p in points],
            [p.seed for p in points],
            resamples=resamples,
            generator=np.random.default_rng(seed),
        )
        for name, points in growth.items()
    }
