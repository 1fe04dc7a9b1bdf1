"""What is known of boxes along filaments and on membranes, and what does not fit."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from etpicker_plugin.engine.averaging.inputs import Boxes, choose_diameter
from etpicker_plugin.engine.averaging.priors import (
    check_tubes,
    choose_priors,
    parted_by_vesicle,
    spacing_ang,
)
from etpicker_plugin.engine.config.average import AverageConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError

WIDTH, MASK = 250.0, 540.0


def boxes(*, tubes=(1, 1, 1, 2, 2), priors=True):
    """Boxes of 600 Å along two filaments, 80 Å apart; or with priors alone."""
    table = pd.DataFrame(
        {"rlnMicrographName": ["T.mrc"] * 3 + ["U.mrc"] * 2, "rlnImageName": range(5)}
    )
    if tubes:
        table["rlnHelicalTubeID"] = tubes
        table["rlnHelicalTrackLengthAngst"] = [0.0, 80.0, 160.0, 0.0, 80.0]
    if priors:
        table["rlnAngleTiltPrior"] = table["rlnAnglePsiPrior"] = 90.0
    return Boxes(
        star=Path("particles.star"),
        particles=table,
        optics=pd.DataFrame(),
        record={"diameters_ang": {"mt": WIDTH}},
        box=60,
        voxel_size=10.0,
    )


def config(**values):
    return AverageConfig(particles="p", out="o", **values)


def chosen(table, **values):
    return choose_priors(config(**values), table, width_ang=WIDTH, mask_ang=MASK)


def test_particles_have_none():
    assert chosen(boxes(tubes=(), priors=False)) is None


def test_boxes_on_membranes_are_turned_about_their_normals():
    found = chosen(boxes(tubes=()), angle_prior=12.0)
    assert (found.sigma_deg, found.helix) == (12.0, None)


def on_vesicles(names):
    table = boxes(tubes=())
    return replace(table, particles=table.particles.assign(etpickerVesicle=names))


def test_halves_of_a_refinement_are_parted_by_vesicle(caplog):
    # '1' of U.mrc is another one than that of T.mrc; as numbers, as files are read.
    for names in ([1, 1, 2, 1, 1], ["a", "a", "b c", "a", "a"]):
        found = parted_by_vesicle(on_vesicles(names), "refine").particles
        halves = found["rlnRandomSubset"].tolist()
        assert halves[0] == halves[1] != halves[3] == halves[4]
        assert halves[2] in (1, 2)
    assert caplog.text == ""


def test_halves_are_left_alone_where_nothing_parts_them(caplog):
    for table, task in (
        (boxes(), "refine"),
        (on_vesicles(list("aabcc")), "classify"),
    ):
        assert parted_by_vesicle(table, task) is table
    one = on_vesicles(list("aaaaa"))
    one = replace(one, particles=one.particles.iloc[:3])
    assert parted_by_vesicle(one, "refine") is one
    assert "All boxes lie on one vesicle" in caplog.text


def test_a_tube_is_a_tenth_wider_than_the_filament():
    found = chosen(boxes())
    assert found.sigma_deg == 10.0
    assert found.helix.outer_diameter_ang == pytest.approx(275.0)
    assert found.helix.symmetry is None
    wide = choose_priors(config(), boxes(), width_ang=530.0, mask_ang=MASK)
    assert wide.helix.outer_diameter_ang == pytest.approx(0.98 * MASK)
    assert chosen(boxes(priors=False)).sigma_deg == 0.0


def test_the_mask_of_filaments_fills_the_box():
    assert choose_diameter(config(), boxes()) == 540.0
    assert choose_diameter(config(), boxes(tubes=())) == WIDTH
    assert choose_diameter(config(diameter=400.0), boxes()) == 400.0


def test_a_helix_is_looked_at_where_the_box_holds_it():
    short = chosen(boxes(), helical_rise=9.5, helical_twist=-27.7).helix.symmetry
    # 80 Å from box to box are eight rises.
    assert (short.units, short.central_share) == (8, 0.3)
    long = chosen(boxes(), helical_rise=120.0, helical_twist=10.0).helix.symmetry
    assert long.units == 1
    assert long.central_share == pytest.approx(2.01 * 120 / 600)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"tube_diameter": 540.0}, "expected less than the mask's diameter of 540 Å"),
        ({"helical_rise": 280.0, "helical_twist": 1.0}, "2.01 rises of 280 Å do not"),
    ],
)
def test_what_does_not_fit_the_boxes_is_refused(values, words):
    with pytest.raises(ConfigError, match=words):
        chosen(boxes(), **values)


def test_a_helix_of_boxes_that_lie_on_no_filament_is_refused():
    with pytest.raises(ConfigError, match="do not say which filament"):
        chosen(boxes(tubes=()), tube_diameter=200.0)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"helical_rise": 9.5}, "a helix has both"),
        ({"tube_diameter": 90.0, "tube_inner_diameter": 95.0}, "less than the tube's"),
        (
            {"helical_rise": 9.5, "helical_twist": 1.0, "rise_range": (9.0, 10.0)},
            "both are refined together",
        ),
        (
            {
                **{"helical_rise": 12.0, "helical_twist": 1.0},
                **{"rise_range": (9.0, 10.0), "twist_range": (0.0, 2.0)},
            },
            "--rise-range: got 9 10, expected a lowest and a highest value around",
        ),
        (
            {
                **{"helical_rise": 9.0, "helical_twist": 1.0},
                **{"rise_range": (4.0, 10.0), "twist_range": (0.0, 2.0)},
            },
            "RELION searches no further",
        ),
    ],
)
def test_half_a_helix_is_refused(values, words):
    with pytest.raises(ConfigError, match=words):
        config(**values)


def test_halves_are_of_whole_filaments():
    check_tubes(boxes(), "refine")
    one = boxes(tubes=(1, 1, 1, 1, 1))
    check_tubes(one, "refine")  # of two tomograms
    one.particles["rlnMicrographName"] = "T.mrc"
    with pytest.raises(InputDataError, match="all boxes lie on one filament"):
        check_tubes(one, "refine")
    check_tubes(one, "classify")


def test_the_spacing_is_that_along_each_filament():
    assert spacing_ang(boxes().particles) == 80.0
