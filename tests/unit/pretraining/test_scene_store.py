"""Patches are labelled where their particles are, however they were turned."""

import numpy as np
import pytest
import scene_store
import torch
from scipy import ndimage

SHAPE_ZYX = (60, 150, 160)
CLASSES = (2, 5, 7)
N_CLASSES = 9
BRIGHTNESS = {2: 4.0, 5: 8.0, 7: 16.0}
APART = 16.0
LABEL_VOX = 7.0
NO_CHANGE = (1.0, 0.0, 1.0, 0.0, 0.0, 1000.0)


def plant():
    """Return centres ``(N, 3)``, apart from each other, and their classes."""
    generator = np.random.default_rng(3)
    centres = []
    for place in generator.uniform(9, np.array(SHAPE_ZYX) - 9, (150, 3)):
        if all(np.linalg.norm(place - other) > APART for other in centres):
            centres.append(place)
    return np.array(centres), np.resize(CLASSES, len(centres))


def draw_blobs(centres, channels):
    image = np.zeros(SHAPE_ZYX)
    axes = np.ogrid[: SHAPE_ZYX[0], : SHAPE_ZYX[1], : SHAPE_ZYX[2]]
    for centre, channel in zip(centres, channels, strict=True):
        away2 = sum((axis - c) ** 2 for axis, c in zip(axes, centre, strict=True))
        image += BRIGHTNESS[channel] * np.exp(-away2 / (2 * 2.0**2))
    return image


def draw_patches(folder, image, centres, channels, number):
    np.savez(
        folder / "00000.npz",
        image=image.astype(np.float16),
        positions=centres,
        channels=channels,
        labels=np.full(len(centres), LABEL_VOX),
    )
    store = scene_store.SceneStore(
        folder, N_CLASSES, most=1, device=torch.device("cpu")
    )
    store.take_new(5)
    assert len(store) == 1
    torch.manual_seed(0)
    return store.draw(number, len(CLASSES), np.random.default_rng(4))


@pytest.fixture(scope="module")
def unchanged():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            scene_store, "draw_changes", lambda _generator: np.array(NO_CHANGE)
        )
        yield


@pytest.fixture(scope="module")
def patches(unchanged, tmp_path_factory):
    centres, channels = plant()
    image = draw_blobs(centres, channels)
    folder = tmp_path_factory.mktemp("scenes")
    return draw_patches(folder, image, centres, channels, 16)


def test_places_are_where_the_blobs_lie(patches):
    away = []
    for image, places in zip(patches.image[:, 0], patches.places, strict=True):
        for place in places.numpy():
            if (place > 6).all() and (place < scene_store.PATCH - 7).all():
                start = np.round(place).astype(int) - 4
                box = tuple(slice(a, a + 9) for a in start)
                away.append(ndimage.center_of_mass(image[box].numpy()) + start - place)
    assert len(away) > 60
    assert np.abs(away).max() < 0.2
    assert np.abs(np.mean(away, axis=0)).max() < 0.03


def test_each_class_is_marked_on_its_own_blobs(patches):
    """The mean over a label of radius 3 is half of its blob's height.

    Of exp(-r²/8) after the mean of 2³ voxels: (4 / 4.25)^1.5 · 0.551 = 0.503.
    """
    assert patches.chosen.tolist() == list(CLASSES)
    seen = torch.nn.functional.avg_pool3d(patches.image, 2).flatten(2)
    for number, channel in enumerate(CLASSES):
        marked = patches.target[:, number : number + 1] > 0
        assert marked.sum() > 500
        assert seen[marked].mean() == pytest.approx(0.5 * BRIGHTNESS[channel], rel=0.06)
    nothing = patches.target.sum(1, keepdim=True) == 0
    assert seen[nothing].mean() < 0.1


def test_what_is_outside_the_scene_weighs_nothing(unchanged, tmp_path):
    centres, channels = plant()
    patches = draw_patches(tmp_path, np.ones(SHAPE_ZYX), centres, channels, 8)
    seen = torch.nn.functional.avg_pool3d(patches.image, 2).flatten(2)
    counts = patches.weight > 0
    assert 0.1 < counts.float().mean() < 0.9
    assert ((seen > 0.5) == counts).float().mean() > 0.995
