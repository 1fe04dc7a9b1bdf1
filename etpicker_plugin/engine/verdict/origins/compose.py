"""Distances between sets and from the density, put together with all their errors.

Everything is worked out anew for draws of the particles with replacement. So scatter,
number, noise, neighbours and wrong picks are in the errors, and what sets share is in
the errors of both.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.verdict.origins.density import find_peak
from etpicker_plugin.engine.verdict.origins.distances import Pairs

Drawn = FloatArray
"""``(R + 1, 3)`` zyx tomogram voxels: as measured, then of every draw."""

EXACT_VOX = 0.01
"""No distance counts as surer than this: files hold so many decimals."""

CONTRADICTS = 4.0
"""Standard errors."""


def draw_particles(
    count: int, resamples: int, generator: np.random.Generator
) -> FloatArray:
    """Return ``(R + 1, P)``: how often each particle counts; once, then as drawn."""
    drawn = generator.multinomial(count, np.full(count, 1 / count), size=resamples)
    return np.concatenate([np.ones((1, count)), drawn.astype(float)])


def density_offsets(
    maps: NDArray[np.float32], weights: FloatArray, *, scale: float
) -> Drawn:
    """Return how far a set's picks lie from their density, pick minus density.

    Parameters
    ----------
    maps
        ``(N, K, K, K)`` (see ``correlation_maps``) of the set's boxes.
    weights
        ``(R + 1, N)``: how often each box counts.
    scale
        Box voxel size over the tomogram's.

    Returns
    -------
    ndarray
        ``(R + 1, 3)``; a draw that has none of the boxes keeps what was measured.
    """
    flat = maps.reshape(len(maps), -1)
    sums = weights.astype(np.float32) @ flat
    places = np.stack([find_peak(s.reshape(maps.shape[1:])) for s in sums])
    drawn = weights.any(axis=1)[:, None]
    return -scale * np.where(drawn, places, places[0])


def pair_distances(pairs: Pairs, weights: FloatArray) -> Drawn:
    """Return how far the second set lies from the first; ``weights`` are ``(R+1, N)``.

    A draw that has none of the pairs keeps what was measured.
    """
    counts = weights.sum(axis=1, keepdims=True)
    means = weights @ pairs.displacements_zyx / np.maximum(counts, 1.0)
    return np.where(counts > 0, means, means[0])


def error_of(drawn: Drawn) -> FloatArray:
    """Return ``(3,)``: the standard deviation over the draws."""
    return np.asarray(drawn[1:].std(axis=0))


def compose(
    own: Mapping[str, Drawn],
    distances: Mapping[tuple[str, str], Drawn],
    *,
    floors_vox: Mapping[str, float],
) -> dict[str, tuple[Drawn, FloatArray]]:
    """Return every set's offset that fits all measurements best, and a floor.

    Least squares, each measurement weighted by its error: sets that share particles
    keep their distance, and the place common to them is what their densities tell,
    the surest most.

    Parameters
    ----------
    own
        Of every set, pick minus density.
    distances
        Second minus first, of some pairs.
    floors_vox
        What each set's own offset is uncertain by beside what the draws show.

    Returns
    -------
    dict
        Per set: its offset, and ``(3,)`` what the floors make it uncertain by.
    """
    names = list(own)
    design = _design(names, list(distances))
    measured = np.stack([*own.values(), *distances.values()])
    floors = np.array([*(floors_vox[n] for n in names), *[EXACT_VOX] * len(distances)])
    errors = np.stack([error_of(drawn) for drawn in measured])
    weights = 1 / (errors**2 + floors[:, None] ** 2)
    found = np.empty((len(names), *measured.shape[1:]))
    uncertain = np.empty((len(names), 3))
    for axis in range(3):
        weighted = design.T * weights[:, axis]
        solution = np.linalg.solve(weighted @ design, weighted)
        found[..., axis] = solution @ measured[..., axis]
        uncertain[:, axis] = np.sqrt(solution**2 @ floors**2)
    return {name: (found[i], uncertain[i]) for i, name in enumerate(names)}


def consistent(
    own: Mapping[str, Drawn],
    distances: Mapping[tuple[str, str], Drawn],
    *,
    floors_vox: Mapping[str, float],
) -> dict[tuple[str, str], Drawn]:
    """Leave out distances that the sets' densities surely contradict.

    What two sets share may be the few picks that one of them misplaces; their distance
    is then not that of the sets.
    """
    kept = {}
    for (first, second), drawn in distances.items():
        apart = own[second] - own[first] - drawn
        floor = np.hypot(floors_vox[first], floors_vox[second])
        if (np.abs(apart[0]) <= CONTRADICTS * np.hypot(error_of(apart), floor)).all():
            kept[first, second] = drawn
    return kept


def _design(names: list[str], pairs: list[tuple[str, str]]) -> FloatArray:
    """Return which offsets make up each measurement: sets, then second less first."""
    unit = np.eye(len(names))
    rows = [unit[names.index(b)] - unit[names.index(a)] for a, b in pairs]
    return np.concatenate([unit, np.reshape(rows, (-1, len(names)))])
