"""Filaments as curves: their course in space, and what a slice shows of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.filaments.curve import curve_through, path_lengths
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.settings import Classes
from etpicker_plugin.window.drawing.colours import class_colour
from etpicker_plugin.window.drawing.sections import IN_PLANE

STEP = 1.0
"""Voxels between places on a course."""

MOST_PLACES = 2000
LEAST_STEP_PX = 4.0
LEAST_BAND = 1.5
"""Voxels to both sides of a slice in which a thin filament is drawn full."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A filament as it is drawn.

    Attributes
    ----------
    name, class_name
        Its id and class.
    ids, points_zyx
        ``(N,)`` and ``(N, 3)`` its points, in order.
    course_zyx
        ``(M, 3)`` places on the curve through them, about a voxel apart.
    gaps
        ``(M,)`` before which point, 1 … N - 1, one at that place would come.
    width_vox
        Its class's.
    colour
        Its class's.
    """

    name: str
    class_name: str
    ids: NDArray[np.intp]
    points_zyx: NDArray[np.float64]
    course_zyx: NDArray[np.float64]
    gaps: NDArray[np.intp]
    width_vox: float
    colour: str

    @property
    def band(self) -> float:
        """Return how far from a slice it counts as near, voxels."""
        return max(self.width_vox / 2, LEAST_BAND)


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A place on a curve under the mouse: before which of its points."""

    name: str
    gap: int
    position_zyx: NDArray[np.float64]


def traces_of(
    document: Document,
    classes: Classes,
    *,
    hidden: frozenset[str] = frozenset(),
    moved: Mapping[int, NDArray[np.float64]] | None = None,
    also: str | None = None,
) -> list[Trace]:
    """Return the filaments that count and are of no hidden class.

    Parameters
    ----------
    moved
        Points that are being dragged, and where they are now.
    also
        The id of a filament that is shown whether it counts or not.
    """
    annotation, names = document.annotation, classes.names()
    found = []
    for one in document.filaments(classes).values():
        counts = document.visible(classes, hidden, one.ids).all()
        if not counts and one.name != also:
            continue
        points = annotation.positions_zyx[one.ids]
        for pick in set(moved or ()) & set(one.ids.tolist()):
            points[one.ids == pick] = moved[pick]
        course, gaps = course_of(points)
        found.append(
            Trace(
                name=one.name,
                class_name=one.class_name,
                ids=one.ids,
                points_zyx=points,
                course_zyx=course,
                gaps=gaps,
                width_vox=classes[one.class_name].diameter_ang
                / document.volume.voxel_size,
                colour=class_colour(one.class_name, names),
            )
        )
    return found


def course_of(
    points_zyx: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return places ``(M, 3)`` on the curve through points, and their gaps ``(M,)``."""
    return _course(points_zyx.tobytes())


@lru_cache(maxsize=4096)
def _course(points: bytes) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    given = np.frombuffer(points).reshape(-1, 3)
    apart = np.append(True, np.diff(given, axis=0).any(axis=1))
    distinct, numbers = given[apart], np.flatnonzero(apart)
    if len(distinct) == 1:
        return distinct, np.ones(1, dtype=np.intp)
    lengths = path_lengths(distinct)
    count = min(int(np.ceil(lengths[-1] / STEP)) + 1, MOST_PLACES)
    at = np.linspace(0.0, lengths[-1], max(count, 2))
    before = np.clip(np.searchsorted(lengths, at), 1, len(distinct) - 1)
    return np.asarray(curve_through(distinct).spline(at)), numbers[before]


def near_slice(
    trace: Trace, places_zyx: NDArray[np.float64], *, axis: int, index: float
) -> NDArray[np.bool_]:
    """Return which places of a trace lie near a slice."""
    return np.abs(places_zyx[:, axis] - index) <= trace.band


def hit_trace(
    traces: Sequence[Trace],
    point: tuple[float, float],
    *,
    axis: int,
    index: float,
    slack: float,
) -> Hit | None:
    """Return the place on a curve, near the slice, that is nearest to a point in it.

    ``None`` if none is within ``slack`` voxels.
    """
    best, found = slack, None
    for trace in traces:
        near = np.flatnonzero(
            near_slice(trace, trace.course_zyx, axis=axis, index=index)
        )
        if len(near) == 0 or len(trace.ids) < 2:
            continue
        flat = trace.course_zyx[near][:, IN_PLANE[axis]]
        distances = np.hypot(*(flat - np.asarray(point)).T)
        row = int(np.argmin(distances))
        if distances[row] <= best:
            place = near[row]
            best, found = (
                float(distances[row]),
                Hit(
                    name=trace.name,
                    gap=int(trace.gaps[place]),
                    position_zyx=trace.course_zyx[place],
                ),
            )
    return found


def thinned(count: int, *, scale: float) -> NDArray[np.intp]:
    """Return which of a course's places to draw at pixels per voxel, ends included.

    Closer ones than ``LEAST_STEP_PX`` take time and are not seen.
    """
    stride = max(1, round(LEAST_STEP_PX / (STEP * scale)))
    return np.append(np.arange(0, count - 1, stride), count - 1)


def runs(chosen: NDArray[np.bool_]) -> list[slice]:
    """Return the stretches in which something holds, each with one place more.

    The place more joins a stretch to what follows it.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(int), [0]])))
    return [
        slice(int(a), int(b) + 1) for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]
