"""How curves are judged while a network learns: by length, not by picks."""

import numpy as np

from etpicker_plugin.engine.annotation import COMPLETE
from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.training.split import Region
from etpicker_plugin.engine.training.validation import ValidationPart, judged_points
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SHAPE = (12, 20, 44)
CHANNEL = 1
WHOLE = Region((0, 0, 0), SHAPE)


def along_x(first, last, *, z=5.0, y=9.0):
    x = np.arange(first, last)
    return np.stack([np.full(len(x), z), np.full(len(x), y), x], axis=1).astype(float)


def part(truth, region=WHOLE):
    allowed = np.ones(SHAPE, dtype=bool)
    allowed[:, :, 40:] = False
    return ValidationPart(
        tomogram_id="T",
        image=ArrayVolume(np.zeros(SHAPE, np.float32)),
        region=region,
        allowed=ArrayVolume(allowed),
        positions_zyx=truth,
        channels=np.full(len(truth), CHANNEL),
        annotation=(COMPLETE, COMPLETE),
    )


def picks(positions, scores, channel=CHANNEL):
    return Peaks(
        positions_zyx=np.asarray(positions, float),
        scores=np.asarray(scores, float),
        channels=np.full(len(positions), channel),
    )


def test_points_of_the_truth_are_found_with_the_best_score_near_them():
    # 4 voxels wide: within 2. Picks at x = 10 and 14, one voxel beside the line.
    found = judged_points(
        picks([(5, 10, 10), (5, 10, 14), (5, 16, 20)], [0.5, 0.8, 0.3]),
        part(along_x(8, 24)),
        channel=CHANNEL,
        diameter_vox=4.0,
    )

    assert found.n_truth == 16
    # √3 along the line on each side: x = 9, 10, 11 by the first, then 13, 14, 15.
    assert found.scores.tolist() == [0.5] * 3 + [0.8] * 3 + [0.3]
    assert found.is_true.tolist() == [True] * 6 + [False]


def test_what_is_not_judged_does_not_count():
    # Of the truth, 10 voxels lie before the region, and 4 where nothing may be learnt.
    found = judged_points(
        picks(along_x(0, 44), np.full(44, 0.9)),
        part(along_x(0, 44), region=Region((0, 0, 10), SHAPE)),
        channel=CHANNEL,
        diameter_vox=4.0,
    )

    assert found.n_truth == 30
    assert found.is_true.tolist() == [True] * 30


def test_other_classes_are_not_looked_at():
    found = judged_points(
        picks(along_x(8, 12), np.full(4, 0.9), channel=0),
        part(along_x(8, 24)),
        channel=CHANNEL,
        diameter_vox=4.0,
    )

    assert (len(found.scores), found.n_truth) == (0, 16)
