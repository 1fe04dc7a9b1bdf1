"""How far picks lie beside the axis of their filaments, or off their membranes.

In the frame of the average, as when all curves are traced along one wall; or in that of
the tomogram, as a wrong origin puts them. The one that brings more together is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.comparison.offsets import ALARM_VOX, Offset
from etpicker_plugin.engine.verdict.curved.sections import (
    Sections,
    correlations,
    round_template,
)
from etpicker_plugin.engine.verdict.origins.density import find_peak

CHANCE = 1e-3
"""Of an alarm on one axis by luck."""
SYSTEMATIC_VOX = 0.1
NO_FARTHER = 0.01
"""Of a peak's height, by which the edge is lowered: filaments that lie alike do not say
where along them they are, and then it is nowhere."""
AS_HIGH = 0.95
"""Of the peak in the average's frame, where that in the tomogram's is named: both are
one where all things lie alike."""
ROUNDS = 3
"""In which things are centred and the template is made anew."""

IndexArray = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class OffAxis:
    """Where a set's picks lie, pick minus density.

    Attributes
    ----------
    n_things
        Filaments or vesicles that it was measured on.
    axes
        Names of the axes of the average that were looked along: x and y across a
        filament, z off a membrane.
    mean_ang, error_ang
        Along these, Å.
    alarm_sigma
        Standard errors that an alarm needs.
    in_tomogram
        Tomogram voxels along x, y and z.
    is_of_tomogram
        Whether a constant place in the tomogram tells more than one in the average.
    section
        Mean section of the set as its picks lie, ``(B, B)`` or ``(B,)``.
    """

    n_things: int
    axes: tuple[str, ...]
    mean_ang: tuple[float, ...]
    error_ang: tuple[float, ...]
    alarm_sigma: float
    alarm_ang: float
    in_tomogram: Offset
    is_of_tomogram: bool
    section: FloatArray

    @property
    def alarming_axes(self) -> tuple[str, ...]:
        """Axes of the average along which the picks surely lie off it."""
        return tuple(
            axis
            for axis, mean, error in zip(
                self.axes, self.mean_ang, self.error_ang, strict=True
            )
            if abs(mean) >= max(self.alarm_ang, self.alarm_sigma * error)
        )


def find_off_axis(
    sections: Sections,
    matrices: FloatArray,
    things: IndexArray,
    rows: Mapping[str, IndexArray],
    *,
    scale: float,
    voxel_size: float,
) -> dict[str, OffAxis]:
    """Return how far each set lies off its filaments or membranes.

    Parameters
    ----------
    sections, matrices, things
        Of all boxes: N sections, ``(N, 3, 3)`` and ``(N,)`` the thing each is on.
    rows
        Per set: which boxes are its own.
    scale
        Box voxel size over the tomograms', whose is ``voxel_size``, Å.
    """
    reach = int(np.ceil(sections.radius_vox))
    groups = [
        own[things[own] == thing]
        for own in rows.values()
        for thing in np.unique(things[own])
    ]
    maps = correlations(
        sections, _sharp_template(sections, groups, reach), reach_vox=reach
    )
    return {
        name: _of_set(
            sections.values[own],
            maps[own],
            matrices[own],
            things[own],
            sections.axes,
            scale=scale,
            voxel_size=voxel_size,
        )
        for name, own in rows.items()
    }


def _sharp_template(
    sections: Sections, groups: list[IndexArray], reach: int
) -> FloatArray:
    """Return the round template of all, each group of boxes first moved to the middle.

    A group are those of one set on one thing.
    """
    means = np.stack([sections.values[group].mean(axis=0) for group in groups])
    weights = [float(len(group)) for group in groups]
    of_things = Sections(
        values=means, axes=sections.axes, radius_vox=sections.radius_vox
    )
    centred = means
    for _ in range(ROUNDS):
        template = round_template(
            np.average(centred, axis=0, weights=weights), sections
        )
        maps = correlations(of_things, template, reach_vox=reach)
        centred = np.stack(
            [
                ndimage.shift(mean, -find_peak(found), order=1, mode="nearest")
                for mean, found in zip(means, maps, strict=True)
            ]
        )
    return round_template(np.average(centred, axis=0, weights=weights), sections)


def _of_set(
    values: FloatArray,
    maps: NDArray[np.float32],
    matrices: FloatArray,
    things: IndexArray,
    axes: tuple[int, ...],
    *,
    scale: float,
    voxel_size: float,
) -> OffAxis:
    numbers, owner = np.unique(things, return_inverse=True)
    count = len(numbers)
    weights = np.concatenate([np.ones((1, count)), 1.0 - np.eye(count)])
    own = _summed(maps, owner, count)
    outside = _summed(_in_tomogram(maps, matrices, axes), owner, count)
    in_frame, frame_height = _peaks(own, weights)
    in_tomogram, height = _peaks(outside, weights, no_farther=NO_FARTHER)
    is_of_tomogram = height >= AS_HIGH * frame_height
    sigma = float(stats.t.isf(CHANCE / 2, max(count - 1, 1)))
    floor = SYSTEMATIC_VOX / scale
    means = -in_frame[0] * scale * voxel_size
    errors = np.hypot(_jackknife(in_frame[1:]), floor) * scale * voxel_size
    return OffAxis(
        n_things=count,
        axes=tuple("xyz"[axis] for axis in axes),
        mean_ang=tuple(float(v) for v in means[::-1]),
        error_ang=tuple(float(v) for v in errors[::-1]),
        alarm_sigma=sigma,
        alarm_ang=ALARM_VOX * voxel_size,
        in_tomogram=_offset(
            in_tomogram,
            outside,
            len(maps),
            scale,
            sigma if is_of_tomogram else np.inf,
        ),
        is_of_tomogram=is_of_tomogram,
        section=values.mean(axis=0),
    )


def _offset(
    drawn: FloatArray, maps: FloatArray, n: int, scale: float, sigma: float
) -> Offset:
    """Return a set's offset in the tomogram; along what is not told it is 0 ± much."""
    reach = float(maps.shape[-1] // 2)
    is_found = np.abs(drawn[0]) < reach - 1e-6
    floors = np.where(is_found, SYSTEMATIC_VOX / scale, reach)
    errors = np.hypot(_jackknife(drawn[1:]), floors)
    return Offset(
        n=n,
        mean_xyz=tuple(float(v) for v in -scale * drawn[0][::-1]),
        standard_error_xyz=tuple(float(v) for v in scale * errors[::-1]),
        alarm_sigma=sigma,
    )


def _jackknife(left_out: FloatArray) -> FloatArray:
    """Return the standard error of ``(T, D)`` estimates, each without one thing.

    A draw with replacement may lack all filaments that run across an axis.
    """
    count = len(left_out)
    return np.asarray(np.sqrt(max(count - 1, 1)) * left_out.std(axis=0))


def _summed(maps: NDArray[np.float32], owner: IndexArray, count: int) -> FloatArray:
    """Return the sum of maps for each thing."""
    sums = np.zeros((count, *maps.shape[1:]))
    np.add.at(sums, owner, maps)
    return sums


def _peaks(
    sums: FloatArray, weights: FloatArray, *, no_farther: float = 0.0
) -> tuple[FloatArray, float]:
    """Return ``(R, D)`` where the sums peak, weighted R ways, and how high at first."""
    flat = sums.reshape(len(sums), -1)
    totals = (weights @ flat).reshape(len(weights), *sums.shape[1:])
    height = float(totals[0].max())
    reach = sums.shape[-1] // 2
    steps = np.indices(sums.shape[1:]) - float(reach)
    lowered = no_farther * abs(height) * (steps**2).sum(axis=0) / reach**2
    return np.stack([find_peak(total - lowered) for total in totals]), height


def _in_tomogram(
    maps: NDArray[np.float32], matrices: FloatArray, axes: tuple[int, ...]
) -> NDArray[np.float32]:
    """Return ``(N, K, K, K)``: the correlation if a box moved so in the tomogram.

    Of a shift s only what lies across the filament, or along the normal, is seen.
    """
    size = maps.shape[-1]
    reach = size // 2
    z, y, x = np.indices((size,) * 3).reshape(3, -1) - reach
    shifts = np.stack([x, y, z])
    made = np.empty((len(maps), size**3), np.float32)
    for number, (found, rotation) in enumerate(zip(maps, matrices, strict=True)):
        seen = rotation[:, list(axes)[::-1]].T @ shifts
        made[number] = ndimage.map_coordinates(
            found, seen + reach, order=1, mode="constant", cval=float(found.min())
        )
    return made.reshape(len(maps), size, size, size)
