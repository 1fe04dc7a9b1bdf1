"""The lines of the Z range follow the mouse, over side views of the tomograms."""

import numpy as np
import pytest
from matplotlib.backend_bases import MouseButton, MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from etpicker_plugin.viewers.z_range import ZRangeChooser, side_view


def chooser_of(*depths, z_range=()):
    figure = Figure(figsize=(6, 5))
    FigureCanvasAgg(figure)
    generator = np.random.default_rng(0)
    views = {f"TS_{n}": generator.normal(size=(n, 83)) for n in depths}
    return figure, ZRangeChooser(figure, views, z_range)


def drag(figure, axes, *heights):
    """Press the left button at the first height (voxels), and move on to the others."""
    for number, z in enumerate(heights):
        x, y = figure.axes[axes].transData.transform((40, z))
        name = "motion_notify_event" if number else "button_press_event"
        event = MouseEvent(name, figure.canvas, x, y, button=MouseButton.LEFT)
        figure.canvas.callbacks.process(name, event)


def test_the_side_view_is_the_mean_of_a_slab_through_the_middle():
    data = np.zeros((7, 48, 11), dtype=np.int16)
    data[2, 24, 5] = 30  # the middle row of 3: 23, 24, 25
    data[4, 26, 5] = 30

    view = side_view(data)

    assert view.shape == (7, 11)
    assert view[2, 5] == pytest.approx(10)
    assert view[4, 5] == 0


def test_the_nearer_line_moves_and_neither_passes_the_other():
    figure, chooser = chooser_of(61, 40)
    assert (chooser.first, chooser.last, chooser.text()) == (0, 60, "")

    drag(figure, 0, 3, 12.4)
    assert chooser.text() == "12 60"
    drag(figure, 1, 38, 33, 29.6)
    assert chooser.text() == "12 30"
    drag(figure, 0, 25, 5)
    assert chooser.text() == "12 12"


def test_it_begins_with_what_the_form_holds():
    _, chooser = chooser_of(61, z_range=(20.0, 400.0))
    assert chooser.text() == "20 60"


def test_a_click_beside_the_views_and_another_button_change_nothing():
    figure, chooser = chooser_of(61)
    for x, y, button in ((1, 1, MouseButton.LEFT), (250, 250, MouseButton.RIGHT)):
        event = MouseEvent("button_press_event", figure.canvas, x, y, button=button)
        figure.canvas.callbacks.process("button_press_event", event)
    assert chooser.text() == ""
