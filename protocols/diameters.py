"""The diameters of a form's classes: as typed, or as the coordinate sets were told."""

import re

from etpicker_plugin.protocols.form import (
    form_parameter,
    read_assignments,
    read_parameters,
)
from etpicker_plugin.protocols.protocol_base import class_label

from etpicker_plugin.convert import group_ids, told_diameters
from etpicker_plugin.convert_images import sampling_rate_of
from etpicker_plugin.engine.config.assignments import only_of
from etpicker_plugin.engine.names import new_name_fault, suggest
from etpicker_plugin.engine.newer_python import zip_strict

NUMBER = re.compile(r"\s*\d+(\.\d*)?\s*(Å|A)?\s*")


def read_diameters(protocol, config_class, pointers):
    """Return the diameter of each class in Å.

    Where the form says nothing, what goes with every one of the coordinate sets; a
    number alone is that of the one class that the sets hold.

    Raises
    ------
    ConfigError
        If what is typed cannot be read.
    """
    text = protocol.diameter.get() or ""
    label = form_parameter(config_class, "diameter").label
    if NUMBER.fullmatch(text):
        names = [name for pointer in pointers for name in class_names_of(pointer)]
        return only_of(float(text.strip(" ÅA")), names, label=label)
    return read_assignments(text, label=label) or told_by_all(pointers)


def read_with_diameters(protocol, config_class, fields, pointers):
    """Return what the form says of a command, with diameters as ``read_diameters``."""
    others = [name for name in fields if name != "diameter"]
    values = read_parameters(protocol, config_class, others)
    values["diameter"] = read_diameters(protocol, config_class, pointers)
    return values


def told_by_all(pointers):
    """Return what the sets were told, or nothing if one of them was not told."""
    told = {}
    for pointer in pointers:
        item = pointer.get()
        found = dict(_told(pointer)) if item is not None else {}
        if not found:
            return {}
        told.update(found)
    return told


def suggest_diameters(pointers, *, by_group):
    """Return NAME=DIAMETER words of coordinate sets: what they were told, or the box.

    What goes with a set is exact; its box is the diameter rounded up.
    """
    words = []
    for pointer in pointers:
        item = pointer.get()
        if item is None or not (told_diameters(item) or item.getBoxSize()):
            return ""
        found = _told(pointer) or _of_box(pointer, by_group=by_group)
        words += [f"{name}={diameter:g}" for name, diameter in found]
    return " ".join(dict.fromkeys(words))


def class_names_of(pointer):
    """Return the classes that a set's label names, as a form can hold them."""
    labels = [name.strip() for name in class_label(pointer).split(",")]
    return [suggest(name) if new_name_fault(name) else name for name in labels]


def _told(pointer):
    """Return names, by the set's label where it still fits, and diameters."""
    told, names = told_diameters(pointer.get()), class_names_of(pointer)
    if len(names) != len(told):
        names = list(told)
    return list(zip_strict(names, told.values()))


def _of_box(pointer, *, by_group):
    item, names = pointer.get(), class_names_of(pointer)
    if by_group and len(names) == 1:
        names = [f"class_{i}" for i in group_ids(item)]
    return [(name, item.getBoxSize() * sampling_rate_of(item)) for name in names]
