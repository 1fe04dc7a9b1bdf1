"""What was done to an annotation and can be undone, and what can be made again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Union

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.window.document.class_change import ClassChange

Values = Dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Edit:
    """New values of some picks' columns.

    Attributes
    ----------
    kind
        What to call it: ``add``, ``delete`` …, of ``edit_lines.KINDS``.
    ids
        ``(M,)`` the picks' numbers; those not yet known are new picks.
    values
        Column name to its ``(M, ...)`` new values.
    """

    kind: str
    ids: NDArray[np.intp]
    values: Values


@dataclass(frozen=True)
class PickStep:
    """An edit, and the one that takes it back."""

    edit: Edit
    inverse: Edit


@dataclass(frozen=True)
class ClassStep:
    """A change of classes, and the codes whose name it changed."""

    change: ClassChange
    codes: tuple[int, ...]


Step = Union[PickStep, ClassStep]


@dataclass
class History:
    """Steps in their order; a new one ends what could be made again."""

    done: list[Step] = field(default_factory=list)
    undone: list[Step] = field(default_factory=list)

    def add(self, step: Step) -> None:
        """Note a new step."""
        self.done.append(step)
        self.undone.clear()

    def back(self) -> PickStep | None:
        """Move the last step to those undone, and return it, if it is of picks."""
        return _move_last(self.done, self.undone)

    def forth(self) -> PickStep | None:
        """Move the last undone step to those done, and return it, if it is of picks."""
        return _move_last(self.undone, self.done)

    def change_back(self, token: str) -> ClassStep | None:
        """Move a change of classes, wherever it stands, to the steps undone."""
        step = _find(self.done, token)
        if step is not None:
            self.done.remove(step)
            self.undone.append(step)
        return step

    def change_forth(self, step: ClassStep) -> None:
        """Note that a change of classes was made again."""
        before = _find(self.undone, step.change.token)
        if before is not None:
            self.undone.remove(before)
        self.done.append(step)

    def change_to_undo(self) -> ClassChange | None:
        """Return the change of classes that was done last, if nothing came after."""
        return _last_change(self.done)

    def change_to_redo(self) -> ClassChange | None:
        """Return the change of classes that is to be made again next, if one is."""
        return _last_change(self.undone)

    def former_names(self) -> set[str]:
        """Return the names of classes that were renamed, joined or removed."""
        steps = [step for step in self.done if isinstance(step, ClassStep)]
        return {step.change.was.name for step in steps}

    def holds(self, token: str) -> bool:
        """Return whether a change of classes is done, and not undone."""
        return _find(self.done, token) is not None


def _move_last(source: list[Step], target: list[Step]) -> PickStep | None:
    if not source or not isinstance(source[-1], PickStep):
        return None
    step = source.pop()
    target.append(step)
    return step


def _last_change(steps: list[Step]) -> ClassChange | None:
    last = steps[-1] if steps else None
    return last.change if isinstance(last, ClassStep) else None


def _find(steps: list[Step], token: str) -> ClassStep | None:
    found = (s for s in steps if isinstance(s, ClassStep) and s.change.token == token)
    return next(found, None)
