"""Classes renamed, joined and removed in an open folder; undo and redo in all of it.

The new classes are written first, with the change as *pending*, then the journal of
every tomogram, then the classes without it. So what a killed window had begun is
finished by the next.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from etpicker_plugin.engine import kinds
from etpicker_plugin.engine.columns import FILAMENT, RADIUS, VESICLE
from etpicker_plugin.engine.config.assignments import ONLY_CLASS, only_of
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.names import require_new_names
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.window.document.class_change import (
    MAKE,
    REDO,
    REMOVED,
    UNDO,
    ClassChange,
    change_from_values,
    change_to_values,
)
from etpicker_plugin.window.document.facts import read_facts
from etpicker_plugin.window.document.settings import (
    DEFAULT_CLASS,
    Classes,
    ParticleClass,
)

if TYPE_CHECKING:
    from etpicker_plugin.engine.config.view import ViewConfig
    from etpicker_plugin.window.document.document import Document
    from etpicker_plugin.window.document.history import Edit
    from etpicker_plugin.window.document.session import Session


def declare_classes(session: Session, config: ViewConfig) -> None:
    """Declare the classes that are given and those of the picks, with what is known.

    Diameters and kinds are those given, else what the annotation holds, else what lies
    beside the coordinates; a kind may follow from the picks' columns. A class that was
    renamed or removed in this folder does not come back by being given again: the same
    command opens an annotation where it was.
    """
    finish_pending(session)
    classes = session.classes
    of_picks = {name for d in session.documents for name in d.annotation.class_names}
    former = {
        name for d in session.documents for name in d.annotation.history.former_names()
    }
    gone = former - of_picks - set(classes.names())
    for name, diameter in name_alone(config.diameter, of_picks).items():
        if name not in gone:
            classes.change(name, diameter_ang=diameter)
    classes.add_missing(sorted(of_picks - {REMOVED}))
    facts = read_facts(config.coordinates)
    for name in classes.guessed():
        if name in facts.diameters:
            classes.change(name, diameter_ang=facts.diameters[name])
    for name, threshold in {**facts.thresholds, **config.threshold}.items():
        if name in classes.names():
            classes.change(name, model_threshold=threshold)
    said = {n: kind for n, kind in config.kind.items() if n not in gone}
    _declare_kinds(session, said, facts.kinds)


def _declare_kinds(
    session: Session, said: Mapping[str, str], known: Mapping[str, str]
) -> None:
    """Give classes the kinds said, and those that have none the known ones."""
    classes = session.classes
    for name, kind in said.items():
        classes.change(name, kind=kind)
    for item in [item for item in classes if item.kind is None]:
        kind = known.get(item.name) or _kind_of_picks(session, item.name)
        if kind is not None:
            classes.change(item.name, kind=kind)


def _kind_of_picks(session: Session, name: str) -> str | None:
    """Return what the picks of a class are, by their columns; ``None`` if unknown.

    Of filaments every point names one.
    """
    for column, kind, enough in (
        (FILAMENT, kinds.FILAMENT, np.all),
        (VESICLE, kinds.VESICLE, np.any),
        (RADIUS, kinds.VESICLE, np.any),
    ):
        known = [
            column.known(d.annotation.optional[column.name][ids])
            if column.name in d.annotation.optional
            else np.zeros(len(ids), dtype=bool)
            for d in session.documents
            for ids in [d.annotation.ids_of(name)]
            if len(ids)
        ]
        if known and enough(np.concatenate(known)):
            return kind
    return None


def name_alone(
    diameters: Mapping[str, float], of_picks: Collection[str]
) -> Mapping[str, float]:
    """Return the diameters by class, of a number alone too: for the only class.

    Raises
    ------
    ConfigError
        If a number stands alone, and the picks are of several classes.
    """
    if ONLY_CLASS not in diameters:
        return diameters
    names = set(of_picks) - {REMOVED, NEGATIVE} or {DEFAULT_CLASS}
    return only_of(diameters[ONLY_CLASS], names, label="--diameter")


def check_class_name(name: str) -> None:
    """Refuse what cannot be a class's name.

    Raises
    ------
    ConfigError
        Saying what to do.
    """
    if name == NEGATIVE:
        raise ConfigError(
            f"'{NEGATIVE}' is the class of places without a particle. Give another."
        )
    require_new_names([name], what="Class")


def rename_class(session: Session, name: str, to: str) -> None:
    """Give a class another name; if another class has it, the two become one.

    Raises
    ------
    ConfigError
        If it is no name, or there is no such class.
    ResourceError
        If it cannot be written.
    """
    check_class_name(to)
    _make(session, name, to)


def remove_class(session: Session, name: str) -> None:
    """Remove a class and its picks.

    Raises
    ------
    ConfigError
        If it is the last one, or there is no such class.
    ResourceError
        If it cannot be written.
    """
    if len(session.classes) == 1:
        raise ConfigError(
            f"'{name}' is the only class, and one is needed. Rename it, or add "
            "another one first."
        )
    _make(session, name, REMOVED)


def picks_of(session: Session, name: str) -> int:
    """Return how many picks of a class there are, in all tomograms."""
    return sum(len(d.annotation.ids_of(name)) for d in session.documents)


def undo(session: Session, document: Document) -> Edit | ClassChange | None:
    """Take back what was done last in a tomogram; a change of classes everywhere."""
    change = document.annotation.history.change_to_undo()
    if change is None:
        return document.journal.undo()
    _everywhere(session, change, UNDO)
    return change


def redo(session: Session, document: Document) -> Edit | ClassChange | None:
    """Make again what was undone last in a tomogram."""
    change = document.annotation.history.change_to_redo()
    if change is None:
        return document.journal.redo()
    _everywhere(session, change, REDO)
    return change


def finish_pending(session: Session) -> None:
    """Finish a change that a killed window had begun.

    Raises
    ------
    InputDataError
        If it cannot be read.
    """
    pending = session.classes.pending
    if pending is None:
        return
    try:
        change, what = change_from_values(pending), str(pending["what"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputDataError(
            f"{session.classes.path}: the change of classes in it cannot be read: "
            f"{error!r}. Move the file away; the picks do not depend on it."
        ) from error
    for document in session.documents:
        if document.annotation.history.holds(change.token) == (what == UNDO):
            document.journal.change_class(change, what)
    session.classes.finish()


def _make(session: Session, name: str, to: str) -> None:
    names = session.classes.names()
    if name not in names:
        raise ConfigError(f"There is no class '{name}'; there are {', '.join(names)}.")
    change = ClassChange(
        token=uuid4().hex[:12],
        was=session.classes[name],
        place=names.index(name),
        name=to,
        joins=to in names,
    )
    _everywhere(session, change, MAKE)


def _everywhere(session: Session, change: ClassChange, what: str) -> None:
    finish_pending(session)  # Of a disk that was full, if there is one.
    session.classes.put(
        classes_after(session.classes, change, what),
        pending={"what": what, **change_to_values(change)},
    )
    for document in session.documents:
        document.journal.change_class(change, what)
    session.classes.finish()


def classes_after(
    classes: Classes, change: ClassChange, what: str
) -> Sequence[ParticleClass]:
    """Return the classes after a change is made or undone, in their order.

    A renamed class keeps what was set since: its diameter and its cut-off.
    """
    was, new = change.was.name, change.name
    goes, comes = (was, new) if what != UNDO else (new, was)
    items = list(classes)
    if change.joins or new == REMOVED:
        if what != UNDO:
            return [item for item in items if item.name != was]
        back = change.was
    else:
        back = next((item for item in items if item.name == goes), change.was)
        items = [item for item in items if item.name != goes]
    if comes not in [item.name for item in items]:
        items.insert(change.place, replace(back, name=comes))
    return items
