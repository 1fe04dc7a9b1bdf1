"""Filaments with a truth: a repeat along them, and a strand that winds around."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from etpicker_plugin.engine.filaments.curve import (
    curve_through,
    equidistant,
    frames,
    twisted,
)
from etpicker_plugin.engine.particles import make_particles

VOXEL_SIZE, WIDTH = 10.0, 80.0
PERIOD_VOX, PITCH_VOX = 4.5, 30.0
STEP = 2 * PERIOD_VOX
SHAPES = {"a": (44, 100, 112), "b": (46, 118, 96)}
ENDS = {
    "a": [
        [(20, 14, 6), (26, 18, 104)],
        [(24, 45, 104), (18, 47, 7)],
        [(22, 80, 5), (22, 74, 106)],
    ],
    "b": [
        [(20, 8, 16), (24, 108, 14)],
        [(25, 110, 46), (20, 8, 47)],
        [(22, 7, 76), (24, 110, 82)],
    ],
}
"""Where each tomogram's filaments begin and end, zyx."""


def scene(t, **changes):
    """Return a tomogram of that name."""
    form = {"period": PERIOD_VOX, "pitch": PITCH_VOX, **changes}
    return painted_helices(SHAPES[t], ENDS[t], **form)


def painted_helices(shape, ends, *, period=4.5, pitch=30.0, radius=3.0, seed=0):
    """Return a volume ``(Z, Y, X)`` of dark filaments in noise; lengths in voxels.

    ``ends`` are pairs of points zyx. Each filament is a rod, whose density repeats
    every ``period``, with a strand beside it that turns right-handed once in a
    ``pitch``.
    """
    volume = np.zeros(shape)
    voxels = np.stack(np.indices(shape), axis=-1).reshape(-1, 3).astype(float)
    for pair in ends:
        curve = curve_through(np.array(pair, float))
        lengths = np.linspace(0, curve.length, int(8 * curve.length))
        places, along = curve.points(lengths), curve.tangents(lengths)
        made = frames(places, along)[:, ::-1]  # zyx
        distance, nearest = cKDTree(places).query(voxels, distance_upper_bound=9)
        near = np.isfinite(distance)
        which = nearest[near]
        off = voxels[near] - places[which]
        x, y = (np.sum(off * made[which][:, :, k], axis=1) for k in (0, 1))
        way = lengths[which]
        turn = 2 * np.pi * way / pitch
        strand = (x - radius * np.cos(turn)) ** 2 + (y - radius * np.sin(turn)) ** 2
        rod = np.exp(-(x**2 + y**2) / (2 * 1.8**2))
        lumps = 1 + 0.6 * np.cos(2 * np.pi * way / period)
        volume.reshape(-1)[np.flatnonzero(near)] -= rod * lumps + np.exp(
            -strand / (2 * 1.3**2)
        )
    noise = np.random.default_rng(seed).normal(0, 0.5, shape)
    return (volume + noise).astype(np.float32)


def picked_helices(t, *, step=STEP, moved=(0, 0, 0), beside=0.0, turn=0.0, only=3):
    """Return points a step apart, moved in the tomogram, or in their own frames."""
    places, turned, names = [], [], []
    for number, ends in enumerate(ENDS[t][:only]):
        curve = curve_through(np.array(ends, float))
        at = equidistant(curve.length, step)
        made = frames(curve.points(at), curve.tangents(at), first_rot=100.0 * number)
        made = twisted(made, turn * at)
        places.append(curve.points(at) + moved + beside * made[:, ::-1, 0])
        turned.append(made)
        names += [f"mt_{number}"] * len(at)
    return make_particles(
        t,
        np.concatenate(places),
        class_names="mt",
        optional={"filament": names, "rotation": np.concatenate(turned)},
    )
