"""Scipion sets <-> engine records: the only file that speaks both languages.

A micrograph is a tomogram one slice thick here too (see ``convert_micrographs``).
Scipion's ``BOTTOM_LEFT_CORNER`` is the engine's frame: 0-based voxel index, voxel *i*
centred at *i*. Scipion orders xyz, the engine zyx.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, Optional

import numpy as np
from pwem.objects import Micrograph, SetOfCoordinates, SetOfMicrographs
from pyworkflow.object import String
from tomo.constants import BOTTOM_LEFT_CORNER
from tomo.objects import (
    Coordinate3D,
    SetOfCoordinates3D,
    SetOfTomograms,
    Tomogram,
    TomoMask,
)

from etpicker_plugin.convert_columns import (
    extra_cells,
    extras_of,
    known_columns,
    optional_values,
    set_extras,
    storable_columns,
)
from etpicker_plugin.convert_kinds import (
    NUMBERED,
    group_numbers,
    tell_kind,
    told_kind,
    unname_lone_centres,
)
from etpicker_plugin.convert_micrographs import (
    micrograph_file,
    micrograph_link,
    micrograph_name,
    micrograph_shape,
    micrographs_by_name,
    picks_of,
)
from etpicker_plugin.engine.columns import FILAMENT as FILAMENT_ID
from etpicker_plugin.engine.columns import Column
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.kinds import FILAMENT, PARTICLE, VESICLE
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles, make_particles

ONE_GROUP = 1
"""Stands for the group id that coordinates in micrographs have not."""

DIAMETERS = "_etpickerDiameters"
"""Attribute of a set of coordinates, kept in the project with it."""

ClassOfGroup = Callable[[int], Optional[str]]
"""Gives the class name of a coordinate's group id; ``None`` leaves it out."""


def tomograms_by_id(
    tomograms: SetOfTomograms | SetOfMicrographs,
) -> dict[str, Tomogram | Micrograph]:
    """Return a copy of every tomogram by its tsId, in the order of the ids.

    Micrographs have their names for it.
    """
    if isinstance(tomograms, SetOfMicrographs):
        return micrographs_by_name(tomograms)
    found = {item.getTsId(): item.clone() for item in tomograms.iterItems()}
    return dict(sorted(found.items()))


def tomogram_file(tomogram: Tomogram | Micrograph) -> str:
    """Return the tomogram's file without a reader's suffix (``file.mrc:mrc``)."""
    if isinstance(tomogram, Micrograph):
        return micrograph_file(tomogram)
    return tomogram.getFileName().split(":")[0]


def tomogram_link(tomogram: Tomogram | Micrograph) -> str:
    """Return what a link to a tomogram is called: the engine names by file."""
    if isinstance(tomogram, Micrograph):
        return micrograph_link(tomogram)
    return f"{tomogram.getTsId()}.mrc"


def link_tomogram(tomogram: Tomogram | Micrograph, folder: str) -> str:
    """Link the tomogram as ``folder/TSID.mrc``; a TIFF micrograph as ``.tif``."""
    os.makedirs(folder, exist_ok=True)
    link = os.path.join(folder, tomogram_link(tomogram))
    target = os.path.realpath(tomogram_file(tomogram))
    if os.path.lexists(link):
        os.unlink(link)
    os.symlink(target, link)
    return link


def frame_of(tomogram: Tomogram | Micrograph, *, binning: float = 1.0) -> TomogramFrame:
    """Return the engine's frame of a Scipion tomogram."""
    if isinstance(tomogram, Micrograph):
        return TomogramFrame(
            tomogram_id=micrograph_name(tomogram),
            shape_zyx=micrograph_shape(tomogram),
            voxel_size=tomogram.getSamplingRate(),
        )
    x, y, z = tomogram.getDim()
    return TomogramFrame(
        tomogram_id=tomogram.getTsId(),
        shape_zyx=(z, y, x),
        voxel_size=tomogram.getSamplingRate(),
        binning=binning,
    )


