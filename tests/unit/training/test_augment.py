"""Augmentation: the image and the centres move together, and a seed replays both."""

import numpy as np
import pytest
import torch

from etpicker_plugin.engine.training.augment import (
    ELASTIC_GRID,
    Augmentation,
    change_intensity,
    draw_augmentation,
    move_image,
    move_positions,
    source_margin,
)

SIZE = 24


def still(**changes):
    values = {
        "matrix": np.eye(3),
        "exact": True,
        "elastic": np.zeros((3, ELASTIC_GRID, ELASTIC_GRID, ELASTIC_GRID)),
        "gain": 1.0,
        "offset": 0.0,
        "noise_sd": 0.0,
        "noise_seed": 1,
        "blur": 0.0,
    }
    return Augmentation(**{**values, **changes})


def blob_at(position, margin):
    size = SIZE + 2 * margin
    z, y, x = np.ix_(*[np.arange(size) - margin - p for p in position])
    return torch.from_numpy(np.exp(-(z**2 + y**2 + x**2) / (2 * 1.5**2))).float()


def centre_of_mass(image):
    axes = np.indices(image.shape).reshape(3, -1)
    weights = image.numpy().astype(float).ravel()
    return (axes * weights).sum(axis=1) / weights.sum()


@pytest.mark.parametrize("seed", range(40))
def test_a_blob_moves_to_where_its_centre_moves(seed):
    augmentation = draw_augmentation(np.random.default_rng(seed), SIZE)
    position = np.array([9.0, 12.5, 14.0])

    (image,) = move_image(
        blob_at(position, source_margin(augmentation, SIZE))[None], augmentation, SIZE
    )

    moved = move_positions(position[None], augmentation, SIZE)[0]
    assert image.shape == (SIZE, SIZE, SIZE)
    # A local stretch shifts a blob's centroid a little; the map itself is exact.
    tolerance = 1e-3 if augmentation.exact else 0.25
    assert np.abs(centre_of_mass(image) - moved).max() < tolerance


def test_both_kinds_are_drawn():
    drawn = [draw_augmentation(np.random.default_rng(s), SIZE) for s in range(60)]

    assert 0.15 < np.mean([not a.exact for a in drawn]) < 0.5
    assert any(a.noise_sd > 0 for a in drawn)
    assert any(a.noise_sd == 0 for a in drawn)
    assert max(np.abs(a.elastic).max() for a in drawn) <= 0.05 * SIZE


def test_the_beam_never_lies_down():
    for seed in range(60):
        matrix = draw_augmentation(np.random.default_rng(seed), SIZE).matrix
        z_axis = matrix[:, 0] / np.linalg.norm(matrix[:, 0])
        assert abs(z_axis[0]) > np.cos(np.radians(10))


def test_the_seed_replays_noise_and_shape():
    margin = source_margin(draw_augmentation(np.random.default_rng(7), SIZE), SIZE)
    edge = SIZE + 2 * margin
    source = torch.randn(edge, 1, 1).expand(-1, edge, edge)
    results = []
    for _ in range(2):
        augmentation = draw_augmentation(np.random.default_rng(7), SIZE)
        (moved,) = move_image(source[None], augmentation, SIZE)
        results.append(change_intensity(moved, augmentation))

    assert torch.equal(results[0], results[1])


def test_noise_has_the_images_own_spectrum_and_keeps_its_variance():
    generator = torch.Generator().manual_seed(3)
    white = torch.randn(20, 24, 32, generator=generator)
    spectrum = torch.fft.rfftn(white)
    spectrum[5:16] = 0.0  # a band in z is missing
    image = torch.fft.irfftn(spectrum, s=white.shape)

    noisy = change_intensity(image, still(noise_sd=0.8))

    added = noisy * np.sqrt(1 + 0.8**2) - image
    assert abs(float(noisy.std() / image.std()) - 1.0) < 0.05
    assert abs(float(added.std() / image.std()) - 0.8) < 0.02
    assert abs(np.corrcoef(added.ravel(), image.ravel())[0, 1]) < 0.05
    assert float(torch.fft.rfftn(added)[5:16].abs().max()) < 1e-2


def test_gain_and_offset():
    image = torch.full((4, 5, 6), 2.0)

    assert torch.allclose(
        change_intensity(image, still(gain=1.5, offset=-1.0)), torch.tensor(2.0)
    )


def test_y_and_x_exchanged_by_hand():
    augmentation = still(matrix=np.diag([1.0, -1.0, 1.0])[[0, 2, 1]])
    # Output offset (a, b, c) reads input offset (a, c, -b).
    moved = move_positions(np.array([[0.0, 23.0, 11.5]]), augmentation, SIZE)

    assert np.allclose(moved, [[0.0, 11.5, 23.0]])
