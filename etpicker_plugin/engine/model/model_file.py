"""Reading and writing models: weights and card in one safetensors file."""

import os
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from etpicker_plugin.engine.errors import CheckpointError, ResourceError
from etpicker_plugin.engine.model.card import (
    CARD_KEY,
    ModelCard,
    card_to_json,
    read_usable_card,
)
from etpicker_plugin.engine.model.exemplars import (
    EXEMPLARS_KEY,
    Exemplar,
    to_arrays,
)
from etpicker_plugin.engine.model.network import Network, make_network

NETWORK_PREFIX = "network."


def save_model(
    path: Path,
    network: Network,
    card: ModelCard,
    *,
    exemplars: Sequence[Exemplar] = (),
) -> None:
    """Write a model file; it appears under its name only when it is whole.

    Raises
    ------
    CheckpointError
        If the file exists: a model is never overwritten.
    ResourceError
        If it cannot be written.
    """
    if path.exists():
        raise CheckpointError(
            f"Model {path} exists already and is never overwritten. Give another "
            "output folder."
        )
    tensors = {
        NETWORK_PREFIX + name: value.detach().cpu().contiguous()
        for name, value in network.state_dict().items()
    }
    arrays, records = to_arrays(list(exemplars))
    kept = {name: torch.from_numpy(array) for name, array in arrays.items()}
    metadata = {CARD_KEY: card_to_json(card), EXEMPLARS_KEY: records}
    partial = path.with_name(path.name + ".partial")
    try:
        # Not by save_file: that leaves a file which only its owner can read.
        partial.write_bytes(save({**tensors, **kept}, metadata=metadata))
        os.replace(partial, path)
    except OSError as error:
        raise ResourceError(
            f"Model {path} cannot be written: {error}. Free some space and run the "
            "same command again."
        ) from error


def load_model(path: Path | str) -> tuple[Network, ModelCard]:
    """Read a model in evaluation mode, on the CPU.

    Raises
    ------
    CheckpointError
        If the file is missing, corrupt, foreign, newer than this code, of another
        normalisation, or its weights do not fit its network.
    """
    path = Path(path)
    card = read_usable_card(path)
    try:
        network = make_network(card.network, len(card.classes))
        network.load_state_dict(_read_weights(path))
    except (SafetensorError, RuntimeError, OSError) as error:
        raise CheckpointError(
            f"Model {path}: its weights do not fit the network '{card.network}' "
            f"({str(error).splitlines()[0]}). The file is damaged or was made by "
            "another version."
        ) from error
    network.requires_grad_(False)
    network.eval()
    return network, card


def _read_weights(path: Path) -> dict[str, Tensor]:
    """Return the network's tensors, and leave the exemplars unread."""
    with safe_open(str(path), framework="pt") as opened:
        return {
            name.removeprefix(NETWORK_PREFIX): opened.get_tensor(name)
            for name in opened.keys()
            if name.startswith(NETWORK_PREFIX)
        }
