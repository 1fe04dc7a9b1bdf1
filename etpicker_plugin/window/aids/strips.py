"""Pictures along a filament, and round a vesicle, that tell whether a mark is right.

Along a right trace the filament is straight, in the middle of the picture; round a
right centre, at the right radius, the membrane is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.filaments.curve import (
    curve_through,
    equidistant,
    frames,
    path_lengths,
)
from etpicker_plugin.window.document.volume import Sliced

COLUMNS_AT_ONCE = 48
"""Whose neighbourhood is read at once: a box about a whole filament may be large."""

REACH = 1.5
"""Half the height of a picture along a filament, in its widths."""

LEAST_REACH, MOST_REACH = 8, 60
"""Of the same, in voxels."""

SLAB_SHARE = 0.25
"""Of a width: how thick a section along a filament is."""

ROUND = (0.45, 1.55)
"""From where to where a picture round a vesicle goes, in its radii."""

MOST_COLUMNS = 4000


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A long picture.

    Attributes
    ----------
    name
        What it shows.
    values
        ``(H, W)``, the first row at the bottom; NaN outside the tomogram.
    columns_zyx
        ``(W, 3)`` the places of its columns: on the curve, or on the membrane.
    guides
        Rows at which what was marked should lie: a filament's sides, a membrane.
    ticks
        Columns of a filament's points.
    """

    name: str
    values: NDArray[np.float32]
    columns_zyx: NDArray[np.float64]
    guides: tuple[float, ...]
    ticks: tuple[float, ...] = ()


def along_filament(
    volume: Sliced, points_zyx: NDArray[np.float64], *, width_vox: float
) -> tuple[Strip, ...]:
    """Return two sections along a filament, across each other: flat, and upright.

    The first holds the filament and what lies beside it in xy, where it begins; the
    second what lies above and below. Both turn with the filament as little as possible.
    A micrograph has the first alone.

    Parameters
    ----------
    points_zyx
        ``(N, 3)``, two or more in order, no two after each other in one place.

    Raises
    ------
    InputDataError
        If the tomogram can no longer be read.
    """
    curve = curve_through(points_zyx)
    step = max(1.0, curve.length / MOST_COLUMNS)
    at = equidistant(curve.length, step)
    middle, along = curve.points(at), curve.tangents(at)
    turned = frames(middle, along)
    upright, beside = turned[:, ::-1, 0], turned[:, ::-1, 1]
    reach = int(np.clip(np.ceil(REACH * width_vox), LEAST_REACH, MOST_REACH))
    rows = np.arange(-reach, reach + 1)
    is_flat = volume.shape_zyx[0] == 1
    slab = 0 if is_flat else int(SLAB_SHARE * width_vox / 2)
    depths = np.arange(-slab, slab + 1)
    marked = curve.spline(path_lengths(points_zyx))
    ticks = tuple(
        float(np.linalg.norm(middle - place, axis=1).argmin()) for place in marked
    )
    ways = [("along, flat", beside, upright), ("along, upright", upright, beside)]
    return tuple(
        Strip(
            name=name,
            values=_sections(volume, middle, across, deep, rows=rows, depths=depths),
            columns_zyx=middle,
            guides=(reach - width_vox / 2, reach + width_vox / 2),
            ticks=ticks,
        )
        for name, across, deep in (ways[:1] if is_flat else ways)
    )


def _sections(
    volume: Sliced,
    middle: NDArray[np.float64],
    across: NDArray[np.float64],
    deep: NDArray[np.float64],
    *,
    rows: NDArray[np.intp],
    depths: NDArray[np.intp],
) -> NDArray[np.float32]:
    """Return ``(H, W)``: means over depths, of places across a curve."""
    values = np.empty((len(rows), len(middle)), dtype=np.float32)
    for part in _parts(len(middle)):
        places = (
            middle[part]
            + rows[:, None, None, None] * across[part]
            + depths[:, None, None] * deep[part]
        )
        values[:, part] = _mean(sample(volume, places))
    return values


