"""Move a vesicle's surface to the middle of its membrane in the tomogram.

The density is sampled along normals all over the surface. On average it shows the
profile of the membrane, which is alike on both sides of its middle: two leaflets, and
the fringes of the CTF about them. In a micrograph it is the profile of a rim. Then each
part of the surface is moved to where its own profile is most like that average, and an
ellipsoid is fitted to the parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.geometry import lies_outside
from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid, seen_from_above
from etpicker_plugin.engine.vesicles.fit import fit_ellipsoid
from etpicker_plugin.engine.vesicles.marks import directions_of
from etpicker_plugin.engine.volumes.array_volume import Readable

REACH_ANG = 120.0
"""How far from the surface the density is looked at."""

MOST_SHIFT_ANG = 40.0
"""How far a part may be moved in a round."""

STEP_VOX = 0.5
SPACING_VOX = 1.5
"""Between samples along a normal, and between normals."""

PARTS, RIM_PARTS = 60, 24
"""Of a surface, or an outline, each with a profile of its own; they overlap."""

PART_REACH = 0.45
"""Angle from a part's middle to where its weight has fallen by half."""

STEEPEST = 0.75
"""z of a normal: membranes that lie flatter are lost in the missing wedge."""

BAND_ANG = 22.0
ROUNDS = 5
FEWEST_NORMALS, FEWEST_OF_RIM = 100, 30
LEAST_CONTRAST = 8.0
"""By how much the average profile is in all, in deviations. Of noise, it gives 4."""

ALIKE_VOX = 3.0
"""Profiles nearer than this have the same noise."""

LEAST_SHOWN = 0.25
UNSEEN_WEIGHT = 0.1
FIT_ERROR_VOX = 0.5
"""Of a part. One that is not shown stays, and counts little."""


def refine_on_volume(
    surface: Ellipsoid, volume: Readable, *, voxel_size: float
) -> Ellipsoid:
    """Return the surface on the middle of the membrane; the same where none shows.

    Parameters
    ----------
    surface
        In voxels of ``volume``, a few voxels from the membrane at the most.
    volume
        Of either contrast.
    voxel_size
        Å.
    """
    before = _sample(surface, volume, voxel_size)
    if before is None:
        return surface
    starts = [surface]
    starts += [_moved(surface, before, sign * before.band()) for sign in (1, -1)]
    tried = [(max(LEAST_CONTRAST, before.contrast()), surface)]
    for refined in starts:
        for _ in range(ROUNDS):
            sampled = _sample(refined, volume, voxel_size)
            if sampled is None:
                break
            tried.append((sampled.contrast(), refined))
            refined = _moved(refined, sampled, sampled.model())
    return max(tried, key=lambda one: one[0])[1]


@dataclass(frozen=True)
class _Sampled:
    """Densities along normals of a surface, where the tomogram can show it.

    Attributes
    ----------
    directions
        ``(N, 3)`` of the normals' feet, on the unit sphere.
    profiles
        ``(N, 2 (reach + most) + 1)``, from inside outward; their means are 0.
    is_flat
        Whether they are of a rim in a micrograph.
    reach, most
        In steps: how long half a model is, and how far it may be moved.
    band_steps
        Width of a membrane's dark band, as a deviation.
    """

    directions: FloatArray
    profiles: FloatArray
    is_flat: bool
    reach: int
    most: int
    band_steps: float

    @property
    def middles(self) -> FloatArray:
        """Return ``(M, 3)`` of the surface's parts, on the unit sphere."""
        return directions_of(RIM_PARTS if self.is_flat else PARTS, is_flat=self.is_flat)

    def model(self) -> FloatArray:
        """Return the average profile about its middle, ``(2 reach + 1,)``."""
        average = self.profiles.mean(axis=0)
        return _even(average, _middle(average, self.reach, self.most), self.reach)

    def band(self) -> FloatArray:
        """Return a band as wide as a membrane, dense.

        While the surface is far off, the leaflets of its parts do not meet in an
        average.
        """
        steps = np.arange(-self.reach, self.reach + 1.0) / self.band_steps
        return np.asarray((1.0 - steps**2) * np.exp(-0.5 * steps**2))

    def parts(self) -> tuple[FloatArray, FloatArray]:
        """Return the profile of each part, and how much of it is shown, 0 to 1."""
        nearness = np.clip(self.middles @ self.directions.T, -1.0, 1.0)
        near = np.exp(-np.log(2.0) * (np.arccos(nearness) / PART_REACH) ** 2)
        shown = near.sum(axis=1)
        own = near @ self.profiles / np.maximum(shown, 1e-9)[:, None]
        return own, shown / shown.max()

    def contrast(self) -> float:
        """Return by how much the average is in all profiles, in deviations."""
        model = self.model()
        likeness = self.profiles[:, self.most : self.most + len(model)] @ model
        alike = (ALIKE_VOX / SPACING_VOX) ** (1 if self.is_flat else 2)
        count = len(likeness) / alike
        return float(likeness.mean() / max(likeness.std(), 1e-12) * np.sqrt(count))


