"""What is judged of filaments and membranes: boxes on them, and on the same ones aside.

Boxes of one filament overlap, and those of two sets that picked it do. So each filament
or vesicle, by whichever sets it was picked, is in one half set, and is what a bootstrap
draws.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.columns import ROTATION
from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.config.pick_sets import CONTROL
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.halves import part_things
from etpicker_plugin.engine.kinds import FILAMENT
from etpicker_plugin.engine.verdict.places.aside import Room, move_aside
from etpicker_plugin.engine.verdict.places.candidates import (
    LEAST_PICKS,
    Candidates,
    PickTable,
    draw_clear,
    pick_table,
    require_clear_picks,
)
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry
from etpicker_plugin.engine.verdict.places.things import THING_OF

SAME_THING = 0.25
"""Of the points of the shorter of two sets' filaments: on the other, it is the same."""

APART_DIAMETERS = 0.6
"""Between two things of the control."""

ROUNDS = 2
"""In which each thing is moved once, unless there is enough before."""


@dataclass(frozen=True, kw_only=True)
class _Points:
    """What a table of picks does not say of points on things, ``(N,)`` each.

    Attributes
    ----------
    own
        Number of the set's own filament or vesicle.
    things
        The same where several sets picked one.
    """

    matrices: FloatArray
    own: IndexArray
    things: IndexArray


@dataclass(frozen=True, kw_only=True)
class _Control:
    """Points that were moved aside, and the picks that they were."""

    positions_zyx: FloatArray
    rows: IndexArray
    pieces: IndexArray


def gather_on_things(
    sets: PickSets,
    members: Mapping[str, IndexArray],
    *,
    kind: str,
    geometry: BoxGeometry,
    max_particles: int,
    seed: int,
) -> Candidates:
    """Choose the points to judge, move the same things aside, and part both in halves.

    Parameters
    ----------
    sets
        As ``points_on_things`` returns them.
    members
        Per tomogram: ``(P, S)``, which point of each set a place has (``join_sets``).

    Raises
    ------
    InputDataError
        If a set has too few points or things for two halves, or the control no room.
    """
    table = pick_table(sets, members, geometry)
    require_clear_picks(sets, table, geometry)
    kept = draw_clear(sets, table, max_particles=max_particles, seed=seed)
    points = _points(sets, table, kind)
    _require_two_things(sets, table, points, kept, kind)
    control = _control(
        sets,
        table,
        points,
        kept,
        kind=kind,
        geometry=geometry,
        generator=np.random.default_rng(seed),
    )
    return _assemble(sets, table, points, kept, control)


def _points(sets: PickSets, table: PickTable, kind: str) -> _Points:
    """Return matrices and things of every point, in the table's order."""
    column = THING_OF[kind]
    turned, keys = [], []
    for t in sets.tomograms:
        for name in sets.names:
            particles = sets.picks[name][t]
            if len(particles):
                turned.append(np.asarray(particles.optional[ROTATION.name]))
                keys += [(name, t, str(n)) for n in particles.optional[column.name]]
    numbers = {key: n for n, key in enumerate(dict.fromkeys(keys))}
    own = np.array([numbers[key] for key in keys], dtype=np.intp)
    return _Points(
        matrices=np.concatenate(turned),
        own=own,
        things=_same_things(own, table.particles)[own],
    )


def _same_things(own: IndexArray, particles: IndexArray) -> IndexArray:
    """Return ``(T,)`` the thing that each set's own one is.

    Two of different sets are one if they share enough of the shorter one's points.
    """
    count = int(own.max()) + 1
    on = coo_array(
        (np.ones(len(own)), (own, particles)), shape=(count, int(particles.max()) + 1)
    ).tocsr()
    shared = (on @ on.T).tocoo()
    sizes = np.bincount(own, minlength=count)
    shorter = np.minimum(sizes[shared.row], sizes[shared.col])
    is_same = shared.data >= SAME_THING * shorter
    links = coo_array(
        (np.ones(int(is_same.sum())), (shared.row[is_same], shared.col[is_same])),
        shape=(count, count),
    )
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.intp)


