"""Answers that neither of two models has seen, and what each says of them.

Which answers are held out follows from where they lie, and so is the same each time:
what a model was trained on is never what a later one is judged by.
"""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.live.requests import Marks, Solve
from etpicker_plugin.engine.negative import NEGATIVE

ONE_OF = 4
"""Answers, one is held out."""

FEWEST_PARTICLES, FEWEST_REJECTED = 4, 2
"""Held out; of fewer nothing can be told. Without rejected places, a model that finds
something everywhere would be the best."""

CLEARLY = 2
"""Right answers more than the other's: one more may well be chance."""

BETTER, NOT_BETTER, TOO_FEW = "better", "not better", "too few"

Candidates = dict[str, dict[str, FloatArray]]
"""Tomogram -> class -> ``(N, 3)`` zyx in voxels of the tomogram, above its cut-off."""


@dataclass(frozen=True)
class Count:
    """So many held-out particles, and rejected places."""

    particles: int
    rejected: int


def hold_out(request: Solve) -> tuple[Solve, Marks]:
    """Return a question without what is held out of it, and what that is.

    A class all of whose clicks would be held out keeps them: it could not be learnt.
    """
    chosen = {
        (tomogram, name): _are_held_out(tomogram, places)
        for tomogram, of in request.marks.items()
        for name, places in of.items()
    }
    for name in request.diameters:
        own = [which for (_, of), which in chosen.items() if of == name]
        if all(which.all() for which in own):
            for which in own:
                which[:] = False
    kept: Marks = {}
    held: Marks = {}
    for (tomogram, name), which in chosen.items():
        places = request.marks[tomogram][name]
        kept.setdefault(tomogram, {})[name] = places[~which]
        if which.any():
            held.setdefault(tomogram, {})[name] = places[which]
    return replace(request, marks=kept), held


def _are_held_out(tomogram: str, places_zyx: FloatArray) -> NDArray[np.bool_]:
    """Tell which places, ``(N,)``: one of four, as if drawn by chance."""
    digests = (
        hashlib.sha256(f"{tomogram} {z:.2f} {y:.2f} {x:.2f}".encode()).digest()
        for z, y, x in places_zyx
    )
    return np.array([digest[0] % ONE_OF == 0 for digest in digests], dtype=bool)


def count_all(held: Marks) -> Count:
    """Return how many there are."""
    counts = [(name, len(found)) for of in held.values() for name, found in of.items()]
    return Count(
        particles=sum(count for name, count in counts if name != NEGATIVE),
        rejected=sum(count for name, count in counts if name == NEGATIVE),
    )


def count_found(
    held: Marks, candidates: Candidates, reach: dict[str, dict[str, float]]
) -> Count:
    """Return how many of them a model takes for particles.

    A held-out particle is found by a candidate of its class, a rejected place by one
    of any.

    Parameters
    ----------
    reach
        Tomogram -> class -> how far from a candidate a place may lie, voxels.
    """
    particles = rejected = 0
    for tomogram, of in held.items():
        for name, places in of.items():
            found = np.zeros(len(places), dtype=bool)
            for own, centres in candidates[tomogram].items():
                if name in (own, NEGATIVE) and len(centres):
                    distances, _ = cKDTree(centres).query(places)
                    found |= distances <= reach[tomogram][own]
            if name == NEGATIVE:
                rejected += int(found.sum())
            else:
                particles += int(found.sum())
    return Count(particles, rejected)


def judge(refined: Count, live: Count, of: Count) -> str:
    """Return whether the refined model is better, or whether that cannot be told.

    A particle that is found is a right answer, and so is a rejected place that is not.
    """
    if of.particles < FEWEST_PARTICLES or of.rejected < FEWEST_REJECTED:
        return TOO_FEW
    gained = refined.particles - live.particles + live.rejected - refined.rejected
    return BETTER if gained >= CLEARLY else NOT_BETTER
