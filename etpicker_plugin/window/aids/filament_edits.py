"""The edits of a filament's points, which keep what is known of its curve true.

Points stand in the order of their numbers. Where the points have orientations,
directions or curvatures, as picks do, those that an edit changes follow the curve.
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
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.orientation import turned_round, turned_towards
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.history import Edit

TURNED = 1e-4
"""Sine of the least angle by which an orientation is made to follow its curve."""

BENT = 1e-6
"""The least difference of a curvature, 1/Å, that counts for an edit's."""


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
    *,
    voxel_size: float,
) -> Edit:
    """Return the edit that adds a point before the one at a place of a filament.

    Parameters
    ----------
    ids
        ``(N,)`` its points in order, one or more.
    place
        0 … N; at N the point is added at the end.
    voxel_size
        Of the tomogram, Å: curvatures are in 1/Å.
    """
    edit = annotation.inserting(int(ids[max(place - 1, 0)]), ids[place:])
    edit.values["positions_zyx"][0] = position_zyx
    edit.values["scores"][0] = np.nan
    after = np.append(ids, edit.ids[-1])
    return _followed(annotation, edit, ids, after, voxel_size)


def moving(
    annotation: Annotation,
    ids: NDArray[np.intp],
    pick: int,
    position_zyx: ArrayLike,
    *,
    voxel_size: float,
) -> Edit:
    """Return the edit that moves one point of a filament."""
    edit = annotation.moving(pick, position_zyx)
    return _followed(annotation, edit, ids, ids, voxel_size)


def deleting(
    annotation: Annotation, ids: NDArray[np.intp], pick: int, *, voxel_size: float
) -> Edit:
    """Return the edit that deletes one point of a filament."""
    left = ids[ids != pick]
    return _followed(annotation, annotation.deleting(pick), ids, left, voxel_size)


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


def _followed(
    annotation: Annotation,
    edit: Edit,
    before: NDArray[np.intp],
    ids: NDArray[np.intp],
    voxel_size: float,
) -> Edit:
    """Return the edit with what is known at each point made to follow the new curve.

    Parameters
    ----------
    before, ids
        The filament's points in order, before and after the edit.
    """
    points = _after(annotation, edit, "positions_zyx", ids)
    if not _is_curve(points):
        return edit
    edit = _turned(annotation, edit, ids, points)
    if CURVATURE.name in annotation.optional:
        was = annotation.positions_zyx[before].astype(np.float64)
        edit = _bent(annotation, edit, ids, points, was, voxel_size)
    return edit


def _is_curve(points: NDArray[np.float64]) -> bool:
    """Return whether there is one curve through points."""
    return len(points) > 1 and bool(np.diff(points, axis=0).any(axis=1).all())


def _turned(
    annotation: Annotation,
    edit: Edit,
    ids: NDArray[np.intp],
    points: NDArray[np.float64],
) -> Edit:
    """Return the edit with orientations and directions turned along the new curve."""
    curve = curve_through(points)
    along = curve.spline.derivative()(path_lengths(points))
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    for column in (ROTATION, DIRECTION):
        if column.name not in annotation.optional:
            continue
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


def _bent(
    annotation: Annotation,
    edit: Edit,
    ids: NDArray[np.intp],
    points: NDArray[np.float64],
    was: NDArray[np.float64],
    voxel_size: float,
) -> Edit:
    """Return the edit with the curvatures, where known, that it changes.

    Others stay: a picked filament's are those of a smoother curve than one through
    its points.

    Parameters
    ----------
    was
        ``(M, 3)`` the filament's points before the edit.
    """
    known = np.isfinite(_after(annotation, edit, CURVATURE.name, ids))
    now = _curvatures(points) / voxel_size
    then = (
        _curvatures(was) / voxel_size if _is_curve(was) else np.full(len(was), np.nan)
    )
    before = dict(zip_strict(map(tuple, was.tolist()), then.tolist()))
    same = np.array([before.get(tuple(p), np.nan) for p in points.tolist()])
    rows = np.flatnonzero(known & ~(np.abs(now - same) <= BENT))
    if len(rows):
        edit = _with(annotation, edit, CURVATURE.name, ids[rows], now[rows])
    return edit


def _curvatures(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(N,)`` 1 over the radius of curvature at each point, 1/voxel."""
    spline = curve_through(points).spline
    if spline.k == 1:
        return np.zeros(len(points))
    parameters = path_lengths(points)
    velocity = spline.derivative()(parameters)
    bend = np.cross(velocity, spline.derivative(2)(parameters))
    speed = np.linalg.norm(velocity, axis=1)
    return np.asarray(np.linalg.norm(bend, axis=1) / speed**3)


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