def _require_two_things(
    sets: PickSets, table: PickTable, points: _Points, kept: IndexArray, kind: str
) -> None:
    for name in sets.names:
        own = points.things[kept[table.names[kept] == name]]
        if len(np.unique(own)) < 2:
            raise InputDataError(
                f"Set {name}: all its judged points lie on one {kind}, and each half "
                f"set needs one of its own. Give more {kind}s or tomograms."
            )


def _control(
    sets: PickSets,
    table: PickTable,
    points: _Points,
    kept: IndexArray,
    *,
    kind: str,
    geometry: BoxGeometry,
    generator: np.random.Generator,
) -> _Control:
    """Move things aside in each tomogram, as many points as its largest set has."""
    places, rows, pieces, piece = [], [], [], 0
    for t, tomogram in sets.tomograms.items():
        here = kept[table.tomogram_ids[kept] == t]
        if not len(here):
            continue
        wanted = max(int(np.sum(table.names[here] == n)) for n in sets.names)
        room = Room(
            shape_zyx=tomogram.shape_zyx,
            taken_zyx=table.positions_zyx[table.tomogram_ids == t],
            border_vox=geometry.border_vox,
            clearance_vox=geometry.clearance_ang / geometry.voxel_size,
            apart_vox=APART_DIAMETERS * geometry.diameter_ang / geometry.voxel_size,
        )
        placed = np.zeros((0, 3))
        order = [
            generator.permutation(np.unique(points.own[here])) for _ in range(ROUNDS)
        ]
        for own in np.concatenate(order):
            if len(placed) >= wanted:
                break
            mine = here[points.own[here] == own]
            moved, found = move_aside(
                table.positions_zyx[mine],
                placed,
                room=room,
                is_curve=kind == FILAMENT,
                generator=generator,
            )
            found = found[: wanted - len(placed)]
            moved = moved[: len(found)]
            placed = np.concatenate([placed, moved])
            places.append(moved)
            rows.append(mine[found])
            pieces.append(np.full(len(found), piece))
            piece += 1
    total = sum(map(len, rows))
    if total < LEAST_PICKS:
        raise InputDataError(
            f"There is room for {total} boxes beside the {kind}s only, {LEAST_PICKS} "
            "are needed: they fill the tomograms. Add a tomogram, or give only the "
            "surer picks."
        )
    return _Control(
        positions_zyx=np.concatenate(places),
        rows=np.concatenate(rows),
        pieces=np.concatenate(pieces),
    )


def _assemble(
    sets: PickSets,
    table: PickTable,
    points: _Points,
    kept: IndexArray,
    control: _Control,
) -> Candidates:
    half_of = _halves(sets, table, points, kept)
    source = np.concatenate([kept, control.rows])
    names = np.concatenate([table.names[kept], np.full(len(control.rows), CONTROL)])
    extra = np.arange(len(control.rows)) + int(table.particles.max()) + 1
    of_control = int(points.things.max()) + 1 + control.pieces
    return Candidates(
        tomogram_ids=table.tomogram_ids[source],
        positions_zyx=np.concatenate(
            [table.positions_zyx[kept], control.positions_zyx]
        ),
        particles=np.concatenate([table.particles[kept], extra]),
        # What was moved aside is in the half of what it was.
        half=half_of[points.things[source]],
        rows={n: np.flatnonzero(names == n) for n in (*sets.names, CONTROL)},
        at_border={n: int(np.sum(~table.clear[table.names == n])) for n in sets.names},
        matrices=points.matrices[source],
        things=np.concatenate([points.things[kept], of_control]),
    )


def _halves(
    sets: PickSets, table: PickTable, points: _Points, kept: IndexArray
) -> NDArray[np.intp]:
    """Return ``(T,)`` the half of each thing, even in each set."""
    count = int(points.things.max()) + 1
    sizes = [
        np.bincount(points.things[kept[table.names[kept] == name]], minlength=count)
        for name in sets.names
    ]
    return part_things(np.stack(sizes, axis=1))
