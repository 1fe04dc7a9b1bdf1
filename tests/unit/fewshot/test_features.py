"""Features around a place are those of the whole volume there."""

import numpy as np
import pytest
import torch

from etpicker_plugin.engine.fewshot.features import (
    features_at,
    usual_features,
)
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.model.pretrained import begin_from_pretrained
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SHAPE_ZYX = (40, 56, 72)
RING = 4
"""Output voxels beside the volume."""


@pytest.fixture(scope="module")
def network():
    made = make_network("fast", 2)
    begin_from_pretrained(made)
    return made.eval()


@pytest.fixture(scope="module")
def volume():
    values = np.random.default_rng(6).normal(size=SHAPE_ZYX)
    return ArrayVolume(values.astype(np.float16))


@pytest.fixture(scope="module")
def whole(network, volume):
    """Features ``(F, z, y, x)`` of the volume and a ring of zeros around it."""
    margin = network.halo + 2 * RING
    image = torch.from_numpy(np.pad(volume.data.astype(np.float32), margin))
    with torch.inference_mode():
        found = network.forward_with_features(image[None, None])[2][0].numpy()
    inner = slice(network.halo // 2, -network.halo // 2)
    return found[:, inner, inner, inner]


def test_a_click_sees_the_mean_of_its_neighbours(network, volume, whole):
    """Output voxel j lies at voxel 2 j + 0.5; it and its six neighbours count."""
    places = np.array([[20.5, 30.5, 40.5], [20.1, 31.2, 40.9], [1.0, 54.9, 33.2]])
    found = features_at(network, volume, places)
    steps = np.vstack(
        [np.zeros((1, 3), int), np.eye(3, dtype=int), -np.eye(3, dtype=int)]
    )
    # At (1, 54.9, 33.2) lies output voxel (0, 27, 16), beside two faces.
    centres = np.array([[10, 15, 20], [10, 15, 20], [0, 27, 16]]) + RING
    for got, centre in zip(found, centres, strict=True):
        near = [whole[:, z, y, x] for z, y, x in centre + steps]
        np.testing.assert_allclose(got, np.mean(near, axis=0), atol=1e-4)


def test_only_allowed_voxels_are_usual(network, volume, whole):
    allowed = np.zeros(SHAPE_ZYX, bool)
    allowed[:, :, 48:] = True
    found = usual_features(
        network, volume, allowed=allowed, generator=np.random.default_rng(2)
    )
    inside = slice(RING, -RING)
    there = whole[:, inside, inside, inside][..., 24:].reshape(32, -1).T
    assert len(found) > 100
    for one in found[:: len(found) // 20]:
        assert np.abs(there - one).max(axis=1).min() < 1e-4
