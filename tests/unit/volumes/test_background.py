"""The background of a micrograph, and what is left without it."""

import numpy as np

from etpicker_plugin.engine.volumes.background import background_of
from etpicker_plugin.engine.volumes.tomogram import read_tomogram
from etpicker_plugin.engine.volumes.working_volume import open_working_volume
from etpicker_plugin.tests.support.micrographs import write_micrograph


def test_a_slope_is_background():
    y, x = np.indices((200, 330), dtype=np.float32)
    slope = 5 + 0.1 * y - 0.3 * x

    left = slope - background_of(slope)

    assert np.abs(left[32:-32, 32:-32]).max() < 0.5
    assert np.abs(slope).max() > 90


def test_dark_particles_are_none():
    plane = np.zeros((128, 192), np.float32)
    plane[20:38, 30:48] = plane[80:98, 140:158] = -7

    assert np.abs(background_of(plane)).max() < 0.01


def test_a_small_plane_has_one_block():
    plane = np.full((9, 21), 4.0, np.float32)

    np.testing.assert_allclose(background_of(plane), 4.0)


def test_a_carbon_edge_and_hot_pixels_hardly_change_the_rest(tmp_path):
    generator = np.random.default_rng(0)
    plain = generator.normal(100, 2, (256, 384))
    spoilt = plain.copy()
    spoilt[:, :64] -= 10
    spoilt[tuple(generator.integers(0, (256, 384), (15, 2)).T)] = 1e5

    boxes = []
    for name, image in (("plain", plain), ("spoilt", spoilt)):
        path = write_micrograph(tmp_path / f"{name}.mrc", image, pixel_size=5.0)
        volume = open_working_volume(read_tomogram(path), 5.0)
        boxes.append(volume.read((0, 100, 200), (1, 250, 380)))

    assert boxes[0].shape == (1, 150, 180)
    assert abs(boxes[0].std() - 1) < 0.05
    assert np.median(np.abs(boxes[1] - boxes[0])) < 0.1


def test_a_micrograph_is_rescaled_in_its_plane_only(tmp_path):
    y, x = np.indices((101, 161))
    image = np.exp(-((y - 40) ** 2 + (x - 90) ** 2) / 50)
    image += np.random.default_rng(0).normal(0, 0.3, image.shape)
    path = write_micrograph(tmp_path / "a.mrc", image, pixel_size=2.0)

    volume = open_working_volume(read_tomogram(path), 8.0)

    assert volume.shape_zyx == (1, 26, 41)
    plane = volume.read((0, 0, 0), volume.shape_zyx)[0]
    found = np.argwhere(plane > 5).mean(axis=0)
    assert np.abs(found - (10, 22.5)).max() < 0.5
