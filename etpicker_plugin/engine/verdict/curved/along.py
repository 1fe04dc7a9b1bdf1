"""What is seen along the filaments of each set: directions, step, repeat and twist."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.columns import FILAMENT, ROTATION
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.config.pick_sets import CONTROL
from etpicker_plugin.engine.filaments.curve import curve_through, path_lengths
from etpicker_plugin.engine.subtomograms.normalise import normalise
from etpicker_plugin.engine.verdict.curved.repeat import (
    Repeat,
    find_repeat,
    power_along,
)
from etpicker_plugin.engine.verdict.curved.twist import (
    LEAST_BOXES,
    TwistSign,
    common_turn,
    judge_sign,
    kept_form,
    turns_along,
)
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.cutting import cut_box
from etpicker_plugin.engine.verdict.places.geometry import is_clear_of_faces
from etpicker_plugin.engine.volumes.tomogram import Tomogram, TomogramBoxes

BESIDE_WIDTHS = 0.55
"""Up to which a filament's density is read across it."""
MOST_FILAMENTS = 60
"""Of a set, that are looked along."""
REGULAR = 0.15
"""Of the step, by which it may vary and still be one."""
OFF_REPEATS, NEAR_REPEATS = 0.03, 0.25
"""By which a step misses a whole number of repeats: more than the first is a mistake,
more than the second no attempt at it, or the rise of a helix."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One filament of a set, in its order."""

    tomogram: Tomogram
    points_zyx: FloatArray
    matrices: FloatArray


@dataclass(frozen=True, kw_only=True)
class Step:
    """The way from point to point of a set, beside the repeat that is seen."""

    step_ang: float
    repeat: Repeat

    @property
    def repeats(self) -> float:
        """Return how many repeats a step is."""
        return self.step_ang / self.repeat.period_ang

    @property
    def whole(self) -> int:
        """Return the number of repeats that a step is nearest to."""
        return max(round(self.repeats), 1)

    @property
    def is_wrong(self) -> bool:
        """Whether it is surely near a whole number of them, and surely not at it."""
        missed = abs(self.repeats - self.whole)
        error = self.repeats * self.repeat.error_ang / self.repeat.period_ang
        return max(OFF_REPEATS, 3 * error) < missed <= NEAR_REPEATS


def lines_of(sets: PickSets, name: str) -> Iterator[Line]:
    """Yield the filaments of a set, of three points or more; at most so many."""
    count = 0
    for t, tomogram in sets.tomograms.items():
        particles = sets.picks[name][t]
        ids = particles.optional.get(FILAMENT.name, FILAMENT.unknown(len(particles)))
        for identifier in dict.fromkeys(ids.tolist()):
            rows = np.flatnonzero(ids == identifier)
            if len(rows) > 2 and count < MOST_FILAMENTS:
                count += 1
                yield Line(
                    tomogram=tomogram,
                    points_zyx=particles.positions_zyx[rows],
                    matrices=np.asarray(particles.optional[ROTATION.name])[rows],
                )


def direction_errors(sets: PickSets) -> dict[str, float]:
    """Return the median angle between orientations and curves of each set, degrees.

    Either way along the curve is right.
    """
    errors = {}
    for name in sets.names:
        angles = [np.zeros(0)]
        for line in lines_of(sets, name):
            curve = curve_through(line.points_zyx)
            along = curve.spline.derivative()(path_lengths(line.points_zyx))
            along /= np.linalg.norm(along, axis=1, keepdims=True)
            cosines = np.sum(along[:, ::-1] * line.matrices[:, :, 2], axis=1)
            angles.append(np.degrees(np.arccos(np.clip(np.abs(cosines), 0.0, 1.0))))
        every = np.concatenate(angles)
        if len(every):
            errors[name] = float(np.median(every))
    return errors


