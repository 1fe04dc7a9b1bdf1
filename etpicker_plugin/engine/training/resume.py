"""The state of an unfinished training, so that a kill costs a minute at most.

One safetensors file holds the weights being trained, their average, the best average
so far and the optimiser's moments, with the counters as JSON. It is replaced whole.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from etpicker_plugin.engine.errors import CheckpointError, ResourceError

STATE_KEY = "etpicker_training_state"


@dataclass
class Counters:
    """Where training stands.

    ``elapsed_s`` counts training time over all runs; ``history`` holds one record a
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
    partial = path.with_name(path.name + ".partial")
    metadata = {STATE_KEY: json.dumps(asdict(state.counters))}
    try:
        partial.write_bytes(save(flat, metadata=metadata))
        os.replace(partial, path)
    except OSError as error:
        raise ResourceError(
            f"The training state {path} cannot be written: {error}. Free some space "
            "and run the same command again; it goes on from the former state."
        ) from error


def load_state(path: Path) -> TrainingState:
    """Read a state file back.

    Raises
    ------
    CheckpointError
        If it cannot be read.
    """
    try:
        with safe_open(str(path), framework="pt") as opened:
            counters = Counters(**json.loads(opened.metadata()[STATE_KEY]))
            groups: dict[str, dict[str, Tensor]] = {}
            for key in opened.keys():
                group, _, name = key.partition("/")
                groups.setdefault(group, {})[name] = opened.get_tensor(key)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"Training state {path} cannot be read: {error}. Delete it to train from "
            "the start."
        ) from error
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
