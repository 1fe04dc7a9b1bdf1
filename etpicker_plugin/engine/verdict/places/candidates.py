"""What is judged: picks of every set and random coordinates, in two half sets."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.comparison.joining import NOT_PICKED, IndexArray
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.config.pick_sets import CONTROL
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.verdict.places.control import place_control
from etpicker_plugin.engine.verdict.places.geometry import (
    BoxGeometry,
    is_clear_of_faces,
)

LEAST_PICKS = 8
CONTROL_CLEARANCE = 0.6
"""Random places keep so many diameters from every pick and from one another."""


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """One row for each box.

    Attributes
    ----------
    tomogram_ids
        ``(N,)``.
    positions_zyx
        ``(N, 3)`` voxels of the tomogram.
    particles
        ``(N,)``: boxes of the same particle, picked by different sets, have one number.
    half
        ``(N,)`` 1 or 2; boxes of one particle are in one half, or the halves would
        share its noise.
    rows
        Per set, and for the control: which boxes are its own.
    at_border
        Per set: picks too near to a face to be judged.
    matrices
        ``(N, 3, 3)`` of boxes on filaments or membranes, whose direction is known.
    things
        ``(N,)`` which filament or vesicle each of them lies on; boxes of one thing are
        in one half, and are not independent.
    """

    tomogram_ids: NDArray[np.str_]
    positions_zyx: FloatArray
    particles: IndexArray
    half: IndexArray
    rows: dict[str, IndexArray]
    at_border: dict[str, int]
    matrices: FloatArray | None = None
    things: IndexArray | None = None

    def __len__(self) -> int:
        """Return the number of boxes."""
        return len(self.particles)


def gather_candidates(
    sets: PickSets,
    members: Mapping[str, IndexArray],
    *,
    geometry: BoxGeometry,
    max_particles: int,
    seed: int,
) -> Candidates:
    """Choose the picks to judge, place the control, and split both in halves.

    Parameters
    ----------
    members
        Per tomogram: ``(P, S)``, which pick of each set a particle has (``join_sets``).
    max_particles
        Most picks of a set.

    Raises
    ------
    InputDataError
        If a set has fewer picks away from the faces than two halves need, or there is
        no room for random coordinates.
    """
    generator = np.random.default_rng(seed)
    table = pick_table(sets, members, geometry)
    require_clear_picks(sets, table, geometry)
    kept = draw_clear(sets, table, max_particles=max_particles, seed=seed)
    control = _place_everywhere(sets, table, kept, geometry, generator)
    return _assemble(sets, table, kept, control, generator)


def require_clear_picks(
    sets: PickSets, table: "PickTable", geometry: BoxGeometry
) -> None:
    """Refuse a set with fewer picks away from the faces than two halves need.

    Raises
    ------
    InputDataError
        If there is one.
    """
    for name in sets.names:
        count = int(np.count_nonzero(table.clear[table.names == name]))
        if count < LEAST_PICKS:
            raise InputDataError(
                f"Set {name}: {count} of {sets.count(name)} picks lie more than "
                f"{geometry.border_vox:.0f} voxels from every face; at least "
                f"{LEAST_PICKS} are needed for two half sets. Give more picks or "
                "tomograms, or compare the sets with 'etpicker compare'."
            )


def draw_clear(
    sets: PickSets, table: "PickTable", *, max_particles: int, seed: int
) -> IndexArray:
    """Return the rows of each set that are judged: clear ones, drawn if too many."""
    clear = [np.flatnonzero((table.names == n) & table.clear) for n in sets.names]
    return np.concatenate([draw_rows(rows, max_particles, seed) for rows in clear])


@dataclass(frozen=True, kw_only=True)
class PickTable:
    """Every pick of every set, one row each.

    Attributes
    ----------
    particles
        ``(N,)``: picks of one particle have one number.
    clear
        ``(N,)`` whether a pick is far enough from the faces.
    """

    names: NDArray[np.str_]
    tomogram_ids: NDArray[np.str_]
    positions_zyx: FloatArray
    particles: IndexArray
    clear: NDArray[np.bool_]


def pick_table(
    sets: PickSets, members: Mapping[str, IndexArray], geometry: BoxGeometry
) -> PickTable:
    """Return all picks by tomogram and set; ``members`` as ``join_sets`` has them."""
    names, ids, positions, particles, clear = [], [], [], [], []
    first = 0
    for t, tomogram in sets.tomograms.items():
        for column, name in enumerate(sets.names):
            places = sets.picks[name][t].positions_zyx
            has = np.flatnonzero(members[t][:, column] != NOT_PICKED)
            particle_of = np.empty(len(places), dtype=np.intp)
            particle_of[members[t][has, column]] = has + first
            names.append(np.full(len(places), name))
            ids.append(np.full(len(places), t))
            positions.append(places)
            particles.append(particle_of)
            clear.append(
                is_clear_of_faces(
                    places, tomogram.shape_zyx, border_vox=geometry.border_vox
                )
            )
        first += len(members[t])
    return PickTable(
        names=np.concatenate(names),
        tomogram_ids=np.concatenate(ids),
        positions_zyx=np.concatenate(positions),
        particles=np.concatenate(particles),
        clear=np.concatenate(clear),
    )


def draw_rows(rows: IndexArray, most: int, seed: int) -> IndexArray:
    """Return ``(N,)`` rows, at most so many of them, drawn at random."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _place_everywhere(
    sets: PickSets,
    table: PickTable,
    kept: IndexArray,
    geometry: BoxGeometry,
    generator: np.random.Generator,
) -> dict[str, FloatArray]:
    """Place as many random coordinates in each tomogram as its largest set has."""
    placed = {}
    for t, tomogram in sets.tomograms.items():
        here = kept[table.tomogram_ids[kept] == t]
        counts = [int(np.sum(table.names[here] == n)) for n in sets.names]
        placed[t] = place_control(
            tomogram.shape_zyx,
            table.positions_zyx[table.tomogram_ids == t],
            count=max(counts),
            border_vox=geometry.border_vox,
            clearance_vox=CONTROL_CLEARANCE
            * geometry.diameter_ang
            / geometry.voxel_size,
            generator=generator,
        )
    total = sum(len(places) for places in placed.values())
    if total < LEAST_PICKS:
        raise InputDataError(
            f"There is room for {total} random coordinates only, {LEAST_PICKS} are "
            "needed: the picks fill the tomograms. Add a tomogram, or give only the "
            "surer picks."
        )
    return placed


