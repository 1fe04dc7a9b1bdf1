"""Figures are as large as they were wanted, or as the screen has room for."""

import pytest

from etpicker_plugin.viewers.viewers import FRAME_PX, fitting


def test_a_figure_that_fits_is_as_large_as_it_was_wanted():
    assert fitting((11, 6), (1280, 800), 100) == (11, 6)


def test_a_figure_is_no_higher_than_the_screen():
    width, height = fitting((9, 30), (1280, 800), 100)

    assert width == 9
    assert height * 100 == pytest.approx(800 - FRAME_PX[1])


def test_a_figure_is_no_wider_than_the_screen():
    width, height = fitting((24, 4.5), (1280, 800), 80)

    assert width * 80 == pytest.approx(1280 - FRAME_PX[0])
    assert height == 4.5
