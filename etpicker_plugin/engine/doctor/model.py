"""A model file: is it whole, and what does its card say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from etpicker_plugin.engine.doctor.child import ask
from etpicker_plugin.engine.doctor.finding import BAD, OK, WARNING, Finding, of_error
from etpicker_plugin.engine.errors import CheckpointError

LIMIT_S = 120.0
LOOK = "etpicker_plugin.engine.doctor.look_model"


def check_model(path: Path) -> list[Finding]:
    """Read the card here, and the rest with torch in a process of its own."""
    from etpicker_plugin.engine.hashing import file_sha256
    from etpicker_plugin.engine.lineage.models import ModelEntry, describe
    from etpicker_plugin.engine.model.card import read_usable_card

    try:
        card = read_usable_card(path)
    except CheckpointError as error:
        return [of_error("model", BAD, error)]
    digest = file_sha256(path)
    entry = ModelEntry(path=path, sha256=digest, card=card)
    listed = ", ".join(describe(entry, path.parent).split("  "))
    what = (
        f"{listed}; network '{card.network}' at "
        f"{card.working_voxel_size:g} Å per voxel; SHA-256 {digest}"
    )
    if importlib.util.find_spec("torch") is None:
        remedy = "Install torch, and check it again."
        return [Finding("model", WARNING, f"{what}; its weights were not read", remedy)]
    told = ask(LOOK, str(path), limit_s=LIMIT_S)
    if "exemplars" in told.values:
        kept = f"{told.values['exemplars']} exemplars"
        return [Finding("model", OK, f"{what}; weights are whole, {kept}")]
    if "fault" in told.values:
        return [of_error("model", BAD, CheckpointError(told.values["fault"]))]
    return [
        Finding(
            "model",
            BAD,
            f"{what}; its weights could not be read: {told.ended.fault()}",
            "See what the line on torch says.",
        )
    ]
