"""Picks counted as the organisers of SHREC 2021 count, worked out by hand."""

import numpy as np
import pytest
from shrec_scoring import Marks, judge, read_locations, spell

SHAPE_ZYX = (9, 12, 20)
CENTRES_XYZ = {
    "5MRC": (4, 5, 4),
    "1BXN": (10, 5, 4),
    "1U6G": (16, 5, 4),
    "fiducial": (10, 10, 7),
    "vesicle": (2, 10, 7),
    "4V94": (16, 10, 7),
}


def marks(*rows):
    return Marks(
        np.array([name for name, _ in rows], str),
        np.array([xyz for _, xyz in rows], float).reshape(-1, 3),
    )


def scene(*names):
    """Return the particles, and a mask of 1 voxel to each side in x alone."""
    mask = np.zeros(SHAPE_ZYX, np.int32)
    for number, name in enumerate(names, 1):
        x, y, z = CENTRES_XYZ[name]
        mask[z, y, x - 1 : x + 2] = number
    return marks(*((name, CENTRES_XYZ[name]) for name in names)), mask


def test_a_pick_hits_what_it_stands_on_and_a_voxel_around():
    truth, mask = scene("5MRC", "1BXN", "1U6G")
    # 1BXN reaches from x = 9 to 11, and a voxel further by dilation; 12.5 rounds to 12.
    picks = marks(("5MRC", (4, 5, 5)), ("1BXN", (12.5, 5, 4)), ("1U6G", (13, 5, 4)))

    found, classes = judge(picks, truth, mask)

    assert (found.n_found, found.n_false, found.n_missed) == (2, 1, 1)
    assert (found.recall, found.precision, found.f1) == pytest.approx((2 / 3,) * 3)
    assert found.mean_distance == pytest.approx((1 + 2) / 2)
    assert classes["5MRC"].f1 == classes["1BXN"].f1 == 1.0
    assert classes["1U6G"].f1 == 0.0


def test_the_first_pick_on_a_particle_names_it_and_the_others_cost_precision():
    truth, mask = scene("5MRC", "1BXN")
    picks = marks(
        ("1U6G", (5, 5, 4)),
        ("5MRC", (4, 5, 4)),
        ("5MRC", (3, 5, 4)),
        ("5MRC", (9, 5, 4)),
    )

    found, classes = judge(picks, truth, mask)

    assert (found.n_found, found.n_multiple, found.n_false) == (2, 1, 0)
    assert (found.precision, found.recall) == (0.5, 1.0)
    assert found.mean_distance == pytest.approx(1.0)
    # The ribosome was called 1U6G, the other one 5MRC.
    assert (classes["5MRC"].true, classes["5MRC"].false) == (0, 1)
    assert classes["5MRC"].missed == classes["1BXN"].missed == 1
    assert (classes["1U6G"].false, classes["1U6G"].f1) == (1, 0.0)


def test_picks_of_nothing_cost_no_class_anything():
    truth, mask = scene("5MRC")
    picks = marks(("5MRC", (4, 5, 4)), *[("5MRC", (18, y, 1)) for y in range(9)])

    found, classes = judge(picks, truth, mask)

    assert found.precision == pytest.approx(0.1)
    assert classes["5MRC"].f1 == 1.0


def test_4v94_is_left_out_and_vesicles_stay_among_those_to_be_found():
    truth, mask = scene("5MRC", "vesicle", "4V94", "fiducial")
    picks = marks(
        ("5MRC", (4, 5, 4)), ("1BXN", (16, 10, 7)), ("1BXN", (2, 10, 7)),
        ("4V94", (10, 10, 7)),
    )  # fmt: skip

    found, classes = judge(picks, truth, mask)

    # Of four picks two stand on particles that are judged; 4V94 alone is not counted.
    assert (found.n_found, found.n_truth, found.n_missed) == (2, 3, 0)
    assert (found.precision, found.recall) == pytest.approx((2 / 4, 2 / 3))
    assert classes["1BXN"].f1 is None
    # A fiducial that was called what is excluded was called background.
    assert (classes["fiducial"].missed, classes["fiducial"].f1) == (1, 0.0)


def test_picks_outside_are_moved_inside():
    mask = np.zeros(SHAPE_ZYX, np.int32)
    mask[8, 11, 19] = 1

    found, _ = judge(marks(("1S3X", (25, 12, 9.2))), marks(("1S3X", (19, 11, 8))), mask)

    assert (found.n_found, found.mean_distance) == (1, 0.0)


def test_without_picks_or_hits_all_is_zero():
    truth, mask = scene("5MRC", "1BXN")

    for picks in (marks(), marks(("5MRC", (18, 1, 1)))):
        found, classes = judge(picks, truth, mask)
        assert (found.f1, found.recall, found.precision) == (0, 0, 0)
        assert found.mean_distance is None
        assert classes["5MRC"].f1 == 0.0


def test_locations_keep_their_order_and_foreign_classes_are_refused(tmp_path):
    path = tmp_path / "particle_locations.txt"
    path.write_text("1bxn 10 5 4 0.1 0.2 0.3\nfiducial 1 2 3 0 0 0\n")

    read = read_locations(path)

    assert read.names.tolist() == ["1BXN", "fiducial"]
    assert read.xyz.tolist() == [[10, 5, 4], [1, 2, 3]]
    with pytest.raises(ValueError, match="ribosome: expected one of 1S3X"):
        spell("ribosome")
