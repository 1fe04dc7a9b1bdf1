"""Parameters of ``etpicker doctor``."""

from __future__ import annotations

from dataclasses import dataclass

from etpicker_plugin.engine.config.options import option


@dataclass(frozen=True)
class DoctorConfig:
    """What is looked at besides the installation."""

    folder: str = option(
        ".",
        "Folder to work in: is it writable, and is there room?",
        label="Folder",
    )
    model: str = option(
        "", "A model file to check too: its card, weights and exemplars.", label="Model"
    )
    json: bool = option(False, "Print JSON instead of lines.", label="JSON")
