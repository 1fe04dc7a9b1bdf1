"""The slice that shows a training: chosen by its particles, written with the picks."""

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.split import Region
from etpicker_plugin.engine.training.validation import ClassResult, ValidationPart
from etpicker_plugin.engine.training.validation_slice import read_validation_slice
from etpicker_plugin.engine.training.watch import SLICE_NAME, make_watch
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SHAPE = (21, 45, 61)
SPECIES = tuple(
    Species(name=name, diameter_ang=diameter, label_diameter_ang=50.0)
    for name, diameter in (("a", 120.0), ("b", 60.0))
)


def part_of(name, positions, channels, *, start=(0, 24, 0)):
    ramp = np.indices(SHAPE)[0] + 10 * np.indices(SHAPE)[2]
    return ValidationPart(
        tomogram_id=name,
        image=ArrayVolume(ramp.astype(np.float16)),
        region=Region(start, SHAPE),
        allowed=ArrayVolume(np.ones(SHAPE, dtype=bool)),
        positions_zyx=np.array(positions, float).reshape(-1, 3),
        channels=np.array(channels, np.intp),
        annotation=("complete",) * 2,
    )


def result(threshold):
    return ClassResult(
        threshold=threshold,
        precision=0.0,
        recall=0.0,
        f1=0.0,
        f_alpha=0.0,
        average_precision=0.0,
        n_truth=0,
        n_false=0,
    )


def test_the_part_and_slice_with_most_held_out_particles_and_its_picks(tmp_path):
    # Radii 6 and 3 voxels: half of each must reach the slice. Only slice 9 and its
    # like cut three; the other part shows two, and one that is not held out.
    few = part_of("few", [(5, 30, 9), (5, 40, 9), (5, 10, 9)], [0, 0, 0])
    many = part_of(
        "many", [(6, 30, 50), (12, 40, 20), (9.4, 28, 8), (9, 3, 8)], [0, 0, 1, 1]
    )
    watch = make_watch(tmp_path, [few, many], SPECIES, voxel_size=10.0)
    assert (watch.part, watch.z) == (many, 9)
    found = Peaks(
        positions_zyx=np.array([[6.5, 30, 51], [9, 42, 3], [9, 28, 8], [9, 30, 30.0]]),
        scores=np.array([0.8, 0.29, 0.5, 0.49]),
        channels=np.array([0, 0, 1, 1]),
    )

    shown = []
    see = watch.collect(shown)
    see(few, found.select(np.zeros(4, bool)))
    see(many, found)
    watch.write(shown, [result(0.3), result(0.5)], step=70)
    shown = read_validation_slice(tmp_path / SLICE_NAME)

    assert (shown.tomogram_id, shown.z, shown.step) == ("many", 9, 70)
    assert shown.class_names == ("a", "b")
    assert shown.radii_vox.tolist() == [6.0, 3.0]
    # The held-out part begins at y = 24; 6 voxels around it are shown too.
    assert shown.image.shape == (27, 61)
    assert shown.image[0].astype(float).tolist() == [
        float(np.float16(9 + 10 * x)) for x in range(61)
    ]
    assert shown.held_out_yx.tolist() == [[6, 0], [27, 61]]
    assert shown.picks_zyx.tolist() == [[-2.5, 12, 51], [0, 10, 8]]
    assert shown.pick_channels.tolist() == [0, 1]
    assert shown.scores.tolist() == [0.8, 0.5]
    np.testing.assert_allclose(
        shown.truth_zyx, [[-3, 12, 50], [3, 22, 20], [0.4, 10, 8]]
    )
    assert shown.truth_channels.tolist() == [0, 0, 1]


def test_the_next_validation_takes_the_place_of_the_last(tmp_path):
    part = part_of("TS", [(6, 30, 50)], [0])
    watch = make_watch(tmp_path, [part], SPECIES, voxel_size=10.0)
    for step in (3, 4):
        watch.write([], [result(0.3), result(0.3)], step=step)

    assert read_validation_slice(tmp_path / SLICE_NAME).step == 4
    assert [path.name for path in tmp_path.iterdir()] == [SLICE_NAME]


def test_without_particles_the_middle_slice_is_shown(tmp_path):
    watch = make_watch(tmp_path, [part_of("TS", [], [])], SPECIES, voxel_size=10.0)
    assert watch.z == 10


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 torn"])
def test_no_slice_yet_or_a_damaged_one(tmp_path, content):
    path = tmp_path / SLICE_NAME
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputDataError, match="appears with the first validation"):
        read_validation_slice(path)
