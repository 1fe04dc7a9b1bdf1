"""From ridge points to chains of them: point by point along each filament.

A chain starts at the surest point that no other has, and goes both ways: straight on,
as far as the filament may bend. At a crossing that is the other side's point with the
least turn; where points are missing, the nearest one ahead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.filaments.curve import path_lengths
from etpicker_plugin.engine.filaments.ridge_points import (
    ALIGNED,
    RidgePoints,
    count_alike,
    with_mean_directions,
)
from etpicker_plugin.engine.filaments.settings import TraceSettings

NEAR = 5.0
"""Spacings: what is further off lies behind a gap. Where a filament is faint not every
place of it is a point, and directions scatter: within less they do not tell its own."""

SIDEWAYS = 0.18
"""Of the way ahead: how far aside the next point may lie, beside a spacing; 10°."""

TURN = np.radians(30.0)
"""How much the direction of the next point may differ, beside the filament's bend."""

FEWEST_ALIKE = 2
"""Neighbours of a point that a chain starts at, or reaches through a gap."""

FEWEST_FOR_WAY = 4
"""Points whose way from one to the next tells a direction, beside their own."""

MOST_IN_GAPS = 0.6
"""Of a chain's length."""

IndexArray = NDArray[np.intp]


def find_chains(
    points: RidgePoints, settings: TraceSettings, *, seed_score: float
) -> tuple[RidgePoints, list[IndexArray]]:
    """Return the points with smoother directions, and the chains among them.

    Parameters
    ----------
    seed_score
        Of the point that a chain starts from, at the least; the others have any.

    Returns
    -------
    list of arrays
        Indices into the points, in order along each filament, two or more.
    """
    if len(points) == 0:
        return points, []
    near = NEAR * settings.spacing
    points = with_mean_directions(points, max(settings.width / 2, near))
    sure = count_alike(points, near) >= FEWEST_ALIKE
    free = np.ones(len(points), dtype=bool)
    chains = []
    for seed in np.flatnonzero(sure & (points.scores >= seed_score)):
        if not free[seed]:
            continue
        chain = _both_ways(points, int(seed), free, sure, settings)
        pieces = _held(points, chain, settings)
        free[seed] = False
        for piece in pieces:
            free[piece] = free[_beside(points, piece, settings)] = False
        chains += pieces
    return points, chains


def _both_ways(
    points: RidgePoints,
    seed: int,
    free: NDArray[np.bool_],
    sure: NDArray[np.bool_],
    settings: TraceSettings,
) -> IndexArray:
    open_ones = free.copy()
    open_ones[seed] = False
    chain = [seed]
    for sign in (1, -1):
        heading = _heading(points, chain, settings)
        if len(chain) == 1:
            heading = heading * sign
        while True:
            found = _next(points, chain[-1], heading, open_ones, sure, settings)
            if found is None:
                break
            chain.append(found)
            open_ones[found] = False
            heading = _heading(points, chain, settings)
        chain.reverse()
    return np.array(chain)


def _heading(
    points: RidgePoints, chain: list[int], settings: TraceSettings
) -> FloatArray:
    """Return where a chain goes at its end, from its last points within a width."""
    reach = max(settings.width, 2 * NEAR * settings.spacing)
    last = np.array(chain[-max(2, int(2 * reach / settings.spacing)) :])
    offsets = points.positions[last] - points.positions[last[-1]]
    last = last[np.linalg.norm(offsets, axis=1) <= reach]
    if len(last) == 1 and len(chain) > 1:
        last = np.array(chain[-2:])  # through a gap
    if len(last) == 1:
        return points.directions[last[0]]
    places, directions = points.positions[last], points.directions[last]
    half = len(places) // 2
    way = places[-half:].mean(axis=0) - places[:half].mean(axis=0)
    signs = np.where(directions @ way < 0, -1.0, 1.0)
    mean = (directions * signs[:, None]).sum(axis=0)
    heading = mean / np.linalg.norm(mean)
    if len(places) >= FEWEST_FOR_WAY:
        heading = heading + way / np.linalg.norm(way)
    return np.asarray(heading / np.linalg.norm(heading))


def _next(
    points: RidgePoints,
    here: int,
    heading: FloatArray,
    free: NDArray[np.bool_],
    sure: NDArray[np.bool_],
    settings: TraceSettings,
) -> int | None:
    """Return the point that goes on straightest; through a gap, only a sure one."""
    near = NEAR * settings.spacing
    for reach, allowed in ((near, free), (settings.gap, free & sure)):
        found = points.near(points.positions[here], reach)
        found = found[allowed[found]]
        if reach > near:
            found = found[_on_one_arc(points, here, heading, found, settings)]
        best = _straightest(points, here, heading, found, settings)
        if best is not None:
            return best
    return None


def _on_one_arc(
    points: RidgePoints,
    here: int,
    heading: FloatArray,
    found: IndexArray,
    settings: TraceSettings,
) -> NDArray[np.bool_]:
    """Tell which points' directions are those of the arc that leads to them.

    An arc that leaves with a heading arrives with its mirror image across the chord.
    A filament that ends before another does not go over into it.
    """
    ways = points.positions[found] - points.positions[here]
    chords = ways / np.maximum(np.linalg.norm(ways, axis=1), 1e-12)[:, None]
    arriving = 2 * (chords @ heading)[:, None] * chords - heading
    cosines = np.abs(np.sum(points.directions[found] * arriving, axis=1))
    return np.asarray(cosines >= np.cos(settings.turn_in_gap))


def _straightest(
    points: RidgePoints,
    here: int,
    heading: FloatArray,
    found: IndexArray,
    settings: TraceSettings,
) -> int | None:
    ways = points.positions[found] - points.positions[here]
    ahead = ways @ heading
    aside = np.linalg.norm(ways - ahead[:, None] * heading, axis=1)
    cosines = np.abs(points.directions[found] @ heading)
    turns = np.arccos(np.clip(cosines, 0.0, 1.0))
    bend = ahead / settings.min_radius
    may = (
        (ahead >= settings.spacing / 2)
        & (aside <= settings.spacing + (SIDEWAYS + bend / 2) * ahead)
        & (turns <= TURN + bend)
    )
    if not may.any():
        return None
    costs = ahead + 2 * aside + 2 * settings.spacing * turns / TURN
    costs[~may] = np.inf
    return int(found[np.argmin(costs)])


def _held(
    points: RidgePoints, chain: IndexArray, settings: TraceSettings
) -> list[IndexArray]:
    """Return the pieces of a chain that are long enough, and mostly no gaps.

    One that is gaps for the most part is cut at the longest, and so on.
    """
    if len(chain) < 2:
        return []
    steps = np.diff(path_lengths(points.positions[chain]))
    length = steps.sum()
    if length < settings.min_length:
        return []
    if steps[steps > NEAR * settings.spacing].sum() <= MOST_IN_GAPS * length:
        return [chain]
    cut = int(np.argmax(steps)) + 1
    halves = (chain[:cut], chain[cut:])
    return [piece for half in halves for piece in _held(points, half, settings)]


def _beside(
    points: RidgePoints, chain: IndexArray, settings: TraceSettings
) -> IndexArray:
    """Return the points of like direction within half a width of a chain."""
    found = points.tree.query_ball_point(points.positions[chain], settings.width / 2)
    owners = np.repeat(chain, [len(f) for f in found])
    others = np.concatenate([np.asarray(f, dtype=np.intp) for f in found])
    cosines = np.sum(points.directions[owners] * points.directions[others], axis=1)
    return np.unique(others[np.abs(cosines) >= ALIGNED])
