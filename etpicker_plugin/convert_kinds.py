"""What a set of coordinates holds: particles, filaments, vesicles or points on them.

Scipion's group id means a class to one plugin, a filament or a membrane to another. So
our sets say what they hold in an attribute of theirs; sets that do not are of others.
A set of filaments or vesicles is of one class, and its group ids number them, from 1 in
each tomogram. In a set of particles the group id is the number of the class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pyworkflow.object import Set, String

from etpicker_plugin.engine.columns import FILAMENT as FILAMENT_ID
from etpicker_plugin.engine.columns import RADIUS
from etpicker_plugin.engine.columns import VESICLE as VESICLE_ID
from etpicker_plugin.engine.formats.groups import texts_of
from etpicker_plugin.engine.formats.names import number_in_order
from etpicker_plugin.engine.kinds import FILAMENT, PARTICLE, VESICLE
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles

KIND = "_etpickerKind"
"""Attribute of a set, kept in the project with it."""

SURFACE = "surface"
"""Points on vesicles, each turned so that its z axis leaves the vesicle."""

CURVED = (FILAMENT, VESICLE)
"""Kinds whose sets are of one class, and whose group ids are no classes."""

NUMBERED = {FILAMENT: FILAMENT_ID, VESICLE: VESICLE_ID, SURFACE: VESICLE_ID}
"""The name, among a pick's columns, that the group id stands for in sets of a kind."""


def tell_kind(items: Any, kind: str) -> None:
    """Say what a set holds, or what an item is of."""
    setattr(items, KIND, String(kind))


def told_kind(items: Any) -> str:
    """Return what a set says that it holds; nothing of other plugins' sets.

    A subset knows it from its first item: Scipion copies items, and not what a set
    says of itself.
    """
    told = getattr(items, KIND, None)
    if told is None and isinstance(items, Set) and items.getSize():
        told = getattr(items.getFirstItem(), KIND, None)
    return (told.get() or "") if told is not None else ""


def is_numbered(items: Any) -> bool:
    """Tell whether a set says that its group ids number things of one class."""
    return told_kind(items) in NUMBERED


def group_numbers(
    particles: Particles, kind: str, classes: Mapping[str, int]
) -> list[int]:
    """Return the group id of each particle of one tomogram, in a set of that kind.

    ``classes`` are the numbers of the classes. A point that names no filament has 0;
    a vesicle without a name is one by itself.
    """
    if kind not in CURVED:
        return [classes[str(name)] for name in particles.class_names]
    names: list[Any] = texts_of(NUMBERED[kind], particles).tolist()
    if kind == VESICLE:
        names = [name or row for row, name in enumerate(names)]
    numbers = number_in_order(name for name in names if name != FILAMENT_ID.missing)
    return [numbers.get(name, 0) for name in names]


def vesicle_numbers(points: Particles, *, of: Particles) -> list[int]:
    """Return the group id that the vesicle of each point on a membrane has.

    ``of`` are the vesicles of that class and tomogram, with their names.
    """
    names = texts_of(VESICLE_ID, of).tolist()
    numbers = dict(zip_strict(names, group_numbers(of, VESICLE, {})))
    return [numbers[name] for name in texts_of(VESICLE_ID, points).tolist()]


def unname_lone_centres(rows: Iterable[tuple[str, tuple]]) -> None:
    """Let a vesicle's centre without a radius go by no name.

    Rows are a tsId and a tuple whose last is the extra attributes by header.

    A row that names its vesicle and has no radius is a point on its membrane, and of
    these a vesicle has several: one alone is a centre, whose size is the class's.
    """
    named = [
        (ts_id, extras)
        for ts_id, (*_, extras) in rows
        if extras[VESICLE_ID.name] is not None and extras[RADIUS.name] is None
    ]
    counts = Counter((ts_id, extras[VESICLE_ID.name]) for ts_id, extras in named)
    for ts_id, extras in named:
        if counts[ts_id, extras[VESICLE_ID.name]] == 1:
            extras[VESICLE_ID.name] = None


def found_kinds(
    particles: Mapping[str, Particles], said: Mapping[str, str]
) -> dict[str, str]:
    """Return the kind of each class: as said, or that of the things that rows name.

    Of filaments every point names one: where some do not, it was said of things of
    another kind that they are of this class.
    """
    kinds = dict(said)
    names = {str(n) for found in particles.values() for n in found.class_names}
    for name in names - {NEGATIVE}:
        own = [found.of_class(name) for found in particles.values()]
        for kind, enough in ((FILAMENT, all), (VESICLE, any)):
            column = NUMBERED[kind]
            if enough(
                text != column.missing for p in own for text in texts_of(column, p)
            ):
                kinds.setdefault(name, kind)
    return {name: kinds.get(name, PARTICLE) for name in sorted(names)}
