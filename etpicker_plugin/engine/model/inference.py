"""A network made ready to pick: normalisation folded in, number type, memory layout."""

from copy import deepcopy
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from etpicker_plugin.engine.device import has_fast_bfloat16
from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.model.network import LAYOUT, Network, place_network


def for_inference(
    network: Network, precision: str = "auto", *, device: torch.device | None = None
) -> Network:
    """Return a copy that only predicts; the network given stays as it is.

    Each batch normalisation becomes part of the convolution before it, which saves
    passes over memory and roundings.

    Parameters
    ----------
    precision
        ``auto``: bfloat16 where the hardware computes it; or ``float32``.
    device
        Where to; without it, where the network is.
    """
    ready = deepcopy(network).eval().requires_grad_(False)
    _fold_norms(ready)
    if device is not None:
        ready.to(device)
    where = next(ready.parameters()).device
    if precision == "auto" and has_fast_bfloat16(where):
        ready.to(torch.bfloat16)
    return place_network(ready, where)


def predict_logits(network: Network, volume: Tensor) -> Tensor:
    """Run a network in evaluation mode on one volume.

    Parameters
    ----------
    volume
        ``(Z, Y, X)`` float32 on the network's device; sizes are multiples of the
        network's ``alignment``, but for a Z of 1.

    Returns
    -------
    Tensor
        ``(C, Z/s, Y/s, X/s)`` float32 logits, s = ``output_stride``.
    """
    with torch.inference_mode():
        logits: Tensor = network(_as_batch(network, volume))
    return logits[0].float()


def predict_features(network: Network, volume: Tensor) -> Tensor:
    """Return the features ``(F, Z/s, Y/s, X/s)`` below the head (as above)."""
    with torch.inference_mode():
        _, _, features = network.forward_with_features(_as_batch(network, volume))
    return features[0]


def _as_batch(network: Network, volume: Tensor) -> Tensor:
    batch = volume[None, None].to(network.head.weight.dtype)
    return batch.contiguous(memory_format=LAYOUT)


def _fold_norms(network: nn.Module) -> None:
    """Fold every normalisation that follows a convolution into it, in place."""
    for module in network.modules():
        for (name, conv), (next_name, norm) in pairwise(list(module.named_children())):
            if isinstance(conv, nn.Conv3d) and isinstance(norm, nn.BatchNorm3d):
                setattr(module, name, fuse_conv_bn_eval(conv, norm))
                setattr(module, next_name, nn.Identity())


def streams(network: nn.Module) -> bool:
    """Tell whether a network can be run plane by plane (see ``streaming``)."""
    return isinstance(network, FastNetwork) and not network.flat
