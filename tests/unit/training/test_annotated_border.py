"""Annotations that keep off the faces, as boxes have to, and those that do not."""

from pathlib import Path

import numpy as np
import pytest

from etpicker_plugin.engine.particles import join_particles, make_particles
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.annotated_border import (
    annotated_border,
    border_still_kept,
)
from etpicker_plugin.engine.training.dataset import Annotated, load_dataset
from etpicker_plugin.engine.volumes.tomogram import Tomogram

SHAPE_ZYX, VOXEL_SIZE = (40, 180, 250), 7.5
DIAMETER = 120.0
"""16 voxels, of which 8 are the radius."""
A = [Species("a", DIAMETER, 50.0)]


def annotated(*marks, mask_path=None, name="TS_b"):
    generator = np.random.default_rng(5)
    voxels = generator.normal(0, 1, SHAPE_ZYX).astype(np.float32)
    return Annotated(
        tomogram=Tomogram(
            tomogram_id=name,
            path=Path(f"{name}.mrc"),
            data=voxels,
            voxel_size=VOXEL_SIZE,
        ),
        particles=join_particles(name, list(marks)),
        negatives=make_particles(name, []),
        annotation={"a": "sparse"},
        mask_path=mask_path,
        role="training",
    )


def marks(count, *, off, name="a", seed=0):
    """Places that are at least ``off`` voxels from the faces in x and y."""
    low = np.array([0.0, off, off])
    high = np.array(SHAPE_ZYX) - 1 - low
    places = np.random.default_rng(seed).uniform(low, high, (count, 3))
    return make_particles("TS_b", places, class_names=name)


def at(z, y, x):
    return make_particles("TS_b", [(z, y, x)], class_names="a")


def test_a_list_of_what_could_be_boxed_has_a_border_of_one_diameter():
    assert annotated_border([annotated(marks(90, off=16.1))], A) == 120.0


def test_a_few_clicks_say_nothing_of_the_border():
    # A mark is expected 2 · 8 / (249 - 16) + 2 · 8 / (179 - 16) = 0.1668 times there.
    assert annotated_border([annotated(marks(48, off=16.1))], A) > 0
    assert annotated_border([annotated(marks(47, off=16.1))], A) == 0


@pytest.mark.parametrize("seed", range(5))
def test_particles_that_lie_wholly_in_the_tomogram_have_none(seed):
    whole = annotated(marks(90, off=8, seed=seed))

    assert annotated_border([whole], A) == 0


def test_one_face_of_four_may_be_where_the_tomogram_was_cut():
    kept = marks(200, off=16.1)
    one, other = at(20, 177, 100), at(20, 100, 3)

    assert annotated_border([annotated(kept, one)], A) == DIAMETER
    assert annotated_border([annotated(kept, one, other)], A) == 0


def test_several_tomograms_count_together():
    halves = [annotated(marks(30, off=16.1, seed=s), name=f"TS_{s}") for s in (1, 2)]

    assert annotated_border(halves[:1], A) == 0
    assert annotated_border(halves, A) == DIAMETER


def test_all_classes_keep_off_and_the_smallest_says_how_far():
    both = [*A, Species("b", 90.0, 40.0)]
    kept, free = marks(150, off=16.1, name="b", seed=1), marks(150, off=6, name="b")

    assert annotated_border([annotated(marks(90, off=16.1), kept)], both) == 90.0
    assert annotated_border([annotated(marks(90, off=16.1), free)], both) == 0


def test_a_tomogram_with_a_mask_does_not_count():
    masked = annotated(marks(90, off=16.1), mask_path="mask.mrc")

    assert annotated_border([masked], A) == 0


def test_an_update_keeps_the_border_until_a_mark_lies_in_it():
    new = [annotated(marks(4, off=30))]

    assert border_still_kept(DIAMETER, new) == DIAMETER
    assert border_still_kept(DIAMETER, [*new, annotated(at(20, 90, 15))]) == 0
    assert border_still_kept(DIAMETER, [*new, annotated(at(2, 90, 17))]) == DIAMETER


def test_it_is_not_learnt_but_at_a_face_with_marks():
    item = annotated(at(20, 90, 100), at(20, 170, 100))

    (volume,), (part,) = load_dataset(
        [item],
        [],
        species=A,
        working_voxel_size=2 * VOXEL_SIZE,
        held_out_share=0.2,
        border_ang=DIAMETER,
        alignment=2,
    )

    # 8 working voxels of 20 x 90 x 125; the mark at y = 170 is 4.5 from the last one.
    may = volume.learnable.data | part.allowed.data
    assert may.shape == (20, 90, 125)
    expected = np.zeros(may.shape, bool)
    expected[:, 8:, 8:117] = True
    np.testing.assert_array_equal(may, expected)
