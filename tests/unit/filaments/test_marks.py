import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.filaments.marks import doubts_of, filaments_of
from etpicker_plugin.engine.particles import make_particles

POINTS = np.array(
    [[1.0, 2, 3], [9, 9, 9], [1, 2, 8], [20, 4, 4], [1, 3, 14], [20, 4, 9], [5, 5, 5]]
)
CLASSES = ["mt", "actin", "mt", "mt", "mt", "mt", "ribosome"]
IDS = ["b", "x", "b", "a", "b", "a", ""]


def marks(points=POINTS, classes=CLASSES, ids=IDS):
    optional = None if ids is None else {"filament": ids}
    return make_particles("TS_1", points, class_names=classes, optional=optional)


def test_filaments_are_told_apart_and_keep_their_order():
    first, second = filaments_of(marks(), "mt")
    assert (first.name, second.name) == ("b", "a")
    assert first.rows.tolist() == [0, 2, 4]
    np.testing.assert_array_equal(first.points_zyx, POINTS[[0, 2, 4]])
    np.testing.assert_array_equal(second.points_zyx, [[20, 4, 4], [20, 4, 9]])


def test_a_class_without_points_has_no_filaments():
    assert filaments_of(marks(), "flagellum") == []
    assert filaments_of(make_particles("TS_1", []), "mt") == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ids": None}, r"class mt: 5 of 5 points name no filament.*3\.0 2\.0 1\.0"),
        ({"ids": ["b", "x", "b", "a", "", "a", ""]}, "1 of 5 points name no filament"),
        ({"ids": ["b", "b", "b", "a", "b", "a", ""]}, "'b' stands in another class"),
        ({"ids": ["b", "x", "b", "c", "b", "a", ""]}, "'c' has one point, at x y z 4"),
        ({"points": POINTS[[0, 1, 0, 3, 4, 5, 6]]}, "'b' has two points .* in one pla"),
    ],
)
def test_what_is_no_curve_is_refused(changed, message):
    with pytest.raises(InputDataError, match=f"(?s)TS_1.*{message}"):
        filaments_of(marks(**changed), "mt")


def test_points_out_of_order_are_told(caplog):
    line = np.array([[0.0, 0, 10], [0, 0, 30], [0, 1, 20], [0, 0, 40]])
    filaments_of(marks(line, "mt", "a"), "mt")
    assert "filament 'a' turns back at 2 of 4 points" in caplog.text
    caplog.clear()
    filaments_of(marks(line[[0, 2, 1, 3]], "mt", "a"), "mt")
    assert caplog.text == ""


def test_what_is_odd_is_told_of_filaments_that_are_handed_on():
    line = np.array([[5.0, 6, 7], [5, 6, 9], [5, 6, 11], [5, 6, 13]])
    assert doubts_of(marks(line, "mt", "a")) == []
    assert doubts_of(make_particles("TS_1", line)) == []

    (one,) = doubts_of(marks(line[:1], "mt", "a"))
    assert "filament 'a' has one point, at x y z 7.0 6.0 5.0" in one
    (twice,) = doubts_of(marks(line[[0, 1, 1, 2]], "mt", "a"))
    assert "two points in one place, x y z 9.0 6.0 5.0" in twice
    (back,) = doubts_of(marks(line[[0, 2, 1, 3]], "mt", "a"))
    assert "turns back at 2 of 4 points, first at x y z 11.0 6.0 5.0" in back