def particles_by_tomogram(
    sources: Iterable[tuple[SetOfCoordinates3D | SetOfCoordinates, ClassOfGroup]],
    *,
    kinds: Mapping[str, str] | None = None,
) -> dict[str, Particles]:
    """Read sets of coordinates into one record per tsId.

    Scores of a set in which all are 0, Scipion's default, count as unknown. In a set
    of filaments, or of a class that ``kinds`` calls one, a point lies on the filament
    that its group id says; vesicles are named by it too.

    Raises
    ------
    InputDataError
        If a class of filaments does not say of one point which it lies on.
    """
    rows: dict[str, list[tuple]] = defaultdict(list)
    sets_of: Counter[str] = Counter()
    for coordinates, class_of in sources:
        names = set()
        iterate = _iterate_rows
        if isinstance(coordinates, SetOfCoordinates):
            iterate = _iterate_flat_rows
        for ts_id, row in iterate(coordinates, class_of, kinds or {}, sets_of):
            rows[ts_id].append(row)
            names.add(row[1])
        sets_of.update(names)
    return {
        ts_id: make_particles(
            ts_id,
            [row[0] for row in found],
            class_names=np.array([row[1] for row in found], dtype=str),
            scores=np.array([row[2] for row in found]),
            rotations=engine_rotations([row[3] for row in found]),
            optional=optional_values([row[4] for row in found]),
        )
        for ts_id, found in sorted(rows.items())
    }


def engine_rotations(matrices: Sequence[np.ndarray]) -> np.ndarray | None:
    """Return ``(N, 3, 3)`` orientations of Scipion's matrices; ``None`` if unturned.

    Scipion's matrix turns the tomogram's axes into the reference's (moved map(r) =
    reference(M r)), the engine's the other way: one is the transpose of the other.
    """
    turns = np.array(matrices)[:, :3, :3]
    if np.allclose(turns, np.eye(3), atol=1e-6):
        return None
    return np.swapaxes(turns, 1, 2).copy()


def scipion_matrix(rotation: np.ndarray | None) -> np.ndarray:
    """Return Scipion's 4 x 4 matrix of an orientation; unturned if it is unknown."""
    matrix = np.eye(4)
    if rotation is not None and np.isfinite(rotation).all():
        matrix[:3, :3] = rotation.T
    return matrix


def _iterate_rows(
    coordinates: SetOfCoordinates3D,
    class_of: ClassOfGroup,
    kinds: Mapping[str, str],
    sets_of: Mapping[str, int],
) -> Iterator[tuple[str, tuple]]:
    """Yield tsId and a row of each wanted coordinate.

    The row is position zyx, class, score, matrix and extra attributes; ``sets_of``
    counts the sets of each class that were read before.
    """
    rows, told = [], told_kind(coordinates)
    for coordinate in coordinates.iterCoordinates():
        name = class_of(coordinate.getGroupId())
        if name is None:
            continue
        x, y, z = coordinate.getPosition(BOTTOM_LEFT_CORNER)
        matrix = np.array(coordinate.getMatrix(), dtype=np.float64)
        score, extras = coordinate.getScore(), extras_of(coordinate)
        kind = FILAMENT if kinds.get(name) == FILAMENT else told
        column = NUMBERED.get(kind) if told != PARTICLE else None
        group = coordinate.getGroupId()
        # What stores a name is older than the sets whose group ids number things.
        if column is not None and group and extras[column.name] is None:
            # Two sets of one class number what they hold from 1, both.
            of_set = f"_{sets_of[name] + 1}" if sets_of[name] else ""
            extras[column.name] = f"{name}{of_set}_{group}"
        row = ((z, y, x), name, score, matrix, extras)
        rows.append((coordinate.getTomoId(), row))
    _check_filaments([row for _, row in rows], kinds)
    if told == VESICLE:
        unname_lone_centres(rows)
    scored = any(row[2] for _, row in rows)
    for ts_id, (position, name, score, *others) in rows:
        known = float(score or 0.0) if scored else math.nan
        yield ts_id, (position, name, known, *others)


def _iterate_flat_rows(
    coordinates: SetOfCoordinates,
    class_of: ClassOfGroup,
    kinds: Mapping[str, str],
    _sets_of: Mapping[str, int],
) -> Iterator[tuple[str, tuple]]:
    """Yield the same of coordinates in micrographs: a set of them is of one class."""
    name = class_of(ONE_GROUP)
    if name is None:
        return
    rows = [
        (pick.micrograph, (pick.position_zyx, name, pick.score, np.eye(4), more))
        for pick in picks_of(coordinates)
        for more in [extras_of(pick.item)]
    ]
    _check_filaments([row for _, row in rows], kinds)
    yield from rows


