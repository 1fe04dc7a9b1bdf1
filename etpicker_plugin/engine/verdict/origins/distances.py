"""How far one set's picks lie from another's, on the particles that both have.

No average and no alignment is asked, so this is as exact as the picks themselves.
"""

from dataclasses import dataclass

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.comparison.joining import NOT_PICKED, IndexArray
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.evaluation.matching import match_picks

ROUNDS = 10
FAR = 2.5
"""Median distances beyond which a pair is two particles. Of a normal scatter this
leaves out 1 in 2000."""
LEAST_FAR_VOX = 1.0


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """The particles that two sets both have.

    Attributes
    ----------
    particles
        ``(N,)``: numbers of the particles, over all tomograms.
    displacements_zyx
        ``(N, 3)`` voxels, second minus first.
    """

    particles: IndexArray
    displacements_zyx: FloatArray

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.particles)


def pair_up(
    sets: PickSets,
    members: dict[str, IndexArray],
    first: str,
    second: str,
    *,
    max_distance_vox: float,
) -> Pairs:
    """Pair two sets' picks as they lie after their distance is taken off.

    Pairs of sets that lie apart would else be cut off on one side by the largest
    distance, which makes them seem nearer than they are. ``members`` are those of
    ``join_all``; a pair has the number of the first set's particle.
    """
    shift, pairs = np.zeros(3), _no_pairs()
    for _ in range(ROUNDS):
        found = _pair_once(
            sets, members, first, second, shift, max_distance_vox=max_distance_vox
        )
        if not len(found):
            break
        pairs = without_strays(found)
        moved = pairs.displacements_zyx.mean(axis=0)
        if np.abs(moved - shift).max() < 1e-6:
            break
        shift = moved
    return pairs


def without_strays(pairs: Pairs) -> Pairs:
    """Leave out pairs far from the others: a pick that met another particle's."""
    middle = np.median(pairs.displacements_zyx, axis=0)
    distances = np.linalg.norm(pairs.displacements_zyx - middle, axis=1)
    near = distances <= max(FAR * float(np.median(distances)), LEAST_FAR_VOX)
    return Pairs(
        particles=pairs.particles[near], displacements_zyx=pairs.displacements_zyx[near]
    )


def _no_pairs() -> Pairs:
    return Pairs(
        particles=np.zeros(0, dtype=np.intp), displacements_zyx=np.zeros((0, 3))
    )


def _pair_once(
    sets: PickSets,
    members: dict[str, IndexArray],
    first: str,
    second: str,
    shift_zyx: FloatArray,
    *,
    max_distance_vox: float,
) -> Pairs:
    particles, displacements, before = [], [], 0
    column = sets.names.index(first)
    for t, table in members.items():
        here = sets.picks[first][t].positions_zyx.astype(float)
        there = sets.picks[second][t].positions_zyx.astype(float)
        match = match_picks(there - shift_zyx, here, max_distance=max_distance_vox)
        own, other = match.truth_indices, match.pick_indices
        particles.append(_particles_of(table[:, column], len(here))[own] + before)
        displacements.append(there[other] - here[own])
        before += len(table)
    return Pairs(
        particles=np.concatenate(particles),
        displacements_zyx=np.concatenate(displacements),
    )


def _particles_of(column: IndexArray, count: int) -> IndexArray:
    """Return ``(count,)``: the particle of each pick of a set in one tomogram."""
    found = np.full(count, NOT_PICKED, dtype=np.intp)
    has = np.flatnonzero(column != NOT_PICKED)
    found[column[has]] = has
    return found
