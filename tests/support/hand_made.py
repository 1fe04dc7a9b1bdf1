"""Two particles whose place in every format is worked out by hand.

The tomogram has x=41, y=57, z=33 voxels of 10 Å, so its half is 20.5, 28.5, 16.5; where
it is binned, 4 times from 2.5 Å. Particle A stands at x, y, z = 12.25, 50, 7 and turns
the axes x to y, y to z, z to x. Particle B stands at 30, 3, 20 and turns y to z, z to
-y: a quarter turn about x.
"""

import numpy as np

from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.particles import make_particles

SHAPE_ZYX = (33, 57, 41)
ZYX = np.array([[7.0, 50.0, 12.25], [20.0, 3.0, 30.0]])
CLASSES = ["ribosome", "ring"]
NUMBERS = {"ribosome": 1, "ring": 2}
SCORES = [0.75, 0.5]
NO_SCORES = [np.nan, np.nan]
TURN_A = [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
TURN_B = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]


def frame_of(binning=1.0, tomogram_id="TS_01"):
    return TomogramFrame(
        tomogram_id=tomogram_id, shape_zyx=SHAPE_ZYX, voxel_size=10.0, binning=binning
    )


FRAME = frame_of(4.0)


def hand_made(*, turned=True):
    return make_particles(
        "TS_01",
        ZYX,
        class_names=CLASSES,
        scores=SCORES,
        rotations=np.array([TURN_A, TURN_B], dtype=float) if turned else None,
    )


def text_file(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def assert_hand_made(
    particles, *, classes=CLASSES, scores=SCORES, turned=True, atol=1e-9
):
    assert particles.tomogram_id == "TS_01"
    np.testing.assert_allclose(particles.positions_zyx, ZYX, rtol=0, atol=atol)
    assert particles.class_names.tolist() == classes
    assert np.array_equal(particles.scores, scores, equal_nan=True)
    if turned:
        np.testing.assert_allclose(particles.rotations, [TURN_A, TURN_B], atol=1e-6)
    else:
        assert particles.rotations is None


ALONE = {"relion5-spheres": {"radius": 80.0}, "relion5-filaments": {"filament": "a"}}
"""Format -> what every particle must have in it, because it holds one kind."""
