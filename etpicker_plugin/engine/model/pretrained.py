"""Weights to begin from: what particles of random shapes have taught the network.

They come with the package, kernels in half precision and without the head, and were
learnt from simulated scenes alone, in two rounds (``pretraining/make_weights.py`` and
``second_round.py``), of which they are the mean. Seeing through noise and the missing
wedge need not be learnt again from a few clicks.
"""

from pathlib import Path

from safetensors.torch import load_file, save

from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.model.fast_network import FastNetwork

WEIGHTS = Path(__file__).with_name("pretrained_weights") / "fast.safetensors"
FLAT_WEIGHTS = WEIGHTS.with_name("fast-2d.safetensors")
HEAD = "head."


def save_pretrained(network: FastNetwork, path: Path) -> None:
    """Write a network's weights but for its head, which is of its own classes.

    Kernels in half precision; the rest is little, and variances exceed its range.
    """
    tensors = {
        name: value.half() if value.ndim > 1 else value
        for name, value in network.state_dict().items()
        if not name.startswith(HEAD)
    }
    path.write_bytes(save(tensors))


def begin_from_pretrained(network: FastNetwork) -> str:
    """Give a new network the weights that come with the package; return their SHA-256.

    Raises
    ------
    ResourceError
        If the installation lacks them.
    """
    weights = FLAT_WEIGHTS if network.flat else WEIGHTS
    if not weights.is_file():
        raise ResourceError(
            f"{weights} is missing: this installation of etpicker is not whole. "
            "Install it again, or begin from random weights with --from-scratch."
        )
    own = network.state_dict()
    shipped = load_file(str(weights))
    network.load_state_dict(
        own | {name: value.to(own[name].dtype) for name, value in shipped.items()}
    )
    return file_sha256(weights)
