"""Making a network by name, and training it in mixed precision."""

from contextlib import AbstractContextManager

import torch
from torch import Tensor

from etpicker_plugin.engine.arrays import along_axes
from etpicker_plugin.engine.device import has_fast_bfloat16
from etpicker_plugin.engine.model.deepetpicker_network import DeepETPickerNetwork
from etpicker_plugin.engine.model.fast_network import RARE_LOGIT, FastNetwork
from etpicker_plugin.engine.network_names import FLAT

LAYOUT = torch.channels_last_3d

Network = FastNetwork | DeepETPickerNetwork


def make_network(name: str, n_classes: int, *, seed: int = 0) -> Network:
    """Return a new network, of a name in ``network_names``, its weights by the seed."""
    # Torch draws first weights from its own generator alone, which is put back.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if name == "deepetpicker":
            return DeepETPickerNetwork(n_classes)
        return FastNetwork(n_classes, flat=name == FLAT)


def name_of(network: Network) -> str:
    """Return the name by which ``make_network`` makes it."""
    if isinstance(network, DeepETPickerNetwork):
        return "deepetpicker"
    return FLAT if network.flat else "fast"


def grow_network(network: Network, n_classes: int, *, seed: int = 0) -> Network:
    """Return a copy with more output channels; the old ones give what they gave.

    New channels start at a low probability.
    """
    grown = make_network(name_of(network), n_classes, seed=seed)
    state = network.state_dict()
    weight, bias = state.pop("head.weight"), state.pop("head.bias")
    if isinstance(network, DeepETPickerNetwork) and network.n_classes == 1 < n_classes:
        # A sigmoid becomes a softmax: the background's logit is 0 everywhere.
        weight = torch.cat([torch.zeros_like(weight), weight])
        bias = torch.cat([torch.zeros_like(bias), bias])
    fresh = grown.state_dict()
    head_weight, head_bias = fresh["head.weight"], fresh["head.bias"]
    head_bias.fill_(RARE_LOGIT)
    head_weight[: len(weight)], head_bias[: len(bias)] = weight, bias
    grown.load_state_dict({**state, "head.weight": head_weight, "head.bias": head_bias})
    return grown


def place_network(network: Network, device: torch.device) -> Network:
    """Move a network to a device in the memory layout that is fast there."""
    network.to(device)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv3d):
            weight = module.weight.data
            module.weight.data = weight.contiguous(memory_format=LAYOUT)
    return network


def mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """Return the autocast context: bfloat16 where the hardware computes it."""
    return torch.autocast(
        device.type, torch.bfloat16, enabled=has_fast_bfloat16(device)
    )


def embed(network: Network, volume: Tensor) -> Tensor:
    """Return what a network in evaluation mode sees in a volume, as one vector.

    Parameters
    ----------
    volume
        ``(Z, Y, X)`` float32 on the network's device, of any size.

    Returns
    -------
    Tensor
        ``(D,)`` mean and standard deviation of the deepest features.
    """
    grid = along_axes(network.alignment, volume.shape)
    lengths = zip(reversed(volume.shape), reversed(grid), strict=True)
    padding = [p for n, step in lengths for p in (0, -n % step)]
    batch = torch.nn.functional.pad(volume, padding)[None, None]
    with torch.inference_mode(), mixed_precision(volume.device):
        _, deepest, _ = network.forward_with_features(
            batch.contiguous(memory_format=LAYOUT)
        )
    flat = deepest[0].float().flatten(1)
    return torch.cat([flat.mean(dim=1), flat.std(dim=1)])