def step_of(written: PickSets, name: str) -> float | None:
    """Return the way from point to point in Å, if a set has one step."""
    steps = [np.zeros(0)]
    for t, particles in written.picks[name].items():
        ids = particles.optional.get(FILAMENT.name, FILAMENT.unknown(len(particles)))
        for identifier in dict.fromkeys(ids.tolist()):
            points = particles.positions_zyx[ids == identifier]
            ways = np.linalg.norm(np.diff(points, axis=0), axis=1)
            steps.append(ways * written.tomograms[t].voxel_size)
    every = np.concatenate(steps)
    if not len(every):
        return None
    usual = float(np.median(every))
    spread = np.median(np.abs(every - usual))
    return (
        float(every[np.abs(every - usual) <= usual / 2].mean())
        if (spread <= REGULAR * usual)
        else None
    )


def find_steps(
    written: PickSets,
    sets: PickSets,
    candidates: Candidates,
    *,
    width_ang: float,
    seed: int,
) -> dict[str, Step]:
    """Return the step of each set whose filaments show a repeat, and have a step.

    Parameters
    ----------
    written, sets
        The picks as they are given, and as they are judged.
    """
    radius = BESIDE_WIDTHS * width_ang / sets.voxel_size
    beside = [
        power_along(
            TomogramBoxes(sets.tomograms[str(candidates.tomogram_ids[rows[0]])]),
            candidates.positions_zyx[rows],
            radius_vox=radius,
        )
        for rows in _pieces(candidates)[:MOST_FILAMENTS]
    ]
    found = {}
    for name in sets.names:
        step = step_of(written, name)
        if step is None:
            continue
        powers = [
            power_along(TomogramBoxes(o.tomogram), o.points_zyx, radius_vox=radius)
            for o in lines_of(sets, name)
        ]
        repeat = find_repeat(powers, beside, voxel_size=sets.voxel_size, seed=seed)
        if repeat is not None:
            found[name] = Step(step_ang=step, repeat=repeat)
    return found


def _pieces(candidates: Candidates) -> list[np.ndarray]:
    """Return the rows of each piece of the control, in order along it."""
    rows = candidates.rows[CONTROL]
    things = candidates.things
    if things is None:
        return []
    return [rows[things[rows] == thing] for thing in np.unique(things[rows])]


def find_twists(
    sets: PickSets, *, width_ang: float, border_vox: float, invert: bool
) -> dict[str, TwistSign]:
    """Return the sign of the twist of each set whose orientations have one."""
    found = {}
    for name in sets.names:
        lines = list(lines_of(sets, name))
        turns = [turns_along(o.points_zyx, o.matrices) for o in lines]
        turn = common_turn(turns)
        if turn is None:
            continue
        kept = [
            _kept_by_both(line, turned, width_ang, border_vox, invert)
            for line, turned in zip(lines, turns, strict=True)
        ]
        pairs = [pair for pair in kept if pair is not None]
        sign = judge_sign([p[0] for p in pairs], [p[1] for p in pairs], turn_deg=turn)
        if sign is not None:
            found[name] = sign
    return found


def _kept_by_both(
    line: Line,
    turns_deg: FloatArray,
    width_ang: float,
    border_vox: float,
    invert: bool,
) -> tuple[float, float] | None:
    """Return what a filament's boxes keep as they turn, and the other way round."""
    tomogram = line.tomogram
    clear = is_clear_of_faces(
        line.points_zyx, tomogram.shape_zyx, border_vox=border_vox
    )
    if np.count_nonzero(clear) < LEAST_BOXES:
        return None
    radius = BESIDE_WIDTHS * width_ang / tomogram.voxel_size
    edge = 2 * (int(np.ceil(radius)) + 2)
    volume = TomogramBoxes(tomogram)
    boxes = np.stack(
        [cut_box(volume, p, box=edge, scale=1.0) for p in line.points_zyx[clear]]
    )
    signed = -boxes if invert else boxes
    normal = normalise(signed, mode="sphere", radius_vox=radius)
    points = line.points_zyx[clear]
    written, other = (
        kept_form(list(normal), points, sign * turns_deg[clear], radius_vox=radius)
        for sign in (1.0, -1.0)
    )
    return written, other
