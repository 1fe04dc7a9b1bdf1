"""Weak labels: voxel counts known from the paper, and shapes counted by hand."""

import numpy as np
import pytest

from etpicker_plugin.engine.species import SizeVox
from etpicker_plugin.engine.training.weak_labels import (
    LabelSettings,
    inside_label,
    paint_labels,
    weigh_negatives,
)


def offsets_around(centre, shape):
    return np.ix_(*[np.arange(n) - c for n, c in zip(shape, centre, strict=True)])


@pytest.mark.parametrize(
    ("shape", "count"), [("ball", 515), ("truncated-ball", 1203), ("cubic", 1331)]
)
def test_diameter_11_has_the_papers_voxel_counts(shape, count):
    offsets = offsets_around((8, 9, 10), (17, 19, 21))

    label = inside_label(offsets, 11, shape=shape)

    assert label.sum() == count
    assert label[8, 9, 10]
    assert label[13, 9, 10]
    assert not label[14, 9, 10]


def test_even_diameter_is_centred_between_voxels():
    offsets = offsets_around((2.5, 3.5, 4.5), (6, 8, 10))

    label = inside_label(offsets, 4, shape="cubic")

    assert np.argwhere(label).min(axis=0).tolist() == [1, 2, 3]
    assert np.argwhere(label).max(axis=0).tolist() == [4, 5, 6]


def settings(*, labels=(5.0, 3.0), particles=(8.0, 6.0), stride=1, shape="ball"):
    return LabelSettings(
        shape=shape,
        sizes=tuple(
            SizeVox(diameter=particle, label_diameter=label)
            for particle, label in zip(particles, labels, strict=True)
        ),
        stride=stride,
    )


def test_labels_stand_at_their_centres_in_their_channels():
    positions = np.array([[4.0, 10.0, 16.0], [8.0, 3.0, 5.0]])

    target, weight = paint_labels(
        (12, 16, 20),
        positions,
        np.array([0, 1]),
        settings=settings(),
        unmarked_weights=(1.0, 1.0),
    )

    assert target.shape == (2, 12, 16, 20)
    assert np.argwhere(target[0]).mean(axis=0).tolist() == [4.0, 10.0, 16.0]
    assert target[0].sum() == 33  # lattice points within 2 of the origin
    assert np.argwhere(target[1]).mean(axis=0).tolist() == [8.0, 3.0, 5.0]
    assert target[1].sum() == 7
    assert (weight == 1).all()


def test_stride_two_paints_at_the_centres_of_the_coarse_voxels():
    # Output voxel j is centred at input voxel 2 j + 0.5: (4.5, 8.5, 12.5) is (2, 4, 6).
    target, _ = paint_labels(
        (12, 16, 20),
        np.array([[4.5, 8.5, 12.5]]),
        np.array([0]),
        settings=settings(stride=2, labels=(5.0, 5.0)),
        unmarked_weights=(1.0, 1.0),
    )

    assert target.shape == (2, 6, 8, 10)
    expected = {(2, 4, 6), (1, 4, 6), (3, 4, 6), (2, 3, 6), (2, 5, 6)}
    expected |= {(2, 4, 5), (2, 4, 7)}
    assert {tuple(v) for v in np.argwhere(target[0]).tolist()} == expected


def test_sparse_annotation_knows_only_what_surrounds_marked_centres():
    _, weight = paint_labels(
        (12, 16, 20),
        np.array([[5.0, 8.0, 9.0]]),
        np.array([0]),
        settings=settings(),
        unmarked_weights=(0.1, 0.1),
    )

    distance = np.sqrt(sum(o**2 for o in offsets_around((5, 8, 9), (12, 16, 20))))
    assert (weight[:, distance <= 4.0] == 1).all()
    assert np.allclose(weight[:, distance > 4.0], 0.1)


def test_overlapping_particles_of_one_class_join_and_of_two_keep_both():
    positions = np.array([[5.0, 8.0, 9.0], [5.0, 8.0, 11.0], [5.0, 8.0, 9.0]])

    target, _ = paint_labels(
        (12, 16, 20),
        positions,
        np.array([0, 0, 1]),
        settings=settings(),
        unmarked_weights=(1.0, 1.0),
    )

    assert target[0].max() == 1.0
    assert target[0].sum() > 33
    assert target[1].sum() == 7


def test_centres_outside_the_patch_reach_in():
    target, _ = paint_labels(
        (12, 16, 20),
        np.array([[-1.0, 8.0, 9.0], [-40.0, 8.0, 9.0]]),
        np.array([0, 0]),
        settings=settings(),
        unmarked_weights=(1.0, 1.0),
    )

    assert np.argwhere(target[0])[:, 0].max() == 1
    assert target[0, 0].sum() == 9  # within sqrt(3) of the axis at distance 1


def test_negatives_are_certain_background_within_each_classes_own_radius():
    # Radii 4 and 3 voxels, at (4, 9, 14) of a sparse patch of three different sides.
    weight = np.full((3, 10, 18, 22), 0.5, dtype=np.float32)
    three = settings(labels=(5.0, 3.0, 3.0), particles=(8.0, 6.0, 6.0))

    weigh_negatives(
        weight, np.array([[4.0, 9.0, 14.0]]), settings=three, channels=[0, 1]
    )

    distance = np.sqrt(sum(o**2 for o in offsets_around((4, 9, 14), (10, 18, 22))))
    for channel, radius in enumerate((4.0, 3.0)):
        assert (weight[channel][distance <= radius] == 1).all()
        assert (weight[channel][distance > radius] == 0.5).all()
    assert (weight[0] == 1).sum() == 257  # lattice points within 4 of the origin
    assert (weight[1] == 1).sum() == 123  # and within 3
    assert (weight[2] == 0.5).all()  # nobody looked for this class


def test_negatives_at_a_border_and_at_stride_two():
    # Output voxel j is centred at input voxel 2 j + 0.5; radius 3 around (0.5, 8.5, 24)
    # reaches over the first face in z and the last one in x (12 voxels of 2).
    weight = np.zeros((2, 5, 9, 12), dtype=np.float32)

    weigh_negatives(
        weight,
        np.array([[0.5, 8.5, 24.0], [-9.0, 8.5, 4.0]]),
        settings=settings(stride=2),
        channels=[1],
    )

    # In x only voxel 11, at 22.5, is near: 1.5 of 3 are spent, 2.6 are left.
    expected = {(0, 4, 11), (1, 4, 11), (0, 3, 11), (0, 5, 11)}
    assert {tuple(v) for v in np.argwhere(weight[1]).tolist()} == expected
    assert not weight[0].any()
