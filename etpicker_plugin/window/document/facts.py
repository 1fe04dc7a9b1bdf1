"""What is known of classes from the files beside their coordinates.

``etpicker pick`` leaves NAME.json beside NAME.csv, an annotation ``classes.json``. What
cannot be read there is not known: the picks do not depend on it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.kinds import KINDS
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.result_files import read_record

logger = logging.getLogger(__name__)

CLASSES_FILE = "classes.json"
LEAST_DIAMETER, MOST_DIAMETER = 10.0, 5000.0


@dataclass
class Facts:
    """Class -> diameter in Å, threshold of the model that picked it, and kind."""

    diameters: dict[str, float] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)


def read_facts(coordinates: Iterable[str]) -> Facts:
    """Return what is known of the classes of these files; the first word counts."""
    facts = Facts()
    for path in map(Path, coordinates):
        _add_record(facts, read_record(path.with_suffix(".json")), path.parent)
    for folder in dict.fromkeys(Path(path).parent for path in coordinates):
        _add_classes(facts, read_record(folder / CLASSES_FILE))
    facts.diameters = {
        name: value
        for name, value in facts.diameters.items()
        if LEAST_DIAMETER <= value <= MOST_DIAMETER
    }
    return facts


def _add_record(facts: Facts, record: Mapping[str, Any], folder: Path) -> None:
    """Add what a record of picking, in a folder, says."""
    for name, value in _numbers(record.get("diameters_ang")).items():
        facts.diameters.setdefault(name, value)
    config = record.get("config")
    kinds = record.get("kinds")
    for name, kind in kinds.items() if isinstance(kinds, dict) else ():
        if kind in KINDS:
            facts.kinds.setdefault(name, kind)
    given = _numbers(config.get("threshold") if isinstance(config, dict) else None)
    limits = {
        **_numbers(record.get("thresholds")),
        **(_card_thresholds(record, folder) if given else {}),
    }
    # What was asked for instead of the model's own is not the model's.
    for name, value in limits.items():
        if name not in given or value != given[name]:
            facts.thresholds.setdefault(name, value)


def _add_classes(facts: Facts, record: Mapping[str, Any]) -> None:
    """Add what another annotation says."""
    items = record.get("classes")
    for item in items if isinstance(items, list) else []:
        if not isinstance(item, dict):
            continue
        if isinstance(item.get("name"), str) and item.get("kind") in KINDS:
            facts.kinds.setdefault(item["name"], item["kind"])
        if item.get("guessed"):
            continue
        for name, value in _numbers(
            {item.get("name"): item.get("diameter_ang")}
        ).items():
            facts.diameters.setdefault(name, value)


def _card_thresholds(record: Mapping[str, Any], folder: Path) -> dict[str, float]:
    """Return the own thresholds of the model that picked, if it is still there."""
    name, sha256 = record.get("model"), record.get("model_sha256")
    if not isinstance(name, str) or not name:
        return {}
    # Its path may be relative to where the picking was started.
    places = (Path(name), *(parent / name for parent in folder.absolute().parents))
    try:
        for path in places:
            if path.is_file() and file_sha256(path) == sha256:
                return {one.name: one.threshold for one in read_card(path).classes}
    except (EtPickerError, OSError, ValueError) as error:
        logger.info("The model's thresholds are not known: %s", error)
    return {}


def _numbers(values: object) -> dict[str, float]:
    """Return the names with finite numbers."""
    if not isinstance(values, dict):
        return {}
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(name, str)
        and isinstance(value, (int, float))
        and not isinstance(value, bool)
        and math.isfinite(value)
    }
