"""Making a network by name, and running it in mixed precision."""

from contextlib import AbstractContextManager

import torch
from torch import Tensor

from etpicker_plugin.engine.device import has_fast_bfloat16
from etpicker_plugin.engine.model.deepetpicker_network import DeepETPickerNetwork
from etpicker_plugin.engine.model.fast_network import FastNetwork

LAYOUT = torch.channels_last_3d

Network = FastNetwork | DeepETPickerNetwork


def make_network(name: str, n_classes: int) -> Network:
    """Return a new network: ``fast`` or ``deepetpicker``."""
    if name == "deepetpicker":
        return DeepETPickerNetwork(n_classes)
    return FastNetwork(n_classes)


def place_network(network: Network, device: torch.device) -> Network:
    """Move a network to a device in the memory layout that is fast there."""
    network.to(device)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv3d):
            weight = module.weight.data
            module.weight.data = weight.contiguous(memory_format=LAYOUT)
    return network


def mixed_precision(
    device: torch.device, precision: str = "auto"
) -> AbstractContextManager[object]:
    """Return the autocast context: bfloat16 where the hardware computes it.

    ``precision`` is ``auto``, or ``float32`` for none.
    """
    wanted = precision == "auto" and has_fast_bfloat16(device)
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted)


def predict_logits(network: Network, volume: Tensor, precision: str = "auto") -> Tensor:
    """Run a network in evaluation mode on one volume.

    Parameters
    ----------
    volume
        ``(Z, Y, X)`` float32 on the network's device; sizes are multiples of the
        network's ``alignment``.

    Returns
    -------
    Tensor
        ``(C, Z/s, Y/s, X/s)`` float32 logits, s = ``output_stride``.
    """
    batch = volume[None, None].contiguous(memory_format=LAYOUT)
    with torch.inference_mode(), mixed_precision(volume.device, precision):
        logits: Tensor = network(batch)
    return logits[0].float()
