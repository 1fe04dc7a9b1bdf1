"""The picks of one tomogram while a person edits them; every edit can be undone.

A pick keeps its number for ever: a deleted one is only marked so, which lets an edit
be written down in a line and replayed (see ``journal``).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etpicker_plugin.engine.column_rows import checked, select_rows
from etpicker_plugin.engine.columns import (
    COMPLETENESS,
    HALF_AXES,
    RADIUS,
    RESIDUAL,
    ColumnValues,
    columns_of,
)
from etpicker_plugin.engine.particles import Particles, make_particles
from etpicker_plugin.window.document.class_change import (
    REMOVED,
    ClassChange,
    changed_names,
)
from etpicker_plugin.window.document.history import (
    ClassStep,
    Edit,
    History,
    PickStep,
    Values,
)

REQUIRED = ("positions_zyx", "codes", "scores", "alive")
"""The other columns are the optional ones that some pick has had."""


class Annotation:
    """Picks as columns, and the edits that led to them.

    Attributes
    ----------
    class_names
        What each code stands for. Several may stand for one class; ``REMOVED`` is none.
    moved
        Numbers of the picks that were added or moved, edit by edit.
    history
        What can be undone, and made again.
    revision
        Grows with everything that changes.
    """

    def __init__(self, particles: Particles) -> None:
        names, codes = np.unique(particles.class_names, return_inverse=True)
        self.tomogram_id = particles.tomogram_id
        self.class_names = [str(name) for name in names]
        self._count = len(particles)
        self._columns: Values = {
            "positions_zyx": particles.positions_zyx.copy(),
            "codes": codes.astype(np.int32),
            "scores": particles.scores.copy(),
            "alive": np.ones(len(particles), dtype=bool),
            **{name: values.copy() for name, values in particles.optional.items()},
        }
        self.moved: list[NDArray[np.intp]] = []
        self.history = History()
        self.revision = 0

    # --------------------------- what is there --------------------------------
    def __len__(self) -> int:
        """Return how many picks there ever were, deleted ones too."""
        return self._count

    @property
    def positions_zyx(self) -> NDArray[np.float64]:
        """``(N, 3)`` of all picks, in the engine's frame."""
        return self._columns["positions_zyx"][: self._count]

    @property
    def codes(self) -> NDArray[np.int32]:
        """``(N,)`` indices into ``class_names``."""
        return self._columns["codes"][: self._count]

    @property
    def scores(self) -> NDArray[np.float64]:
        """``(N,)``, NaN for what a person marked."""
        return self._columns["scores"][: self._count]

    @property
    def alive(self) -> NDArray[np.bool_]:
        """``(N,)`` false where deleted, or of a class that was removed."""
        alive = self._columns["alive"][: self._count]
        if REMOVED not in self.class_names:
            return alive
        return alive & ~np.isin(self.codes, self.codes_of(REMOVED))

    @property
    def optional(self) -> ColumnValues:
        """``(N, ...)`` of each optional column, missing for what a person marked."""
        there = columns_of(self._columns)
        return {c.name: self._columns[c.name][: self._count] for c in there}

    def ids_of(self, name: str) -> NDArray[np.intp]:
        """Return the numbers of a class's picks that are not deleted."""
        return np.flatnonzero(self.alive & np.isin(self.codes, self.codes_of(name)))

    def codes_of(self, name: str) -> list[int]:
        """Return the codes that stand for a class."""
        return [code for code, known in enumerate(self.class_names) if known == name]

    def class_of(self, pick: int) -> str:
        """Return the class of a pick."""
        return self.class_names[self.codes[pick]]

    def code_of(self, name: str) -> int:
        """Return the index of a class, which is added if it is new."""
        if name not in self.class_names:
            self.class_names.append(name)
        return self.class_names.index(name)

    def to_particles(self, chosen: NDArray[np.bool_] | None = None) -> Particles:
        """Return the picks that are not deleted, or of these the chosen ones."""
        kept = self.alive if chosen is None else self.alive & chosen
        return make_particles(
            self.tomogram_id,
            self.positions_zyx[kept],
            class_names=np.array(self.class_names or [""])[self.codes[kept]],
            scores=self.scores[kept],
            optional=select_rows(self.optional, kept),
        )

    # --------------------------- edits ----------------------------------------
    def adding(
        self,
        positions_zyx: ArrayLike,
        name: str,
        *,
        scores: ArrayLike = np.nan,
        optional: Mapping[str, ArrayLike] | None = None,
    ) -> Edit:
        """Return the edit that adds picks of one class."""
        positions = np.asarray(positions_zyx, dtype=np.float64).reshape(-1, 3)
        count = len(positions)
        return Edit(
            kind="add",
            ids=np.arange(self._count, self._count + count),
            values={
                "positions_zyx": positions,
                "codes": np.full(count, self.code_of(name), dtype=np.int32),
                "scores": np.broadcast_to(np.asarray(scores, float), count).copy(),
                "alive": np.ones(count, dtype=bool),
                **checked(optional or {}, count),
            },
        )

    def deleting(self, ids: ArrayLike) -> Edit:
        """Return the edit that deletes picks."""
        chosen = np.asarray(ids, dtype=np.intp).reshape(-1)
        dead = np.zeros(len(chosen), dtype=bool)
        return Edit(kind="delete", ids=chosen, values={"alive": dead})

    def moving(self, pick: int, position_zyx: ArrayLike) -> Edit:
        """Return the edit that moves one pick."""
        position = np.asarray(position_zyx, dtype=np.float64).reshape(1, 3)
        return Edit(
            kind="move", ids=np.array([pick]), values={"positions_zyx": position}
        )

    def resizing(
        self, pick: int, radius_ang: float, position_zyx: ArrayLike | None = None
    ) -> Edit:
        """Return the edit that gives a pick a radius of its own, and another place.

        Half axes grow in proportion; at another place it is a sphere that was fitted.
        """
        values: Values = {RADIUS.name: np.array([float(radius_ang)])}
        for column in (RESIDUAL, COMPLETENESS):  # Of the size before.
            if column.name in self._columns:
                values[column.name] = column.unknown(1)
        if HALF_AXES.name in self._columns:
            axes = self._columns[HALF_AXES.name][[pick]]
            grown = axes * radius_ang / axes.mean()
            values[HALF_AXES.name] = (
                grown if position_zyx is None else HALF_AXES.unknown(1)
            )
        if position_zyx is not None:
            position = np.asarray(position_zyx, dtype=np.float64).reshape(1, 3)
            values["positions_zyx"] = position
        return Edit(kind="resize", ids=np.array([pick]), values=values)

    def inserting(self, pick: int, after: ArrayLike) -> Edit:
        """Return the edit that adds a copy of a pick before others of its order.

        Those in ``after``, in their order, take the place of the next one each, the
        last the new number: picks stand in the order of their numbers.
        """
        ids = np.append(np.asarray(after, dtype=np.intp), self._count)
        sources = np.append(np.intp(pick), ids[:-1])
        there = {name: v[: self._count][sources] for name, v in self._columns.items()}
        return Edit(kind="insert", ids=ids, values=there)

    def relabelling(self, ids: ArrayLike, name: str) -> Edit:
        """Return the edit that gives picks another class."""
        chosen = np.asarray(ids, dtype=np.intp).reshape(-1)
        codes = np.full(len(chosen), self.code_of(name), dtype=np.int32)
        return Edit(kind="relabel", ids=chosen, values={"codes": codes})

    def confirming(self, ids: ArrayLike, name: str) -> Edit:
        """Return the edit that makes picks a person's: of a class, without a score."""
        edit = self.relabelling(ids, name)
        unknown = np.full(len(edit.ids), np.nan)
        return Edit(
            kind="confirm", ids=edit.ids, values={**edit.values, "scores": unknown}
        )

    def apply(self, edit: Edit) -> None:
        """Make an edit; what was undone before it can no longer be redone."""
        self.history.add(PickStep(edit=edit, inverse=self._inverse_of(edit)))
        self._write(edit)

    def undo(self) -> Edit | None:
        """Take back the last edit and return it; ``None`` if no edit is the last."""
        step = self.history.back()
        if step is not None:
            self._write(step.inverse)
        return step and step.edit

    def redo(self) -> Edit | None:
        """Make the last undone edit again and return it; ``None`` without one."""
        step = self.history.forth()
        if step is not None:
            self._write(step.edit)
        return step and step.edit

    def change_class(self, change: ClassChange, *, again: bool = False) -> None:
        """Rename, join or remove a class; ``again`` after it was undone."""
        self.revision += 1
        self.class_names, codes = changed_names(self.class_names, change)
        step = ClassStep(change=change, codes=codes)
        (self.history.change_forth if again else self.history.add)(step)

    def undo_class(self, token: str) -> None:
        """Give the codes that a change renamed their name again."""
        self.revision += 1
        step = self.history.change_back(token)
        for code in step.codes if step is not None else ():
            self.class_names[code] = step.change.was.name

    def _inverse_of(self, edit: Edit) -> Edit:
        """Return the edit that restores what ``edit`` is about to change."""
        if edit.kind == "add":
            return self.deleting(edit.ids)
        self._make_columns(edit)
        is_new = edit.ids >= self._count
        known = np.minimum(edit.ids, self._count - 1)  # A new one is dead, anywhere.
        before = {name: self._columns[name][known] for name in edit.values}
        if is_new.any():
            before["alive"] = before["alive"] & ~is_new
        return Edit(kind="undo", ids=edit.ids, values=before)

    def _write(self, edit: Edit) -> None:
        self.revision += 1
        self._make_columns(edit)
        if len(edit.ids) and edit.ids.max() >= self._count:
            self._grow(int(edit.ids.max()) + 1)
        for name, values in edit.values.items():
            # A text may be longer than any before it.
            wide = np.promote_types(self._columns[name].dtype, values.dtype)
            self._columns[name] = self._columns[name].astype(wide, copy=False)
            self._columns[name][edit.ids] = values
        if "positions_zyx" in edit.values:
            self.moved.append(edit.ids)

    def _make_columns(self, edit: Edit) -> None:
        """Begin the optional columns that no pick has had before this edit."""
        for column in columns_of(edit.values):
            if column.name not in self._columns:
                self._columns[column.name] = column.unknown(len(self._columns["alive"]))

    def _grow(self, count: int) -> None:
        """Make room for new picks, doubling, so that adding many stays cheap."""
        capacity = len(self._columns["alive"])
        if count > capacity:
            room = max(count, 2 * capacity, 64) - self._count
            shapes = {n: (room, *self._columns[n].shape[1:]) for n in REQUIRED}
            empty = {n: np.zeros(s, self._columns[n].dtype) for n, s in shapes.items()}
            empty.update((c.name, c.unknown(room)) for c in columns_of(self._columns))
            for name, added in empty.items():
                old = self._columns[name][: self._count]
                self._columns[name] = np.concatenate([old, added])
        self._count = count