def _check_filaments(rows: Iterable[tuple], kinds: Mapping[str, str]) -> None:
    """Refuse a class of filaments of which no point says on which it lies."""
    named: dict[str, bool] = {}
    for _, name, _, _, extras in rows:
        if kinds.get(name) == FILAMENT:
            known = extras[FILAMENT_ID.name] is not None
            named[name] = named.get(name, False) or known
    for name, is_known in named.items():
        if not is_known:
            raise InputDataError(
                f"The coordinates of '{name}' do not say which filament each lies on. "
                "Expected a set of filaments, or group ids from 1 on, one for each "
                "filament of a tomogram. Where the points lie on no filaments, leave "
                f"{name}=filament out of 'Kinds'."
            )


def group_ids(coordinates: SetOfCoordinates3D | SetOfCoordinates) -> list[int]:
    """Return the group ids that occur in a set, ascending."""
    if isinstance(coordinates, SetOfCoordinates):
        return [ONE_GROUP]
    return sorted(int(g) for g in coordinates.getUniqueValues("_groupId"))


def create_coordinates(
    folder: str,
    suffix: str,
    *,
    precedents: object,
    sampling_rate: float,
    box_size: int,
    label: str,
    kind: str,
    diameters: Mapping[str, float] | None = None,
) -> SetOfCoordinates3D:
    """Create an empty set; ``label`` says which class it holds.

    ``kind`` (see ``convert_kinds``) and ``diameters`` (Å, by class) go with the set,
    for later forms: its box is larger.
    """
    coordinates = SetOfCoordinates3D.create(folder, prefix="coordinates", suffix=suffix)
    tell_kind(coordinates, kind)
    coordinates.setPrecedents(precedents)
    coordinates.setSamplingRate(sampling_rate)
    coordinates.setBoxSize(box_size)
    coordinates.setObjLabel(label)
    tell_diameters(coordinates, diameters or {})
    return coordinates


def tell_diameters(coordinates: Any, diameters: Mapping[str, float]) -> None:
    """Say how large the classes of a set are (Å), as far as it is known."""
    known = {name: ang for name, ang in diameters.items() if ang}
    setattr(coordinates, DIAMETERS, String(json.dumps(known) if known else None))


def told_diameters(coordinates: Any) -> dict[str, float]:
    """Return the diameters (Å, by class) that go with a set; none of other plugins'."""
    told = getattr(coordinates, DIAMETERS, None)
    if told is None or not told.get():
        return {}
    return {str(name): float(ang) for name, ang in json.loads(told.get()).items()}


def append_particles(
    coordinates: SetOfCoordinates3D,
    tomogram: Tomogram,
    particles: Particles,
    *,
    groups: Mapping[str, int],
    columns: Sequence[Column] | None = None,
) -> None:
    """Add particles of the classes in ``groups`` (name -> number) to a set.

    What their group ids are depends on the set's kind. ``columns`` are those that an
    empty set is to have, without any those of these particles.
    """
    kind = told_kind(coordinates)
    particles = particles.select(np.isin(particles.class_names, list(groups)))
    rotations = particles.rotations
    wanted = known_columns([particles], kind=kind) if columns is None else columns
    stored = storable_columns(coordinates, wanted)
    for position, group, score, rotation, extras in zip_strict(
        particles.positions_zyx,
        group_numbers(particles, kind, groups),
        particles.scores,
        [None] * len(particles) if rotations is None else rotations,
        extra_cells(particles),
    ):
        z, y, x = (float(p) for p in position)
        coordinate = Coordinate3D()
        coordinate.setVolume(tomogram)
        coordinate.setPosition(x, y, z, BOTTOM_LEFT_CORNER)
        coordinate.setMatrix(scipion_matrix(rotation))
        coordinate.setGroupId(group)
        if kind in NUMBERED:
            tell_kind(coordinate, kind)
        coordinate.setScore(0.0 if math.isnan(score) else float(score))
        set_extras(coordinate, extras, stored)
        coordinates.append(coordinate)


def make_mask(tomogram: Tomogram, path: str | Path) -> TomoMask:
    """Return a volume on a tomogram's grid as Scipion's mask object."""
    mask = TomoMask()
    mask.copyInfo(tomogram)
    mask.setFileName(str(path))
    mask.setVolName(tomogram.getFileName())
    mask.setTsId(tomogram.getTsId())
    return mask


def even_box(diameter_ang: float, voxel_size: float) -> int:
    """Return the smallest even box, in voxels, that holds a particle."""
    return 2 * math.ceil(diameter_ang / voxel_size / 2 - 1e-6)