def _assemble(
    sets: PickSets,
    table: PickTable,
    kept: IndexArray,
    control: Mapping[str, FloatArray],
    generator: np.random.Generator,
) -> Candidates:
    """Put picks and control together; equal positions of two sets are one box."""
    ids = np.concatenate(
        [table.tomogram_ids[kept], *(np.full(len(p), t) for t, p in control.items())]
    )
    positions = np.concatenate([table.positions_zyx[kept], *control.values()])
    extra = np.arange(len(ids) - len(kept)) + int(table.particles.max()) + 1
    particles = np.concatenate([table.particles[kept], extra])
    names = np.concatenate([table.names[kept], np.full(len(extra), CONTROL)])
    keys = [(t, *np.round(p, 2)) for t, p in zip(ids, positions, strict=True)]
    row_of: dict[tuple[object, ...], int] = {}
    for row, key in enumerate(keys):
        row_of.setdefault(key, row)
    box_number = {key: n for n, key in enumerate(row_of)}
    box_of = np.array([box_number[key] for key in keys])
    first = np.array(list(row_of.values()))
    half_of = _halves(ids, particles, generator)
    return Candidates(
        tomogram_ids=ids[first],
        positions_zyx=positions[first],
        particles=particles[first],
        half=half_of[first],
        rows={n: np.unique(box_of[names == n]) for n in (*sets.names, CONTROL)},
        at_border={n: int(np.sum(~table.clear[table.names == n])) for n in sets.names},
    )


def _halves(
    ids: NDArray[np.str_], particles: IndexArray, generator: np.random.Generator
) -> IndexArray:
    """Return ``(N,)`` 1 or 2, evenly in each tomogram, one for each particle."""
    half = np.empty(len(ids), dtype=np.intp)
    for number, t in enumerate(dict.fromkeys(ids)):
        here = ids == t
        found = generator.permutation(np.unique(particles[here]))
        halves = dict(zip(found, (np.arange(len(found)) + number) % 2 + 1, strict=True))
        half[here] = [halves[p] for p in particles[here]]
    return half
