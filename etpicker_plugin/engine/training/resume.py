"""The state of an unfinished training, so that a kill costs a minute at most.

One safetensors file holds the weights being trained, their average, the best average
so far and the optimiser's moments, with the counters as JSON. It is replaced whole.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import CheckpointError
from etpicker_plugin.engine.json_checks import (
    JsonFault,
    list_of,
    number,
    parse,
    record,
    text,
    whole,
)
from etpicker_plugin.engine.model.checksums import arrays_sha256
from etpicker_plugin.engine.model.model_file import described_tensors

STATE_KEY = "etpicker_training_state"
CHECKSUM_KEY = "etpicker_checksum"
COUNTERS = record(
    {
        "digest": text,
        "step": whole(0),
        "elapsed_s": number(0),
        "best_score": number(),
        "best_step": whole(0),
        "validations_since_best": whole(0),
        "validations": whole(0),
        "history": list_of(record({"step": whole(0)}, others=True)),
    },
    {"stopped_by": text},
)


@dataclass
class Counters:
    """Where training stands.

    ``elapsed_s`` counts training time over all runs; ``validations`` how many of the
    schedule are past; ``history`` holds one record a
    validation; ``digest`` tells the parameters and data apart; ``stopped_by`` says at
    the end what ended it (``training_end.WORDS``).
    """

    digest: str
    step: int = 0
    elapsed_s: float = 0.0
    best_score: float = -1.0
    best_step: int = 0
    validations_since_best: int = 0
    validations: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    stopped_by: str = ""


@dataclass
class TrainingState:
    """Counters and, by group (``network``, ``average``, ``best``), named tensors."""

    counters: Counters
    tensors: dict[str, dict[str, Tensor]]
    moments: dict[str, Tensor]


def save_state(path: Path, state: TrainingState) -> None:
    """Replace the state file.

    Raises
    ------
    ResourceError
        If it cannot be written; the former state stays.
    """
    flat = {
        f"{group}/{name}": value.detach().cpu().contiguous().clone()
        for group, tensors in {**state.tensors, "moments": state.moments}.items()
        for name, value in tensors.items()
    }
    words = json.dumps(asdict(state.counters))
    checksum = arrays_sha256(described_tensors(flat), words)
    metadata = {STATE_KEY: words, CHECKSUM_KEY: checksum}
    with write_whole(path) as temporary:
        temporary.write_bytes(save(flat, metadata=metadata))


def load_state(path: Path) -> TrainingState:
    """Read a state file back.

    Raises
    ------
    CheckpointError
        If it cannot be read, or is not as it was written.
    """
    try:
        with safe_open(str(path), framework="pt") as opened:
            metadata = opened.metadata() or {}
            flat = {key: opened.get_tensor(key) for key in opened.keys()}
        words = metadata[STATE_KEY]
        if metadata[CHECKSUM_KEY] != arrays_sha256(described_tensors(flat), words):
            raise JsonFault("its checksum is another")
        values = COUNTERS(parse(words, finite=False), "counters")
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"Training state {path} cannot be read: {error}. Delete it to train from "
            "the start."
        ) from error
    groups: dict[str, dict[str, Tensor]] = {}
    for key, value in flat.items():
        group, _, name = key.partition("/")
        groups.setdefault(group, {})[name] = value
    counters = Counters(**{**values, "history": list(values["history"])})
    return TrainingState(counters, groups, groups.pop("moments", {}))


def optimiser_moments(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimiser's tensors under flat names."""
    state = optimiser.state_dict()["state"]
    return {
        f"{index}.{name}": torch.as_tensor(value)
        for index, values in state.items()
        for name, value in values.items()
    }


def restore_moments(
    optimiser: torch.optim.Optimizer, moments: dict[str, Tensor]
) -> None:
    """Put the moments of ``optimiser_moments`` back."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in moments.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
