"""Every set's distance from the others and from the density, and what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.comparison.offsets import (
    ALARM_VOX,
    AXES,
    LEAST_PAIRS,
    Offset,
)
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.verdict.origins.compose import (
    Drawn,
    compose,
    consistent,
    density_offsets,
    draw_particles,
    error_of,
    pair_distances,
)
from etpicker_plugin.engine.verdict.origins.distances import Pairs, pair_up
from etpicker_plugin.engine.verdict.places.candidates import Candidates

RESAMPLES = 300
CHANCE = 6.3e-5
"""Of an alarm on one axis by luck, that of 4 standard errors: every report has three
axes of every set. Few particles do not know their own errors and need more."""
SYSTEMATIC_VOX = 0.1
"""By which a density's centre may be off for all sets alike, tomogram voxels: sampling,
and the faces of thin tomograms."""


@dataclass(frozen=True, kw_only=True)
class Origins:
    """Where sets place the particles, in tomogram voxels.

    Attributes
    ----------
    offsets
        Per set: pick minus the centre of the density.
    distances
        Per pair of sets with particles in common: second minus first.
    """

    offsets: dict[str, Offset]
    distances: dict[tuple[str, str], Offset]

    def agrees(self, name: str) -> bool:
        """Tell whether a set surely lies at the centre: an alarm would have shown."""
        offset = self.offsets[name]
        return all(
            abs(mean) < ALARM_VOX and 2 * error < ALARM_VOX
            for mean, error in zip(
                offset.mean_xyz, offset.standard_error_xyz, strict=True
            )
        )

    def distance(self, first: str, second: str) -> Offset | None:
        """Return how far the second lies from the first, if they share particles."""
        back = self.distances.get((second, first))
        return self.distances.get((first, second), back and back.reversed())

    def witness(self, name: str) -> tuple[str, Offset] | None:
        """Return the set at the centre that another's distance is best known from."""
        known = [
            (other, distance)
            for other in self.offsets
            if other != name
            and self.agrees(other)
            and (distance := self.distance(other, name)) is not None
            and distance.n >= LEAST_PAIRS
        ]
        return min(known, key=lambda w: max(w[1].standard_error_xyz), default=None)

    def alarming_axes(self, name: str) -> tuple[str, ...]:
        """Return the axes along which a set is surely off the centre.

        By its own offset, or by its distance from a set that lies at the centre.
        """
        axes = set(self.offsets[name].alarming_axes)
        witness = self.witness(name)
        if witness and not self.agrees(name):
            axes |= set(witness[1].alarming_axes)
        return tuple(axis for axis in AXES if axis in axes)

    def undecided(self) -> list[tuple[str, str]]:
        """Return the pairs that surely lie apart while neither is surely wrong.

        Two sets that both lie at the centre only share a few misplaced picks.
        """
        return [
            pair
            for pair, distance in self.distances.items()
            if distance.is_alarming
            and not any(map(self.alarming_axes, pair))
            and not all(map(self.agrees, pair))
        ]


def find_origins(
    sets: PickSets,
    members: dict[str, IndexArray],
    candidates: Candidates,
    maps: Mapping[int, NDArray[np.float32]],
    *,
    scale: float,
    max_distance_vox: float,
    seed: int,
) -> Origins:
    """Return how far all sets lie from one another and from the centre.

    Parameters
    ----------
    maps
        ``(K, K, K)`` by candidate: its correlation (see ``correlation_maps``).
    scale
        Voxel size of these maps over the tomograms'.
    max_distance_vox
        Of two picks of one particle, tomogram voxels.
    """
    count = sum(len(table) for table in members.values())
    draws = draw_particles(count, RESAMPLES, np.random.default_rng(seed))
    pairs = pair_all(sets, members, max_distance_vox=max_distance_vox)
    distances = {
        names: pair_distances(found, draws[:, found.particles])
        for names, found in pairs.items()
    }
    return Origins(
        offsets=_composed(
            sets.names,
            candidates,
            maps,
            draws,
            {n: d for n, d in distances.items() if len(pairs[n]) >= LEAST_PAIRS},
            scale=scale,
        ),
        distances={
            names: summarise(drawn, n=len(pairs[names]), floors_zyx=np.zeros(3))
            for names, drawn in distances.items()
        },
    )


def _composed(
    names: tuple[str, ...],
    candidates: Candidates,
    maps: Mapping[int, NDArray[np.float32]],
    draws: FloatArray,
    distances: dict[tuple[str, str], Drawn],
    *,
    scale: float,
) -> dict[str, Offset]:
    """Return every set's offset from the centre by all that is known of it."""
    own, floors = {}, {}
    for name in names:
        rows = candidates.rows[name]
        weights = draws[:, candidates.particles[rows]]
        stack = np.stack([maps[row] for row in rows.tolist()])
        own[name] = density_offsets(stack, weights, scale=scale)
        reach_vox = scale * (stack.shape[-1] // 2)
        # A density that is highest at the edge of what was looked at was not found.
        found = (np.abs(own[name][0]) < reach_vox - 1e-6).all()
        floors[name] = SYSTEMATIC_VOX if found else reach_vox
    used = consistent(own, distances, floors_vox=floors)
    composed = compose(own, used, floors_vox=floors)
    return {
        name: summarise(
            drawn,
            n=len(candidates.rows[name]),
            floors_zyx=np.maximum(uncertain, SYSTEMATIC_VOX),
        )
        for name, (drawn, uncertain) in composed.items()
    }


def pair_all(
    sets: PickSets, members: dict[str, IndexArray], *, max_distance_vox: float
) -> dict[tuple[str, str], Pairs]:
    """Return the pairs of every two sets whose mean has an error: two at least."""
    found = {
        (a, b): pair_up(sets, members, a, b, max_distance_vox=max_distance_vox)
        for a, b in combinations(sets.names, 2)
    }
    return {names: pairs for names, pairs in found.items() if len(pairs) >= 2}


def summarise(drawn: Drawn, *, n: int, floors_zyx: FloatArray) -> Offset:
    """Return an offset of ``n`` particles, its error, and how sure an alarm must be."""
    errors = np.hypot(error_of(drawn), floors_zyx)
    return Offset(
        n=n,
        mean_xyz=tuple(float(v) for v in drawn[0][::-1]),
        standard_error_xyz=tuple(float(v) for v in errors[::-1]),
        alarm_sigma=float(stats.t.isf(CHANCE / 2, max(n - 1, 1))),
    )
