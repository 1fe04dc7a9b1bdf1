"""Which differences of the validation score are chance."""

import numpy as np
import pytest

from etpicker_plugin.engine.io.array_volume import ArrayVolume
from etpicker_plugin.engine.training.judge import equal_score
from etpicker_plugin.engine.training.split import Region
from etpicker_plugin.engine.training.validation import ValidationPart

SHAPE = (9, 11, 30)


def make_part(n_inside):
    """Return a part of which the region ends at x = 10; three centres lie beyond."""
    inside = np.tile([[4.0, 5.0, 6.0]], (n_inside, 1))
    beyond = np.tile([[4.0, 5.0, 20.0]], (3, 1))
    return ValidationPart(
        tomogram_id="TS_1",
        image=ArrayVolume(np.zeros(SHAPE, np.float16)),
        region=Region((0, 0, 0), (9, 11, 10)),
        allowed=ArrayVolume(np.ones(SHAPE, bool)),
        positions_zyx=np.concatenate([inside, beyond]),
        channels=np.zeros(n_inside + 3, int),
        annotation=("sparse",),
    )


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ([4], 0.25),  # of four, one more or less is no difference
        ([60, 40], 0.05),
        ([2000], 0.02),
        ([0], 0.3),
    ],
)
def test_the_standard_error_of_the_held_out_particles(inside, expected):
    assert equal_score([make_part(n) for n in inside]) == pytest.approx(expected)
