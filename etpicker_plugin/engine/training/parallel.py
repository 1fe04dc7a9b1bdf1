"""A training step's forward and backward pass, in halves side by side.

Two halves of a batch, each on half of the cores, need about half the time of one
whole batch on all cores: threads that share one convolution wait for one another.
The loss is still that of the whole batch; only batch normalisation sees a half.
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import torch
from torch import Tensor

from etpicker_plugin.engine.model.network import LAYOUT, Network, mixed_precision

CPU_PARTS = 2
"""Fixed, whatever the number of cores: it changes batch normalisation, and the same
seed is to give the same model everywhere."""

SMALL_PATCH = 16
"""Planes, of which two are left where the network is deepest. There the gradient of a
bfloat16 convolution is garbage on some processors (those with AVX512-BF16 and no AMX;
torch 2.13), and of three planes or more it is right."""

Run = Callable[[Network, Tensor], tuple[Tensor, ...]]
Result = TypeVar("Result")


def only_logits(network: Network, image: Tensor) -> tuple[Tensor, ...]:
    """Return ``(logits,)``."""
    return (network(image),)


class ParallelNetwork:
    """Copies of a network that share its weights, each taking a part of a batch.

    Parameters
    ----------
    network
        The network being trained; gradients are left in its parameters, and its batch
        statistics become the mean of the copies'.
    run
        Returns the outputs of a network for a ``(B, 1, P, P, P)`` image.
    batch_size
        Patches in a batch; there are never more parts than patches.
    """

    def __init__(self, network: Network, run: Run, *, batch_size: int) -> None:
        self._run = run
        self._parameters = list(network.parameters())
        self._device = self._parameters[0].device
        parts = 1 if self._device.type == "cuda" else min(CPU_PARTS, batch_size)
        self._copies = [network, *(_share_weights(network) for _ in range(parts - 1))]
        self._pool = ThreadPoolExecutor(
            parts,
            initializer=torch.set_num_threads,
            initargs=(max(1, torch.get_num_threads() // parts),),
        )
        self._outputs: list[tuple[Tensor, ...]] = []
        self._leaves: list[Tensor] = []

    def train(self, *, learn_statistics: bool) -> None:
        """Use, and learn, the statistics of each batch; or the network's own."""
        for part in self._copies:
            part.train(learn_statistics)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the float32 outputs of a batch, as leaves for a loss.

        Parameters
        ----------
        image
            ``(B, 1, P, P, P)``.
        """
        _hand_out_statistics(self._copies)
        pieces = image.to(self._device).tensor_split(len(self._copies))
        self._outputs = list(self._side_by_side(self._forward_part, pieces))
        self._leaves = [
            torch.cat([o.detach().float() for o in outputs]).requires_grad_()
            for outputs in zip(*self._outputs, strict=True)
        ]
        return tuple(self._leaves)

    def backward(self) -> None:
        """Carry the leaves' gradients, as a loss left them, to the parameters."""
        used = [i for i, leaf in enumerate(self._leaves) if leaf.grad is not None]
        gradients = [
            _gradient_of(self._leaves[i]).tensor_split(len(self._copies)) for i in used
        ]
        works = [
            ([outputs[i] for i in used], [g[part] for g in gradients])
            for part, outputs in enumerate(self._outputs)
        ]
        parts = list(self._side_by_side(self._backward_part, works))
        for parameter, *of_parts in zip(self._parameters, *parts, strict=True):
            total = torch.stack(of_parts).sum(dim=0)
            if parameter.grad is not None:  # a penalty on the weights themselves
                total += parameter.grad
            parameter.grad = total
        self._outputs, self._leaves = [], []
        _gather_statistics(self._copies)

    def _forward_part(self, part: Network, image: Tensor) -> tuple[Tensor, ...]:
        with _precision(self._device, image):
            return self._run(part, image.contiguous(memory_format=LAYOUT))

    def _backward_part(
        self, part: Network, work: tuple[list[Tensor], list[Tensor]]
    ) -> tuple[Tensor, ...]:
        outputs, gradients = work
        return torch.autograd.grad(
            outputs,
            list(part.parameters()),
            [g.to(o.dtype) for o, g in zip(outputs, gradients, strict=True)],
        )

    def _side_by_side(
        self, function: Callable[[Network, Any], Result], works: Iterable[Any]
    ) -> Iterator[Result]:
        """Call the function with every copy and its work, each in a thread."""
        if len(self._copies) == 1:
            return map(function, self._copies, works)
        return self._pool.map(function, self._copies, works)


def _precision(device: torch.device, image: Tensor) -> AbstractContextManager[object]:
    """Return mixed precision, or none for patches in which it cannot be trusted."""
    if device.type == "cpu" and image.shape[2] <= SMALL_PATCH:
        return nullcontext()
    return mixed_precision(device)


def _share_weights(network: Network) -> Network:
    """Return a copy with the same parameters in memory, and statistics of its own."""
    other = copy.deepcopy(network)
    for copied, own in zip(other.parameters(), network.parameters(), strict=True):
        copied.data = own.data
    return other


@torch.no_grad()
def _hand_out_statistics(copies: list[Network]) -> None:
    """Give the copies the network's batch statistics, which may be restored ones."""
    network, *others = copies
    for other in others:
        for buffer, own in zip(other.buffers(), network.buffers(), strict=True):
            buffer.copy_(own)


@torch.no_grad()
def _gather_statistics(copies: list[Network]) -> None:
    """Give the network the mean of the copies' batch statistics."""
    if not copies[0].training:
        return
    for own, *others in zip(*(part.buffers() for part in copies), strict=True):
        if own.is_floating_point():
            own.copy_(torch.stack([own, *others]).mean(dim=0))


def _gradient_of(leaf: Tensor) -> Tensor:
    if leaf.grad is None:
        raise RuntimeError("The loss does not depend on this output.")
    return leaf.grad
