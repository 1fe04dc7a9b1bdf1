"""Parameters of ``etpicker exemplars``."""

from dataclasses import dataclass
from typing import Tuple

from etpicker_plugin.engine.config.checks import require
from etpicker_plugin.engine.config.options import REQUIRED, option


@dataclass(frozen=True)
class ExemplarsConfig:
    """Which model's exemplars are listed or deleted."""

    model: str = option(
        REQUIRED,
        "Model file (.safetensors).",
        label="Model",
        counts="content",
    )
    out: str = option(
        REQUIRED,
        "Folder for exemplars.json, and for the model without what was deleted.",
        label="Output folder",
        counts="no",
    )
    delete_owner: Tuple[str, ...] = option(
        (),
        "Delete the exemplars of these owners. The model given stays as it is.",
        label="Owners to delete",
    )
    delete_all: bool = option(
        False, "Delete all exemplars: the model still picks.", label="Delete all"
    )

    def __post_init__(self) -> None:
        """Refuse contradictions before any file is opened."""
        require(
            not (self.delete_all and self.delete_owner),
            "--delete-all deletes those of every owner. Give it, or --delete-owner.",
        )
