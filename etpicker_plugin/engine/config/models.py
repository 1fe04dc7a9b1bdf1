"""Parameters of ``etpicker models``."""

from dataclasses import dataclass

from etpicker_plugin.engine.config.options import option


@dataclass(frozen=True)
class ModelsConfig:
    """Where to look for models."""

    folder: str = option(
        ".", "Folder to look in, with all below it.", label="Folder", positional=True
    )
    json: bool = option(False, "Print JSON instead of a tree.", label="JSON")
