"""Which number a class has: the same in every file of a run, and in later ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin.engine.config.convert import UNNAMED, ConvertConfig
from etpicker_plugin.engine.formats.catalogue import format_named
from etpicker_plugin.engine.formats.format import Item
from etpicker_plugin.engine.formats.names import number_classes, order_of
from etpicker_plugin.engine.result_files import read_record

MOST_CLASSES = 10_000


def class_names_in(items: Sequence[Item]) -> set[str]:
    """Return the classes of all particles."""
    known = (np.unique(particles.class_names) for particles, _ in items)
    return {str(name) for names in known for name in names}


def class_numbers_of(items: Sequence[Item], *, order: Sequence[str]) -> dict[str, int]:
    """Number all classes from 1, those of ``order`` first, found here or not."""
    names = class_names_in(items)
    return number_classes(sorted(names), order=order or tuple(names & {*UNNAMED}))


def class_order(config: ConvertConfig) -> tuple[str, ...]:
    """Return the classes in the order in which they are to be numbered.

    As the user gave them; else as the JSON beside the input numbers them, that of
    ``pick`` (the model's order) or of ``convert``; nothing if neither says so.
    """
    if config.class_name != UNNAMED:
        return config.class_name
    sidecar = format_named(config.input_format).sidecar
    orders: dict[tuple[str, ...], None] = {}
    for path in map(Path, config.input):
        for beside in (sidecar(path), path.with_suffix(".json")):
            orders[_order_in(beside)] = None
    stated = [order for order in orders if order]
    return stated[0] if len(stated) == 1 else ()


def _order_in(path: Path) -> tuple[str, ...]:
    """Return the order that a JSON of ours states; nothing for any other file."""
    numbers = read_record(path).get("class_numbers")
    if not isinstance(numbers, dict):
        return ()
    known = list(numbers.values())
    if len(set(map(str, known))) < len(known) or not all(map(_is_number, known)):
        return ()
    return order_of(numbers)


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 < value <= MOST_CLASSES
