"""Patches of micrographs: one voxel thick, turned in the plane, labelled by discs."""

import numpy as np
import pytest
import torch

from etpicker_plugin.engine.species import SizeVox
from etpicker_plugin.engine.training.augment import (
    draw_flat_augmentation,
    move_image,
    move_positions,
    source_margin,
)
from etpicker_plugin.engine.training.patches import PatchSampler, TrainingVolume
from etpicker_plugin.engine.training.weak_labels import LabelSettings, paint_labels
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SIZE = 24
LABELS = LabelSettings(
    shape="ball", sizes=(SizeVox(diameter=9.0, label_diameter=7.0),), stride=2
)


@pytest.mark.parametrize("seed", range(30))
def test_a_blob_moves_to_where_its_centre_moves(seed):
    augmentation = draw_flat_augmentation(np.random.default_rng(seed), SIZE)
    position = np.array([0.0, 12.5, 14.0])
    margin = source_margin(augmentation, SIZE)
    y, x = np.ix_(*[np.arange(SIZE + 2 * margin) - margin - p for p in position[1:]])
    blob = torch.from_numpy(np.exp(-(y**2 + x**2) / (2 * 1.5**2))).float()

    (image,) = move_image(blob[None, None], augmentation, SIZE)

    moved = move_positions(position[None], augmentation, SIZE)[0]
    assert image.shape == (1, SIZE, SIZE)
    weights = image[0].numpy().astype(float)
    found = [(weights.sum(axis=1 - a) @ np.arange(SIZE)) for a in (0, 1)]
    tolerance = 1e-3 if augmentation.exact else 0.3
    assert np.abs(np.array(found) / weights.sum() - moved[1:]).max() < tolerance
    assert moved[0] == pytest.approx(0)


def test_turns_reach_all_angles():
    angles = []
    for seed in range(200):
        matrix = draw_flat_augmentation(np.random.default_rng(seed), SIZE).matrix
        angles.append(np.degrees(np.arctan2(matrix[2, 1], matrix[1, 1])) % 90)
        assert np.abs(matrix[0, 1:]).max() == np.abs(matrix[1:, 0]).max() == 0

    assert np.histogram(angles, bins=3, range=(1, 89))[0].min() >= 5


def test_a_label_is_a_disc():
    target, weight = paint_labels(
        (1, 32, 48),
        np.array([[0.0, 10.5, 20.5]]),
        np.array([0]),
        settings=LABELS,
        unmarked_weights=[0.5],
    )

    assert target.shape == weight.shape == (1, 1, 16, 24)
    assert target[0, 0, 5, 10] == 1
    # Output pixels are 2 apart: those within 3 of the centre are 9.
    assert target.sum() == 9
    # And those within 4.5, half the particle's diameter, 21.
    assert (weight == 1).sum() == 21


def test_patches_are_one_voxel_thick_and_show_what_is_marked():
    generator = np.random.default_rng(0)
    image = generator.normal(0, 0.05, (1, 90, 130)).astype(np.float16)
    centres = np.array([[0.0, 30, 40], [0.0, 60, 90]])
    for _, y, x in centres.astype(int):
        image[0, y - 3 : y + 4, x - 3 : x + 4] -= 4
    volume = TrainingVolume(
        tomogram_id="mic",
        image=ArrayVolume(image),
        learnable=ArrayVolume(np.ones(image.shape, bool)),
        positions_zyx=centres,
        channels=np.zeros(2, np.intp),
        annotation=("complete",),
    )
    sampler = PatchSampler([volume], patch_size=32, labels=LABELS, seed=0)

    batch = sampler.batch(1, 12)

    assert batch.image.shape == (12, 1, 1, 32, 32)
    assert batch.target.shape == batch.weight.shape == (12, 1, 1, 16, 16)
    shown = [i for i in range(12) if batch.target[i].sum() > 5]
    assert len(shown) >= 5
    small = torch.nn.functional.avg_pool3d(batch.image, (1, 2, 2))
    for i in shown:
        inside = small[i][batch.target[i] > 0].mean()
        assert inside < small[i][batch.target[i] == 0].mean() - 1
