"""What lies outside a volume: beyond the faces of its outermost voxels."""

import numpy as np
import pytest

from etpicker_plugin.engine.geometry import lies_outside

SHAPE = (9, 21, 34)


@pytest.mark.parametrize(
    ("position", "outside"),
    [
        ((0, 0, 0), False),
        ((8, 20, 33), False),
        ((-0.5, 20.5, 33.5), False),
        ((8.5, -0.5, -0.5), False),
        ((-0.51, 5, 5), True),
        ((8.51, 5, 5), True),
        ((5, 20.51, 5), True),
        ((5, 5, 33.51), True),
        ((5, 5, -0.51), True),
        ((20, 5, 5), True),
        ((5, 33, 5), True),
    ],
)
def test_a_volume_reaches_to_the_faces_of_its_voxels(position, outside):
    assert lies_outside(position, SHAPE).tolist() == [outside]


def test_each_of_many_and_none():
    positions = np.array([[0, 0, 0], [9, 0, 0], [8, 20, 33], [0, 0, 34]])
    assert lies_outside(positions, SHAPE).tolist() == [False, True, False, True]
    assert lies_outside(np.zeros((0, 3)), SHAPE).tolist() == []
