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
