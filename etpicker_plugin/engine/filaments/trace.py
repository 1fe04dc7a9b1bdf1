"""From ridge points to filaments: chains of points, and the smooth curve of each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.filaments.chains import find_chains
from etpicker_plugin.engine.filaments.curve import Curve, equidistant, smooth_curve
from etpicker_plugin.engine.filaments.joining import join_across
from etpicker_plugin.engine.filaments.ridge_points import make_ridge_points
from etpicker_plugin.engine.filaments.settings import TURN_IN_FLAT_GAP, TraceSettings

FEWEST_POINTS = 4


@dataclass(frozen=True)
class TracedFilament:
    """A curve, and ``(N, 3)`` and ``(N,)`` the ridge points it follows, in order."""

    curve: Curve
    places: FloatArray
    place_scores: FloatArray

    def scores(self, at_zyx: FloatArray, width: float) -> FloatArray:
        """Return ``(M,)``: the mean score of the ridge points about half a width off.

        Where there is none so near, it is that of the nearest ones.
        """
        squares = ((at_zyx[:, None] - self.places[None]) ** 2).sum(axis=2)
        squares -= squares.min(axis=1, keepdims=True)
        weights = np.exp(-squares / (2 * (width / 2) ** 2))
        return np.asarray(weights @ self.place_scores / weights.sum(axis=1))


def trace(
    positions_zyx: FloatArray,
    directions_zyx: FloatArray,
    scores: FloatArray,
    settings: TraceSettings,
    *,
    seed_score: float,
    is_flat: bool = False,
) -> list[TracedFilament]:
    """Return the filaments among ridge points of one class, the surest first.

    Parameters
    ----------
    positions_zyx, directions_zyx
        ``(N, 3)`` voxels and unit vectors of either sign, in any order.
    scores
        ``(N,)``, down to the lowest that a filament is followed through.
    seed_score
        That each filament has to reach somewhere.
    is_flat
        Whether they lie in a plane, where many filaments cross.
    """
    if is_flat:
        settings = replace(settings, turn_in_gap=TURN_IN_FLAT_GAP)
    points = make_ridge_points(positions_zyx, directions_zyx, scores)
    points, chains = find_chains(points, settings, seed_score=seed_score)
    made = [
        filament
        for chain in chains
        for filament in _filaments(
            points.positions[chain], points.scores[chain], settings
        )
        if filament.place_scores.max() >= seed_score
    ]
    if is_flat:
        pieces = join_across([(f.places, f.place_scores) for f in made], settings)
        made = [f for piece in pieces for f in _filaments(*piece, settings)]
    return sorted(made, key=_surest_first)


def _surest_first(filament: TracedFilament) -> tuple[float, ...]:
    """Return what to sort by: mean score times length, then the place."""
    total = float(filament.place_scores.mean()) * filament.curve.length
    return (-total, *filament.places[0].tolist())


def _filaments(
    places: FloatArray, scores: FloatArray, settings: TraceSettings
) -> list[TracedFilament]:
    """Return the curves of a chain: one, or more where it bends too much."""
    if len(places) < FEWEST_POINTS:
        return []
    way = places[-1] - places[0]
    if way[np.abs(way).argmax()] < 0:  # one of the two ways, the same in each run
        places, scores = places[::-1], scores[::-1]
    curve = smooth_curve(places, stiffness=settings.stiffness)
    cut = _sharpest(curve, settings)
    if cut is None:
        filament = TracedFilament(curve, places, scores)
        return [filament] if curve.length >= settings.min_length else []
    nearest = int(np.argmin(np.linalg.norm(places - curve.points([cut]), axis=1)))
    nearest = min(max(nearest, 1), len(places) - 1)
    halves = (slice(None, nearest), slice(nearest, None))
    return [f for h in halves for f in _filaments(places[h], scores[h], settings)]


def _sharpest(curve: Curve, settings: TraceSettings) -> float | None:
    """Return the length at which a curve bends most, if it bends too much."""
    at = equidistant(curve.length, settings.spacing)
    tangents = curve.tangents(at)
    behind = max(1, min(len(at) - 1, round(settings.stiffness / settings.spacing)))
    cosines = np.sum(tangents[behind:] * tangents[:-behind], axis=1)
    worst = int(np.argmin(cosines))
    if cosines[worst] >= np.cos(settings.stiffness / settings.min_radius):
        return None
    within = slice(worst, worst + behind + 1)
    return float(at[within][np.argmax(curve.curvatures(at[within]))])
