"""The edits of a filament's points, which keep what is known of directions true.

Points stand in the order of their numbers. Where the points have orientations or
directions, as picks do, those that an edit changes are turned with the curve.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etpicker_plugin.engine.columns import (
    CURVATURE,
    DIRECTION,
    FILAMENT,
    POLARITY,
    ROTATION,
    columns_of,
)
from etpicker_plugin.engine.filaments.curve import curve_through, path_lengths
from etpicker_plugin.engine.orientation import turned_round, turned_towards
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.history import Edit

TURNED = 1e-4
"""Sine of the least angle by which an orientation is made to follow its curve."""


def beginning(
    annotation: Annotation, name: str, class_name: str, position_zyx: ArrayLike
) -> Edit:
    """Return the edit that adds the first point of a filament."""
    return annotation.adding(position_zyx, class_name, optional={FILAMENT.name: name})


def inserting(
    annotation: Annotation,
    ids: NDArray[np.intp],
    place: int,
    position_zyx: ArrayLike,
) -> Edit:
    """Return the edit that adds a point before the one at a place of a filament.

    Parameters
    ----------
    ids
        ``(N,)`` its points in order, one or more.
    place
        0 … N; at N the point is added at the end.
    """
    edit = annotation.inserting(int(ids[max(place - 1, 0)]), ids[place:])
    edit.values["positions_zyx"][0] = position_zyx
    edit.values["scores"][0] = np.nan
    if CURVATURE.name in edit.values:
        edit.values[CURVATURE.name][0] = np.nan
    return followed(annotation, edit, np.append(ids, edit.ids[-1]))


def moving(
    annotation: Annotation,
    ids: NDArray[np.intp],
    pick: int,
    position_zyx: ArrayLike,
) -> Edit:
    """Return the edit that moves one point of a filament."""
    return followed(annotation, annotation.moving(pick, position_zyx), ids)


def deleting(annotation: Annotation, ids: NDArray[np.intp], pick: int) -> Edit:
    """Return the edit that deletes one point of a filament."""
    return followed(annotation, annotation.deleting(pick), ids[ids != pick])


def flipping(annotation: Annotation, ids: NDArray[np.intp]) -> Edit:
    """Return the edit that turns a filament round: its last point becomes the first."""
    backwards = ids[::-1]
    values = {
        "positions_zyx": annotation.positions_zyx[backwards],
        "scores": annotation.scores[backwards],
    }
    for column in columns_of(annotation.optional):
        values[column.name] = annotation.optional[column.name][backwards]
    if ROTATION.name in values:
        values[ROTATION.name] = turned_round(values[ROTATION.name])
    if DIRECTION.name in values:
        values[DIRECTION.name] = -values[DIRECTION.name]
    if POLARITY.name in values:  # it was of the other way
        values[POLARITY.name] = POLARITY.unknown(len(ids))
    return Edit(kind="flip", ids=ids, values=values)


def followed(annotation: Annotation, edit: Edit, ids: NDArray[np.intp]) -> Edit:
    """Return the edit with orientations and directions turned along the new curve.

    Parameters
    ----------
    ids
        ``(N,)`` the filament's points in order, after the edit.
    """
    turned = [c for c in (ROTATION, DIRECTION) if c.name in annotation.optional]
    points = _after(annotation, edit, "positions_zyx", ids)
    steps = np.diff(points, axis=0)
    if not turned or len(points) < 2 or not steps.any(axis=1).all():
        return edit
    curve = curve_through(points)
    along = curve.spline.derivative()(path_lengths(points))
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    for column in turned:
        before = _after(annotation, edit, column.name, ids)
        pointed = before[:, ::-1, 2] if column is ROTATION else before
        # Which of its two ways they point along it stays as it was.
        way = np.sign(np.nansum(pointed * along)) or 1.0
        if column is ROTATION:
            after = turned_towards(before, way * along[:, ::-1])
        else:
            after = np.where(np.isnan(before), np.nan, way * along)
        off = np.nan_to_num(np.abs(after - before)).reshape(len(ids), -1).max(axis=1)
        rows = np.flatnonzero(off > TURNED)
        if len(rows):
            edit = _with(annotation, edit, column.name, ids[rows], after[rows])
    return edit


def _after(
    annotation: Annotation, edit: Edit, name: str, ids: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return ``(N, ...)`` of a column as it is after an edit."""
    source = {"positions_zyx": annotation.positions_zyx, **annotation.optional}[name]
    values = source[np.minimum(ids, len(annotation) - 1)].astype(np.float64)
    if name in edit.values:
        order = np.argsort(edit.ids)
        at = np.searchsorted(edit.ids, ids, sorter=order)
        rows = order[np.minimum(at, len(order) - 1)]
        changed = edit.ids[rows] == ids
        values[changed] = edit.values[name][rows[changed]]
    return values


def _with(
    annotation: Annotation,
    edit: Edit,
    name: str,
    ids: NDArray[np.intp],
    values: NDArray[np.float64],
) -> Edit:
    """Return an edit that also gives these picks values of a column."""
    more = np.setdiff1d(ids, edit.ids)
    both = np.concatenate([more, edit.ids])  # New numbers stay behind.
    now = {
        "positions_zyx": annotation.positions_zyx,
        "codes": annotation.codes,
        "scores": annotation.scores,
        "alive": annotation.alive,
        **annotation.optional,
    }
    found = {
        key: np.concatenate([now[key][more], new]) for key, new in edit.values.items()
    }
    if name not in found:
        found[name] = now[name][both]
    places = {pick: row for row, pick in enumerate(both.tolist())}
    found[name][[places[pick] for pick in ids.tolist()]] = values
    return replace(edit, ids=both, values=found)
