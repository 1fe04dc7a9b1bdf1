"""Reading a model's weights and exemplars, as picking does; run by ``child.ask``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from etpicker_plugin.engine.errors import CheckpointError
from etpicker_plugin.engine.model.exemplars import read_exemplars
from etpicker_plugin.engine.model.model_file import load_model


def look(path: str) -> Iterator[dict[str, Any]]:
    """Yield how many exemplars there are, or why the file cannot be used."""
    try:
        load_model(path)
        yield {"exemplars": len(read_exemplars(path))}
    except CheckpointError as error:
        yield {"fault": str(error)}
