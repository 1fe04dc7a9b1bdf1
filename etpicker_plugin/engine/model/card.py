"""The model card: what a model file says of itself, readable without torch.

A model is one safetensors file. Its tensors are the weights; its metadata holds one
JSON text, the card. Nothing in it is pickled, so opening a stranger's model runs no
code.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from etpicker_plugin.engine.errors import CheckpointError
from etpicker_plugin.engine.json_checks import (
    JsonFault,
    list_of,
    map_of,
    number,
    one_of,
    parse,
    record,
    text,
    whole,
)
from etpicker_plugin.engine.kinds import KINDS
from etpicker_plugin.engine.model.checksums import check_part, text_sha256
from etpicker_plugin.engine.network_names import FLAT, KNOWN
from etpicker_plugin.engine.species import Species

FORMAT_VERSION = 5
NORMALISATION = "robust-standard-score-at-working-voxel-size"
CARD_KEY = "etpicker_model_card"
MOST_CLASSES = 1000

LENGTH_ANG = number(0.01, 1e6)
SPECIES = record(
    {"name": text, "diameter_ang": LENGTH_ANG, "label_diameter_ang": LENGTH_ANG},
    {
        "threshold": number(0, 1),
        "flat_log_odds": number(),
        "metrics": map_of(number()),
        "kind": one_of(*KINDS),
        "section": list_of(list_of(number())),
    },
)
TOMOGRAM = record(
    {
        "tomogram_id": text,
        "shape_zyx": list_of(whole(1), 3),
        "voxel_size": LENGTH_ANG,
        "sha256": text,
        "particles": map_of(whole(0)),
        "role": text,
    },
    {"round": whole(0)},
)
TRAINING = record(
    {},
    {"forgetting": record({}, {"verdict": text}, others=True)},
    others=True,
)
CARD = record(
    {
        "format_version": whole(1),
        "network": text,
        "classes": list_of(SPECIES, least=1),
        "working_voxel_size": LENGTH_ANG,
        "annotation": one_of("complete", "sparse"),
        "tomograms": list_of(TOMOGRAM),
        "training": TRAINING,
        "code_version": text,
    },
    {
        "normalisation": text,
        "label_shape": text,
        "border_ang": number(0),
        "round": whole(0),
        "parent_sha256": text,
    },
)
VERSION = record({"format_version": whole(1)}, others=True)


class NoCardError(CheckpointError):
    """A safetensors file of another program, or no model at all."""


@dataclass(frozen=True)
class TomogramCard:
    """One tomogram that a model has learnt from, in the round given.

    ``particles`` counts the marks of each class, and the negatives as a class too.
    """

    tomogram_id: str
    shape_zyx: tuple[int, int, int]
    voxel_size: float
    sha256: str
    particles: dict[str, int]
    role: str
    round: int = 0


@dataclass(frozen=True)
class ModelCard:
    """Everything about a model but its weights.

    ``working_voxel_size`` (Å) is the voxel size at which the network works;
    ``border_ang`` how near to a face in x or y its annotations mark nothing;
    ``round`` counts continual updates from 0 and ``parent_sha256`` names the file
    updated (empty for a model that is no update).
    """

    network: str
    classes: tuple[Species, ...]
    working_voxel_size: float
    annotation: str
    tomograms: tuple[TomogramCard, ...]
    training: dict[str, Any]
    code_version: str
    normalisation: str = NORMALISATION
    label_shape: str = "ball"
    border_ang: float = 0.0
    round: int = 0
    parent_sha256: str = ""
    format_version: int = FORMAT_VERSION

    @property
    def is_flat(self) -> bool:
        """Whether it picks micrographs; otherwise tomograms."""
        return self.network == FLAT

    def class_names(self) -> tuple[str, ...]:
        """Return the names of the classes, in the order of the output channels."""
        return tuple(c.name for c in self.classes)


def describe_round(number: int) -> str:
    """Return in words how often a model was updated since its training."""
    return "never updated" if number == 0 else name_round(number)


def name_round(number: int) -> str:
    """Return in words where data were learnt: in the training, or in which update."""
    return "first training" if number == 0 else f"update {number}"


def card_to_json(card: ModelCard) -> str:
    """Return the card as one line of JSON."""
    return json.dumps(dataclasses.asdict(card))


def card_from_json(words: str, *, path: Path) -> ModelCard:
    """Read a card back.

    Raises
    ------
    CheckpointError
        If the format is newer than this code, or the card is incomplete or holds
        what no card does.
    """
    try:
        values = parse(words, finite=False)  # A history may hold NaN.
        version = VERSION(values, "card")["format_version"]
    except JsonFault as error:
        raise CheckpointError(
            f"Model {path}: its card cannot be read ({error}). The file is damaged; "
            "copy it again or use another model."
        ) from error
    if version > FORMAT_VERSION:
        raise CheckpointError(
            f"Model {path}: format version {version}, but this etpicker reads up to "
            f"{FORMAT_VERSION}. Install a newer etpicker."
        )
    try:
        values = CARD(values, "card")
        _check_names([c["name"] for c in values["classes"]])
    except JsonFault as error:
        raise CheckpointError(
            f"Model {path}: its card is incomplete or wrong ({error}). The file is "
            "damaged or was not written by etpicker."
        ) from error
    values["classes"] = tuple(Species(**c) for c in values["classes"])
    values["tomograms"] = tuple(TomogramCard(**t) for t in values["tomograms"])
    return ModelCard(**values)


def _check_names(names: list[str]) -> None:
    """Refuse classes that cannot be told apart, or more than a network could have."""
    if len(set(names)) < len(names) or len(names) > MOST_CLASSES:
        raise JsonFault(
            f"{len(names)} classes with {len(set(names))} names, expected as many, and "
            f"at most {MOST_CLASSES}"
        )


def read_card(path: Path | str) -> ModelCard:
    """Read a model's card without loading its weights.

    Raises
    ------
    CheckpointError
        If the file is missing, corrupt, not a model of ours, or newer than this
        code.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"Model {path}: no such file. Check the path.")
    try:
        with safe_open(str(path), framework="numpy") as opened:
            metadata = opened.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"Model {path} is not a readable safetensors file: {error}. It is "
            "damaged or of another program; copy it again or use another model."
        ) from error
    if CARD_KEY not in metadata:
        raise NoCardError(
            f"Model {path} holds no etpicker model card. It was made by another "
            "program; give a model.safetensors written by 'etpicker train'."
        )
    card = card_from_json(metadata[CARD_KEY], path=path)
    check_part(metadata, "card", text_sha256(metadata[CARD_KEY]), path=path)
    return card


def read_usable_card(path: Path | str) -> ModelCard:
    """Read the card of a model that is to be used, not only to be looked at.

    Raises
    ------
    CheckpointError
        As ``read_card``, and if this code does not know the model's network or
        normalises tomograms otherwise.
    """
    card = read_card(path)
    if card.network not in KNOWN:
        raise CheckpointError(
            f"Model {path}: network '{card.network}' is not known here; expected one "
            f"of: {', '.join(KNOWN)}. Install the etpicker that made it."
        )
    if card.normalisation != NORMALISATION:
        raise CheckpointError(
            f"Model {path}: it was trained on tomograms normalised by "
            f"'{card.normalisation}', and this etpicker normalises by "
            f"'{NORMALISATION}'. Train it again, or install the etpicker that made it."
        )
    return card
