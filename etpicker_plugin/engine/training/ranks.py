"""Training on several GPUs: one process for each, started by torchrun.

Every process (rank) learns from patches of its own; after each backward pass the ranks
average their gradients and batch statistics, so that all of them hold the same network
(data parallelism, as torch's DistributedDataParallel; a network of some megabytes has
nothing to gain from overlapping the exchange with the backward pass). Only the first
rank validates, writes and reports; what it decides by clock or score holds for all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed

from etpicker_plugin.engine import torchrun

LONGEST_WAIT = timedelta(hours=2)
"""For the first rank's validation; a rank that died is noticed by torchrun."""
SEED_STRIDE = 1_000_003


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """The processes that train one network together; by default this one alone."""

    rank: int = 0
    size: int = 1
    device: torch.device = torch.device("cpu")

    @property
    def is_first(self) -> bool:
        """Whether this process validates, writes and reports."""
        return self.rank == 0

    def seed(self, seed: int) -> int:
        """Return the seed of this rank's patches."""
        return seed + SEED_STRIDE * self.rank

    def share(self, value: float) -> float:
        """Return the first rank's value in every rank."""
        if self.size == 1:
            return value
        shared = torch.tensor(value, dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, src=0)
        return float(shared)

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace float tensors, in place, by their means over the ranks."""
        if self.size == 1:
            return
        own = list(tensors)
        flat = torch.cat([t.detach().float().flatten() for t in own])
        distributed.all_reduce(flat)
        flat /= self.size
        for tensor, mean in zip(own, flat.split([t.numel() for t in own]), strict=True):
            tensor.detach().copy_(mean.view_as(tensor))

    def leave(self) -> None:
        """End the exchange, once nothing is shared any more.

        A process that ends with its connections open may be aborted at its end.
        """
        if self.size > 1:
            distributed.barrier()
            distributed.destroy_process_group()


def join_ranks(device: torch.device) -> Ranks:
    """Meet the other processes that torchrun started; alone without torchrun."""
    if not torchrun.is_launched():
        return Ranks()
    backend = "nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=LONGEST_WAIT)
    return Ranks(
        rank=distributed.get_rank(), size=distributed.get_world_size(), device=device
    )
