"""The head that a loss goes through is the one that picks."""

import numpy as np
import one_click_loss
import pytest
import torch
from scene_store import PATCH, Patches, output_grid

from etpicker_plugin.engine.fewshot.head import solve_head, usual_of

NONE = np.zeros((0, 6))


def test_it_is_the_head_of_the_product(monkeypatch):
    """But for what is added against clicks on nothing, and with every voxel counted."""
    monkeypatch.setattr(one_click_loss, "EVERY", 1)
    monkeypatch.setattr(one_click_loss, "LEAST_DISTANCE", 0.0)
    generator = np.random.default_rng(0)
    features = generator.normal(size=(2, 4000, 6)) @ generator.normal(size=(6, 6))
    clicked, patch = 5 * generator.normal(size=(3, 6)), [1, 0, 1]

    weights, biases = one_click_loss.solve_heads(
        torch.tensor(clicked),
        torch.tensor(patch),
        one_click_loss.usual_of_patches(
            torch.tensor(features.transpose(0, 2, 1)), torch.ones(2, 1, 4000)
        ),
    )

    for number, own in enumerate(patch):
        expected = solve_head(usual_of(features[own]), clicked[[number]], NONE)
        np.testing.assert_allclose(weights[number], expected[0][0], rtol=1e-3)
        np.testing.assert_allclose(biases[number], expected[1][0], rtol=1e-3)


def test_what_weighs_nothing_is_not_usual():
    """Half of a patch outside its scene: mean and covariance are those of the rest."""
    generator = np.random.default_rng(1)
    features = torch.tensor(generator.normal(size=(1, 3, 8000)))
    weight = torch.ones(1, 1, 8000)
    features[:, :, 4000:], weight[:, :, 4000:] = 100.0, 0.0
    mean, covariance = one_click_loss.usual_of_patches(features, weight)
    inside = one_click_loss.usual_of_patches(features[..., :4000], weight[..., :4000])
    np.testing.assert_allclose(mean, inside[0])
    np.testing.assert_allclose(covariance, inside[1])
    assert mean.abs().max() < 0.2


@pytest.fixture
def patches():
    """Two patches, a particle of class 4 in each, one of class 1 in the second."""
    places = torch.full((2, 3, 3), 1e4)
    places[0, 0] = torch.tensor([20.0, 30.0, 44.0])
    places[1, 0] = torch.tensor([40.0, 12.0, 26.0])
    places[1, 1] = torch.tensor([24.0, 50.0, 38.0])
    member = torch.zeros(2, 2, 3, dtype=torch.bool)
    member[0, 1, 0] = member[1, 1, 0] = member[1, 0, 1] = True
    grid = output_grid(torch.device("cpu"))
    near = torch.cdist(places, grid.expand(2, -1, -1)) <= 4.0
    target = (member.float() @ near.float()).clamp(max=1)
    return Patches(
        torch.zeros(2, 1, PATCH, PATCH, PATCH),
        target,
        torch.ones_like(target[:, :1]),
        places,
        member,
        torch.tensor([1, 4]),
    )


@pytest.fixture
def noise(patches):
    torch.manual_seed(0)
    return 0.1 * torch.randn(2, 6, patches.target.shape[2])


def test_a_click_is_on_a_particle_of_its_class(patches, noise):
    """And counts where another is seen: class 1 has one particle only."""
    features = noise.clone()
    features[:, :2] += 5 * patches.target
    clicked, patch, shown = one_click_loss.draw_clicks(features, patches)
    np.testing.assert_allclose(clicked[:, :2], 5 * np.eye(2), atol=0.2)
    assert patch[0] == 1
    assert shown.tolist() == [False, True]


def test_features_that_mark_the_species_lose_less(patches, noise):
    loss = one_click_loss.OneClickLoss()
    telling, silent = noise.clone(), noise.clone()
    telling[:, :2] += 5 * patches.target
    silent[:, 0] += 5 * patches.target.sum(1)  # a particle, but not of which species
    assert loss(telling, patches) < 0.9 * loss(silent, patches)
    assert loss(silent, patches) < 0.9 * loss(noise, patches)