def round_vesicle(
    volume: Sliced, centre_zyx: NDArray[np.float64], *, radius_vox: float
) -> tuple[Strip, ...]:
    """Return a vesicle's membrane unrolled, in the xy and the xz slice of its centre.

    Columns are angles, from x on towards y or z; rows are radii. A micrograph has the
    first alone.

    Raises
    ------
    InputDataError
        If the tomogram can no longer be read.
    """
    count = int(np.clip(np.ceil(2 * np.pi * radius_vox), 60, MOST_COLUMNS))
    angles = 2 * np.pi * np.arange(count) / count
    cosine, sine, none = np.cos(angles), np.sin(angles), np.zeros(count)
    first, last = (round(share * radius_vox) for share in ROUND)
    radii = np.arange(first, last + 1)
    ways = [
        ("round, in xy", np.stack([none, sine, cosine], axis=1)),
        ("round, in xz", np.stack([sine, none, cosine], axis=1)),
    ]
    made = []
    for name, outwards in ways[:1] if volume.shape_zyx[0] == 1 else ways:
        values = np.empty((len(radii), count), dtype=np.float32)
        for part in _parts(count):
            places = centre_zyx + radii[:, None, None] * outwards[part]
            values[:, part] = sample(volume, places)
        columns = centre_zyx + radius_vox * outwards
        guides = (radius_vox - first,)
        made.append(Strip(name=name, values=values, columns_zyx=columns, guides=guides))
    return tuple(made)


def shell_of_vesicle(
    volume: Sliced, centre_zyx: NDArray[np.float64], *, radius_vox: float
) -> Strip:
    """Return the membrane as a map: columns are longitudes, rows latitudes.

    The first row is the pole at low z.

    Raises
    ------
    InputDataError
        If the tomogram can no longer be read.
    """
    count = int(np.clip(np.ceil(np.pi * radius_vox), 30, MOST_COLUMNS // 2))
    latitudes = (np.arange(count) + 0.5) / count * np.pi - np.pi / 2
    longitudes = 2 * np.pi * np.arange(2 * count) / (2 * count)
    ring = np.cos(latitudes)[:, None]
    outwards = np.stack(
        np.broadcast_arrays(
            np.sin(latitudes)[:, None],
            ring * np.sin(longitudes),
            ring * np.cos(longitudes),
        ),
        axis=-1,
    )
    values = np.empty(outwards.shape[:2], dtype=np.float32)
    for part in _parts(2 * count):
        values[:, part] = sample(volume, centre_zyx + radius_vox * outwards[:, part])
    equator = centre_zyx + radius_vox * outwards[count // 2]
    return Strip(name="shell", values=values, columns_zyx=equator, guides=())


def sample(volume: Sliced, places_zyx: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the values at places ``(..., 3)`` between voxels; NaN outside.

    The smallest box that holds the places is read.
    """
    flat = places_zyx.reshape(-1, 3)
    size = np.array(volume.shape_zyx)
    first = np.clip(np.floor(flat.min(axis=0)).astype(int), 0, size - 1)
    last = np.clip(np.ceil(flat.max(axis=0)).astype(int) + 1, first + 1, size)
    box = tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    voxels = np.asarray(volume.read((box[0], box[1], box[2])), dtype=np.float32)
    values = ndimage.map_coordinates(voxels, (flat - first).T, order=1, mode="nearest")
    outside = ((flat < -0.5) | (flat > size - 0.5)).any(axis=1)
    values[outside] = np.nan
    return np.asarray(values.reshape(places_zyx.shape[:-1]), dtype=np.float32)


def _parts(count: int) -> Iterator[slice]:
    for first in range(0, count, COLUMNS_AT_ONCE):
        yield slice(first, min(first + COLUMNS_AT_ONCE, count))


def _mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean over the second axis of what is there."""
    there = np.isfinite(values)
    total = np.where(there, values, 0).sum(axis=1)
    count = there.sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
