"""Importing what the engine computes with; to be run by ``child.ask``."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib import metadata
from typing import Any

MODULES = {
    "numpy": "numpy",
    "scipy": "scipy.ndimage",
    "mrcfile": "mrcfile",
    "safetensors": "safetensors",
    "starfile": "starfile",
    "tqdm": "tqdm",
    "matplotlib": "matplotlib.figure",
}
"""Package -> a module of it that fails where it does not fit the others."""


def look() -> Iterator[dict[str, Any]]:
    """Yield versions, or why a package cannot be imported."""
    versions: dict[str, str] = {}
    faults: dict[str, str] = {}
    for name, module in MODULES.items():
        yield {"trying": name}
        try:
            importlib.import_module(module)
            versions[name] = metadata.version(name)
        except Exception as error:  # noqa: BLE001  A broken package raises anything.
            faults[name] = str(error).strip().split("\n")[0]
        yield {"versions": versions, "faults": faults}
