"""Reading and writing models: weights and card in one safetensors file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import CheckpointError
from etpicker_plugin.engine.model.card import (
    CARD_KEY,
    ModelCard,
    card_to_json,
    read_usable_card,
)
from etpicker_plugin.engine.model.checksums import (
    CHECKSUMS_KEY,
    Described,
    arrays_sha256,
    check_part,
    checksums_to_json,
    text_sha256,
)
from etpicker_plugin.engine.model.exemplars import (
    EXEMPLARS_KEY,
    Exemplar,
    described,
    to_arrays,
)
from etpicker_plugin.engine.model.kept_maps import MAPS_KEY, KeptMaps
from etpicker_plugin.engine.model.kept_maps import to_arrays as maps_to_arrays
from etpicker_plugin.engine.model.network import Network, make_network

NETWORK_PREFIX = "network."


def save_model(
    path: Path,
    network: Network,
    card: ModelCard,
    *,
    exemplars: Sequence[Exemplar] = (),
    maps: KeptMaps | None = None,
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
    densities, of_maps = maps_to_arrays(maps)
    kept = {
        name: torch.from_numpy(array) for name, array in {**arrays, **densities}.items()
    }
    words = card_to_json(card)
    parts = {
        "card": text_sha256(words),
        "weights": arrays_sha256(described_tensors(tensors)),
        "exemplars": arrays_sha256(described(arrays), records),
    }
    metadata = {CARD_KEY: words, EXEMPLARS_KEY: records}
    if maps is not None:
        metadata[MAPS_KEY] = of_maps
        parts["maps"] = arrays_sha256(described(densities), of_maps)
    metadata[CHECKSUMS_KEY] = checksums_to_json(**parts)
    with write_whole(path) as temporary:
        # Not by save_file: that leaves a file which only its owner can read.
        temporary.write_bytes(save({**tensors, **kept}, metadata=metadata))


def load_model(path: Path | str) -> tuple[Network, ModelCard]:
    """Read a model in evaluation mode, on the CPU.

    Raises
    ------
    CheckpointError
        If the file is missing, corrupt, foreign, newer than this code, of another
        normalisation, or its weights do not fit its network or are no numbers.
    """
    path = Path(path)
    card = read_usable_card(path)
    try:
        network = make_network(card.network, len(card.classes))
        weights = _read_weights(path)
        network.load_state_dict(weights)
        _check_weights(weights, network)
    except (SafetensorError, RuntimeError, OSError, ValueError, KeyError) as error:
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
        found = {
            name: opened.get_tensor(name)
            for name in opened.keys()
            if name.startswith(NETWORK_PREFIX)
        }
        metadata = opened.metadata() or {}
    check_part(metadata, "weights", arrays_sha256(described_tensors(found)), path=path)
    return {name.removeprefix(NETWORK_PREFIX): value for name, value in found.items()}


def described_tensors(tensors: Mapping[str, Tensor]) -> Iterator[Described]:
    """Yield tensors of any type as checksums take them."""
    for name, value in tensors.items():
        data = value.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        yield name, str(value.dtype), tuple(value.shape), data


def _check_weights(weights: Mapping[str, Tensor], network: Network) -> None:
    """Refuse what would compute, and pick nonsense.

    Raises
    ------
    ValueError
        If a weight is NaN or infinite, or of another type than the network's.
    """
    for name, own in network.state_dict().items():
        if weights[name].dtype != own.dtype:
            raise ValueError(f"{name} is {weights[name].dtype}, expected {own.dtype}")
        if not torch.isfinite(weights[name]).all():
            raise ValueError(f"{name} holds NaN or infinite weights")
