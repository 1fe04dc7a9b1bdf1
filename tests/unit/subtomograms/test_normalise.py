"""Normalising regions, by numbers."""

import numpy as np
import pytest

from etpicker_plugin.engine.subtomograms.normalise import (
    find_usable,
    normalise,
    region_of,
)


@pytest.mark.parametrize("mode", ["sphere", "box", "background"])
def test_mean_and_deviation_in_the_region(mode):
    boxes = np.random.default_rng(1).normal(5, 3, (2, 12, 12, 12)).astype(np.float32)
    boxes[1] *= 7

    ready = normalise(boxes, mode=mode, radius_vox=4.0)

    region = region_of((12,) * 3, mode=mode, radius_vox=4.0)
    assert ready.dtype == np.float32
    np.testing.assert_allclose(ready[:, region].mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(ready[:, region].std(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(
        np.corrcoef(ready[1].ravel(), boxes[1].ravel())[0, 1], 1, rtol=1e-6
    )


def test_regions():
    sphere = region_of((8,) * 3, mode="sphere", radius_vox=1.0)

    assert sphere.sum() == 7  # the centre and its six neighbours
    assert sphere[4, 4, 4]
    assert sphere[3, 4, 4]
    assert sphere[4, 4, 5]
    background = region_of((8,) * 3, mode="background", radius_vox=1.0)
    np.testing.assert_array_equal(background, ~sphere)
    assert region_of((8,) * 3, mode="box", radius_vox=1.0).all()


def test_boxes_without_contrast_or_with_nan_are_not_usable():
    boxes = np.random.default_rng(2).normal(size=(4, 8, 8, 8)).astype(np.float32)
    boxes[1] = 3.0
    boxes[2, 1, 2, 3] = np.nan
    boxes[3, 0, 0, 0] = np.inf

    assert find_usable(boxes).tolist() == [True, False, False, False]
