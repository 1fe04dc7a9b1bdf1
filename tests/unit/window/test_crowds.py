"""A crowd of circles is drawn as dots, and listed in batches."""

import numpy as np

from etpicker_plugin.window.qt.marks import DOT_PX, MOST_RING_PIXELS, crowd_radii


def test_circles_stay_circles_until_they_would_cover_the_picture():
    # A ring of 10 pixels and 1.6 wide has 100.5 pixels.
    few = np.full(int(MOST_RING_PIXELS / 100.6), 10.0)
    many = np.full(int(MOST_RING_PIXELS / 100.4), 10.0)
    assert crowd_radii(few) is few
    assert (crowd_radii(many) == DOT_PX).all()
    assert len(crowd_radii(many)) == len(many)
