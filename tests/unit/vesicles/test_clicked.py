"""Vesicles marked by points on their membranes."""

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.particles import join_particles, make_particles
from etpicker_plugin.engine.vesicles.clicked import with_fitted_vesicles

CENTRE, RADIUS = np.array([21.5, 34.25, 50.75]), 15.0
VOXEL_SIZE = 8.0


def ring(angles_deg, *, z=0.0, radius=RADIUS):
    """Return points of a section ``z`` voxels above the centre."""
    a = np.radians(np.asarray(angles_deg, float))
    r = np.sqrt(radius**2 - z**2) * np.ones(len(a))
    offsets = [np.full(len(a), z), r * np.sin(a), r * np.cos(a)]
    return CENTRE + np.stack(offsets, axis=1)


def marks(points, name="v", class_names="liposome", **optional):
    made = {"vesicle": name, **optional}
    return make_particles("TS", points, class_names=class_names, optional=made)


def fitted(*parts, classes=("liposome",)):
    together = join_particles("TS", parts)
    return with_fitted_vesicles(together, classes, voxel_size=VOXEL_SIZE)


@pytest.mark.parametrize(
    "points",
    [
        ring([0, 120, 240]),
        ring([10, 80, 170, 260, 300]),
        np.concatenate([ring([0, 90, 200]), ring([40, 160, 280], z=9.0)]),
        # A few neighbouring slices: as a section through the middle.
        np.concatenate([ring([0, 90, 180, 270]), ring([45, 135, 225, 315], z=0.5)]),
    ],
)
def test_a_sphere_takes_the_place_of_its_points(points):
    made = fitted(marks(points))

    assert len(made) == 1
    np.testing.assert_allclose(made.positions_zyx, [CENTRE], atol=0.3)
    np.testing.assert_allclose(made.optional["radius"], [120], atol=1)
    assert made.optional["vesicle"].tolist() == ["v"]


def test_three_points_by_hand():
    """Of a circle about x, y = 10, 20 with a radius of 5, in the slice 7."""
    made = fitted(marks([[7, 20, 15], [7, 25, 10], [7, 20, 5]]))

    np.testing.assert_allclose(made.positions_zyx, [[7, 20, 10]], atol=1e-9)
    np.testing.assert_allclose(made.optional["radius"], [40])


def test_they_stand_beside_centres_and_points_of_other_kinds():
    centre = marks([[5.0, 6, 7]], "c", radius=[222.0])
    unnamed = marks([[6.0, 6, 7]], "")
    spikes = marks(ring([0, 90, 180]), "v2", "spike")
    made = fitted(centre, marks(ring([0, 120, 240])), unnamed, spikes)

    assert made.class_names.tolist() == [*["liposome"] * 3, *["spike"] * 3]
    np.testing.assert_allclose(
        made.optional["radius"], [222, 120, *[np.nan] * 4], atol=1e-6
    )
    np.testing.assert_allclose(made.positions_zyx[3:], ring([0, 90, 180]))


def test_without_such_points_marks_stay_as_they_are():
    centres = marks([[5.0, 6, 7], [8, 9, 10]], ["a", ""], radius=[222.0, np.nan])
    assert fitted(centres).optional["radius"].tolist()[0] == 222
    bare = make_particles("TS", [[5.0, 6, 7]], class_names="liposome")
    assert with_fitted_vesicles(bare, ["liposome"], voxel_size=8.0) is bare


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (ring([0]), r"vesicle 'v', first point at x, y, z = 65.8.*1 point\(s\) on a"),
        (ring([0, 90]), r"2 point\(s\) on a membrane: a vesicle needs 3"),
        (CENTRE + np.outer([0, 1, 2], [0, 3, 4]), "lie on a line"),
        (ring([0, 8, 16, 24]), "lie on one side of it"),
        (
            np.concatenate([ring([0, 60, 130, 200, 290], radius=r) for r in (15, 30)]),
            "of the radius off the sphere .* two vesicles",
        ),
    ],
    ids=["one", "two", "on a line", "one side", "two vesicles"],
)
def test_points_that_tell_no_vesicle_are_refused(points, message):
    with pytest.raises(InputDataError, match=message):
        fitted(marks(points))


def test_a_name_of_two_is_refused():
    points = marks(ring([0, 120, 240]))
    with pytest.raises(InputDataError, match="in the classes endosome and liposome"):
        fitted(
            points,
            marks([[5.0, 6, 7]], class_names="endosome", radius=[90.0]),
            classes=("liposome", "endosome"),
        )
    # Another kind's names are its own.
    assert len(fitted(points, marks([[5.0, 6, 7]], class_names="spike"))) == 2
    with pytest.raises(InputDataError, match="a centre with a radius, and points"):
        fitted(points, marks([[5.0, 6, 7]], radius=[90.0]))