def _sample(surface: Ellipsoid, volume: Readable, voxel_size: float) -> _Sampled | None:
    """Return what a volume shows across a surface; nothing if it hardly does."""
    nz, ny, nx = volume.shape_zyx
    is_flat = nz == 1
    count = max(200, int(4 * np.pi * surface.radius**2 / SPACING_VOX**2))
    if is_flat:
        count = int(2 * np.pi * surface.radius / SPACING_VOX)
    directions = directions_of(count, is_flat=is_flat)
    points = surface.surface(directions)
    normals = surface.normals(points)
    seen = ~lies_outside(points, (nz, ny, nx)) & (np.abs(normals[:, 0]) <= STEEPEST)
    if np.count_nonzero(seen) < (FEWEST_OF_RIM if is_flat else FEWEST_NORMALS):
        return None
    reach = round(REACH_ANG / voxel_size / STEP_VOX)
    most = round(MOST_SHIFT_ANG / voxel_size / STEP_VOX)
    profiles = _profiles(points[seen], normals[seen], volume, reach + most)
    return _Sampled(
        directions=directions[seen],
        profiles=profiles - profiles.mean(axis=1, keepdims=True),
        is_flat=is_flat,
        reach=reach,
        most=most,
        band_steps=BAND_ANG / voxel_size / STEP_VOX,
    )


def _moved(surface: Ellipsoid, sampled: _Sampled, model: FloatArray) -> Ellipsoid:
    """Return the surface through its parts, each where it is most like a model."""
    parts, shown = sampled.parts()
    shifts = np.array([_shift(profile, model, sampled.most) for profile in parts])
    shifts[shown < LEAST_SHOWN] = 0.0  # there it stays as it was found
    places = surface.surface(sampled.middles)
    places = places + STEP_VOX * shifts[:, None] * surface.normals(places)
    weights = np.maximum(shown, UNSEEN_WEIGHT)
    fitted = fit_ellipsoid(places, surface, error=FIT_ERROR_VOX, weights=weights)
    return seen_from_above(fitted) if sampled.is_flat else fitted


def _middle(average: FloatArray, reach: int, most: int) -> float:
    """Return where a profile is most like its mirror image, in steps from its middle.

    Not far: fringes are alike on both sides too.
    """
    shifts = np.arange(-most, most + 1.0)
    windows = np.lib.stride_tricks.sliding_window_view(average, 2 * reach + 1)
    likeness = (windows * windows[:, ::-1]).sum(axis=1)
    return _highest(shifts, likeness, spread=0.5 * most)


def _even(average: FloatArray, middle: float, reach: int) -> FloatArray:
    """Return ``(2 reach + 1,)``: the mean of a profile and its mirror image."""
    steps = np.arange(len(average)) - len(average) // 2
    window = np.arange(-reach, reach + 1)
    one = np.interp(middle + window, steps, average)
    even = 0.5 * (one + one[::-1])
    return np.asarray(even - even.mean())


def _shift(profile: FloatArray, model: FloatArray, most: int) -> float:
    """Return where a profile is most like the model, in steps from its middle."""
    likeness = np.correlate(profile, model, mode="valid")
    return _highest(np.arange(-most, most + 1.0), likeness, spread=0.5 * most)


def _highest(shifts: FloatArray, likeness: FloatArray, *, spread: float) -> float:
    """Return the shift of the highest, between steps; far ones count less."""
    values = np.maximum(likeness, 0.0) * np.exp(-0.5 * (shifts / spread) ** 2)
    best = int(np.argmax(values))
    if best in (0, len(values) - 1):
        return float(shifts[best])
    low, middle, high = values[best - 1 : best + 2]
    bend = 2.0 * middle - low - high
    return float(shifts[best] + (0.5 * (high - low) / bend if bend > 0 else 0.0))


def _profiles(
    points: FloatArray, normals: FloatArray, volume: Readable, reach: int
) -> FloatArray:
    """Return ``(N, 2 reach + 1)`` densities along normals, from inside outward.

    Outside the volume it is that of the nearest voxel.
    """
    steps = np.arange(-reach, reach + 1) * STEP_VOX
    places = points[:, None] + steps[:, None] * normals[:, None]
    last = np.asarray(volume.shape_zyx) - 1
    places = np.clip(places, 0, last)
    start = np.floor(places.min(axis=(0, 1))).astype(int)
    stop = np.minimum(np.floor(places.max(axis=(0, 1))).astype(int) + 2, last + 1)
    box = volume.read(tuple(start.tolist()), tuple(stop.tolist()))
    found: FloatArray = ndimage.map_coordinates(
        box.astype(np.float64),
        (places - start).reshape(-1, 3).T,
        order=1,
        mode="nearest",
    )
    return found.reshape(places.shape[:2])
