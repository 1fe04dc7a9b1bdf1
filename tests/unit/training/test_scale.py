"""The working voxel size."""

import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.training.scale import (
    choose_working_voxel_size,
    label_diameters_ang,
)


@pytest.mark.parametrize(
    ("diameters", "voxel_size", "expected"),
    [
        ({"a": 360.0}, 10.0, 20.0),  # coarser, to 18 voxels
        ({"a": 360.0, "b": 150.0}, 10.0, 10.0),  # 15 voxels: as it is
        ({"a": 288.0}, 31.36, 16.0),  # 9 voxels: finer, to 18
        ({"a": 144.0}, 10.0, 8.0),  # 14 voxels: finer, to 18
        ({"a": 120.0}, 16.0, 8.0),  # 7.5 voxels: twice as fine, 15
        ({"a": 120.0}, 30.0, 10.0),  # 4 voxels: finer, to 12
    ],
)
def test_the_smallest_class_decides(diameters, voxel_size, expected):
    assert choose_working_voxel_size(diameters, voxel_size) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("diameter", "voxel_size", "expected"),
    [(360.0, 10.0, 30.0), (120.0, 10.0, 10.0), (90.0, 10.0, 7.5)],
)
def test_a_first_look_is_coarser_where_it_can_be(diameter, voxel_size, expected):
    found = choose_working_voxel_size({"a": diameter}, voxel_size, first_look=True)
    assert found == pytest.approx(expected)


def test_a_particle_under_three_voxels_is_refused():
    with pytest.raises(InputDataError, match=r"Class b: 29 Å is 2\.9 voxels"):
        choose_working_voxel_size({"a": 300.0, "b": 29.0}, 10.0)


def test_labels_stay_between_5_and_13_voxels():
    diameters = {"a": 90.0, "b": 200.0, "c": 400.0}

    labels = label_diameters_ang(diameters, 10.0, None)

    assert labels == {"a": 50.0, "b": 90.0, "c": 130.0}
    assert label_diameters_ang(diameters, 10.0, 70.0) == dict.fromkeys("abc", 70.0)


def test_curves_and_membranes_need_fewer_voxels():
    # A tube of 250 Å at 14 voxels, a membrane of 70 Å at 7; the finer is needed.
    kinds = {"mt": "filament", "liposome": "vesicle", "f": "filament"}
    only = {"mt": 250.0}
    both = {"mt": 250.0, "liposome": 900.0}
    assert choose_working_voxel_size(only, 5.0, kinds=kinds) == pytest.approx(250 / 14)
    assert choose_working_voxel_size(both, 5.0, kinds=kinds) == pytest.approx(10.0)
    # Actin at 10 Å per voxel is 7 voxels wide: as it is.
    assert choose_working_voxel_size({"f": 70.0}, 10.0, kinds=kinds) == 10.0


def test_labels_of_curves_and_membranes_follow_what_is_across():
    labels = label_diameters_ang(
        {"mt": 250.0, "liposome": 900.0, "p": 250.0},
        8.0,
        None,
        kinds={"mt": "filament", "liposome": "vesicle"},
    )

    # 0.45 · 250 held to 13 voxels of 8 Å; 0.45 · 70 held to 5.
    assert labels == {"mt": 104.0, "liposome": 40.0, "p": 104.0}
