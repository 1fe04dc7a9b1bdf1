"""What a training changes: a network, its running average, and the best so far."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.training.parallel import ParallelNetwork, Run
from etpicker_plugin.engine.training.patches import Batch
from etpicker_plugin.engine.training.ranks import Ranks
from etpicker_plugin.engine.training.resume import (
    TrainingState,
    optimiser_moments,
    restore_moments,
    save_state,
)

AVERAGE_DECAY = 0.995
WEIGHT_DECAY = 0.01
BETAS = (0.9, 0.99)
LARGEST_GRADIENT = 5.0

Loss = Callable[[tuple[Tensor, ...], Batch, Network], Tensor]


@dataclass
class Weights:
    """The network being trained, its running average, and the best average so far."""

    network: Network
    parallel: ParallelNetwork
    average: Network
    best: Network
    optimiser: torch.optim.AdamW
    ranks: Ranks


def make_weights(
    network: Network,
    run: Run,
    ranks: Ranks,
    *,
    learning_rate: float,
    batch_size: int,
    learn_statistics: bool,
) -> Weights:
    """Return the weights of a training that begins with a network.

    Parameters
    ----------
    run
        Outputs of the network for a batch of images (see ``ParallelNetwork``).
    learning_rate
        Peak; each step sets its own.
    learn_statistics
        Off where batch normalisation keeps the statistics the network came with.
    """
    average = copy.deepcopy(network).requires_grad_(False)
    optimiser = torch.optim.AdamW(
        network.parameters(),
        lr=learning_rate,
        betas=BETAS,
        weight_decay=WEIGHT_DECAY,
    )
    parallel = ParallelNetwork(network, run, batch_size=batch_size)
    parallel.train(learn_statistics=learn_statistics)
    best = copy.deepcopy(average)
    return Weights(network, parallel, average, best, optimiser, ranks)


def take_step(weights: Weights, batch: Batch, loss: Loss, *, rate: float) -> float:
    """Take one optimiser step; return the loss."""
    optimiser = weights.optimiser
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad(set_to_none=True)
    value = loss(weights.parallel.forward(batch.image), batch, weights.network)
    value.backward()
    weights.parallel.backward()
    weights.ranks.average(_learnt_tensors(weights.network))
    torch.nn.utils.clip_grad_norm_(weights.network.parameters(), LARGEST_GRADIENT)
    optimiser.step()
    return float(value.detach())


def _learnt_tensors(network: Network) -> Iterator[Tensor]:
    """Yield what a step has made from its patches: gradients and statistics."""
    yield from (p.grad for p in network.parameters() if p.grad is not None)
    yield from (b for b in network.buffers() if b.is_floating_point())


def update_average(weights: Weights, step: int) -> None:
    """Move the running average (EMA) of weights and statistics one step."""
    decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
    means = weights.average.state_dict().values()
    values = weights.network.state_dict().values()
    with torch.no_grad():
        for mean, value in zip(means, values, strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)


def save_weights(path: Path, state: TrainingState, weights: Weights) -> None:
    """Put the weights into the state, and write that.

    Raises
    ------
    ResourceError
        If it cannot be written.
    """
    state.tensors = {
        "network": weights.network.state_dict(),
        "average": weights.average.state_dict(),
        "best": weights.best.state_dict(),
    }
    state.moments = optimiser_moments(weights.optimiser)
    save_state(path, state)


def restore_weights(state: TrainingState, weights: Weights) -> None:
    """Take the weights of a state; nothing from one that begins."""
    if not state.tensors:
        return
    weights.network.load_state_dict(state.tensors["network"])
    weights.average.load_state_dict(state.tensors["average"])
    weights.best.load_state_dict(state.tensors["best"])
    restore_moments(weights.optimiser, state.moments)
