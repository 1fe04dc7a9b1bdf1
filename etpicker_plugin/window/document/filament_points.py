"""Which picks are points of which filament, and what stands for all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.columns import FILAMENT
from etpicker_plugin.engine.kinds import FILAMENT as FILAMENT_KIND
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.settings import Classes


@dataclass(frozen=True)
class FilamentPoints:
    """The points of a filament that are not deleted.

    Attributes
    ----------
    name
        Its id in the tomogram.
    class_name
        Of its first point.
    ids
        ``(N,)`` the picks' numbers, in order along it: that of their numbers.
    """

    name: str
    class_name: str
    ids: NDArray[np.intp]

    @property
    def middle(self) -> int:
        """Return the point that stands for all, where one pick is shown or listed."""
        return int(self.ids[len(self.ids) // 2])


def filament_points(
    annotation: Annotation, classes: Classes
) -> dict[str, FilamentPoints]:
    """Return the filaments by their ids, in the order of their first points.

    Points of a class of filaments that name none are not among them.
    """
    ids = on_filaments(annotation, classes)
    if len(ids) == 0:
        return {}
    names, first, number = np.unique(
        annotation.optional[FILAMENT.name][ids], return_index=True, return_inverse=True
    )
    found = {}
    for place in np.argsort(first):
        own, name = ids[number == place], str(names[place])
        found[name] = FilamentPoints(name, annotation.class_of(int(own[0])), own)
    return found


def on_filaments(annotation: Annotation, classes: Classes) -> NDArray[np.intp]:
    """Return, ascending, the picks that are points of filaments."""
    named = annotation.optional.get(FILAMENT.name)
    of_kind = [classes.kind_of(n) == FILAMENT_KIND for n in annotation.class_names]
    if named is None or not any(of_kind):
        return np.zeros(0, dtype=np.intp)
    chosen = np.array(of_kind)[annotation.codes] & annotation.alive
    return np.flatnonzero(chosen & (named != FILAMENT.missing))


def filament_scores(
    annotation: Annotation, filaments: dict[str, FilamentPoints]
) -> NDArray[np.float64]:
    """Return ``(N,)`` scores of all picks; a point has that of its filament's surest.

    A filament is picked because its surest point reaches the threshold.
    """
    scores = annotation.scores.copy()
    for filament in filaments.values():
        scores[filament.ids] = np.fmax.reduce(scores[filament.ids])
    return scores


def new_filament_name(annotation: Annotation, class_name: str) -> str:
    """Return an id that no pick has or ever had: the class and a number, from 1."""
    named = annotation.optional.get(FILAMENT.name, np.zeros(0, dtype=str))
    taken = set(np.unique(named).tolist())
    number = 1
    while f"{class_name}_{number}" in taken:
        number += 1
    return f"{class_name}_{number}"
