"""Density maps in a form: whose each is, checked, and brought to the engine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from etpicker_plugin.protocols.protocol_base import class_label
from pwem.objects import AtomStruct
from pyworkflow.protocol import params

from etpicker_plugin.convert_subtomograms import export_map, map_file
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.volumes.tomogram import read_map

MAP_CLASSES = "Volume,VolumeMask,AverageSubTomogram,AtomStruct"


def add_maps(form: Any) -> None:
    """Ask for the density maps of classes."""
    form.addParam(
        "inputMaps",
        params.MultiPointerParam,
        pointerClass=MAP_CLASSES,
        allowsNull=True,
        minNumObjects=0,
        label="Density maps",
        help="Maps or atomic structures of classes, to learn from instead of "
        "coordinates or beside them. The tomograms are looked at, and scenes made that "
        "are like them and hold these particles. A map whose label is the name of a "
        "class is of that class; where no label is, the maps are of the classes in "
        "their order. Protein may be bright or dark; mask what surrounds an average. "
        "For atomic structures the library gemmi must be in the engine's environment.",
    )


def maps_by_class(pointers: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the map of each class that has one.

    Raises
    ------
    ConfigError
        If it is not clear whose a map is.
    """
    labels = [class_label(pointer) for pointer in pointers]
    items = [pointer.get() for pointer in pointers]
    if not set(labels) & set(names) and len(labels) == len(names):
        return dict(zip_strict(names, items))
    for label in labels:
        if label not in names:
            raise ConfigError(
                f"The density map '{label}' is of no class ({', '.join(names)}). "
                "Label it with the name of its class (right click, Edit), or give it "
                "a diameter."
            )
        if labels.count(label) > 1:
            raise ConfigError(
                f"{labels.count(label)} density maps are labelled '{label}'. Give one "
                "for each class."
            )
    return dict(zip_strict(labels, items))


def map_path(folder: str, name: str, item: Any) -> str:
    """Return where a class's map lies for the engine."""
    if not isinstance(item, AtomStruct):
        return os.path.join(folder, f"{name}.mrc")
    suffixes = Path(item.getFileName()).suffixes
    ending = suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:]
    return os.path.join(folder, name + "".join(ending))


def bring_maps(maps: Mapping[str, Any], folder: str) -> None:
    """Write the maps of classes with Scipion's sampling rates into a folder."""
    os.makedirs(folder, exist_ok=True)
    for name, item in maps.items():
        path = map_path(folder, name, item)
        if isinstance(item, AtomStruct):
            shutil.copyfile(item.getFileName(), path)
        else:
            export_map(item, Path(path))


def check_maps(maps: Mapping[str, Any]) -> list[str]:
    """Open every map as the engine will; return what it would refuse."""
    messages = []
    for name, item in maps.items():
        try:
            if isinstance(item, AtomStruct):
                _require_file(Path(item.getFileName()))
            else:
                read_map(map_file(item), item.getSamplingRate())
        except InputDataError as error:
            messages.append(f"Density map of {name}: {error}")
    return messages


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise InputDataError(f"{path}: no such file. Import the structure again.")
