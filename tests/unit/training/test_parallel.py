"""A batch in halves gives the gradients of the whole batch."""

import copy

import pytest
import torch

from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.training.losses import supervised_loss
from etpicker_plugin.engine.training.parallel import ParallelNetwork, only_logits


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(3)
    image = torch.randn(3, 1, 8, 16, 24, generator=generator)
    target = (torch.rand(3, 2, 4, 8, 12, generator=generator) > 0.8).float()
    return image, target, torch.ones_like(target)


def new_network():
    return make_network("fast", 2, seed=1)


def largest_difference(first, second):
    pairs = zip(first, second, strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs)


def test_the_gradients_are_those_of_the_whole_batch(batch, monkeypatch):
    monkeypatch.setattr(
        "etpicker_plugin.engine.training.parallel.mixed_precision",
        lambda device: torch.autocast("cpu", enabled=False),
    )
    image, target, weight = batch
    whole = new_network().eval()
    loss = supervised_loss(whole(image), target, weight)
    loss.backward()
    halved = new_network()
    parallel = ParallelNetwork(halved, only_logits, batch_size=3)
    parallel.train(learn_statistics=False)

    (logits,) = parallel.forward(image)
    value = supervised_loss(logits, target, weight)
    value.backward()
    parallel.backward()

    assert logits.shape == (3, 2, 4, 8, 12)
    assert value.item() == pytest.approx(loss.item(), rel=1e-5)
    gradients = [p.grad for p in whole.parameters()]
    assert max(float(g.abs().max()) for g in gradients) > 0.01
    found = [p.grad for p in halved.parameters()]
    assert largest_difference(gradients, found) < 1e-4


def test_a_penalty_on_the_weights_adds_its_gradient(batch):
    image, target, weight = batch
    without, with_penalty = new_network(), new_network()
    for network, factor in ((without, 0.0), (with_penalty, 0.5)):
        parallel = ParallelNetwork(network, only_logits, batch_size=3)
        parallel.train(learn_statistics=False)
        (logits,) = parallel.forward(image)
        penalty = sum((p**2).sum() for p in network.parameters())
        (supervised_loss(logits, target, weight) + factor * penalty).backward()
        parallel.backward()

    extra = [
        b.grad - a.grad
        for a, b in zip(without.parameters(), with_penalty.parameters(), strict=True)
    ]
    assert largest_difference(extra, with_penalty.parameters()) < 1e-3


def test_statistics_are_the_mean_of_the_halves(batch):
    image, _, _ = batch
    first, second = new_network(), new_network()
    for network, part in ((first, image[:2]), (second, image[2:])):
        single = ParallelNetwork(network, only_logits, batch_size=1)
        single.train(learn_statistics=True)
        single.forward(part)[0].sum().backward()
        single.backward()
    both = new_network()
    parallel = ParallelNetwork(both, only_logits, batch_size=3)
    parallel.train(learn_statistics=True)
    parallel.forward(image)[0].sum().backward()
    parallel.backward()

    mean = (first.stem[1].running_mean + second.stem[1].running_mean) / 2
    assert mean.abs().max() > 1e-4
    torch.testing.assert_close(both.stem[1].running_mean, mean)


def test_frozen_statistics_stay(batch):
    network = new_network()
    before = copy.deepcopy(network.state_dict())
    parallel = ParallelNetwork(network, only_logits, batch_size=3)
    parallel.train(learn_statistics=False)

    parallel.forward(batch[0])

    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_restored_statistics_reach_every_half(batch):
    image, target, weight = batch
    first, second = new_network(), new_network()
    for network, restored in ((first, True), (second, False)):
        parallel = ParallelNetwork(network, only_logits, batch_size=3)
        parallel.train(learn_statistics=True)
        if restored:  # as when training goes on from a state
            parallel.forward(image)[0].sum().backward()
            parallel.backward()
            network.load_state_dict(new_network().state_dict())
        (logits,) = parallel.forward(image)
        supervised_loss(logits, target, weight).backward()
        parallel.backward()

    mean = second.stem[1].running_mean
    assert mean.abs().max() > 1e-4
    torch.testing.assert_close(first.stem[1].running_mean, mean)


@pytest.mark.parametrize(("planes", "mixed"), [(16, False), (24, True)])
def test_small_patches_are_learnt_in_single_precision(monkeypatch, planes, mixed):
    monkeypatch.setattr(
        "etpicker_plugin.engine.training.parallel.mixed_precision",
        lambda device: torch.autocast("cpu", torch.bfloat16),
    )
    seen = []

    def run(network, image):
        seen.append(torch.is_autocast_enabled("cpu"))
        return only_logits(network, image)

    parallel = ParallelNetwork(new_network(), run, batch_size=2)
    parallel.train(learn_statistics=False)
    parallel.forward(torch.zeros(2, 1, planes, 16, 24))

    assert seen == [mixed, mixed]
