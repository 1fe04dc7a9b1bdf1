"""The note of what a run of picking began with: its tomograms are all picked alike."""

import json
from pathlib import Path

from etpicker_plugin.protocols.protocol_base import EngineError

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.json_checks import (
    JsonFault,
    list_of,
    or_none,
    parse,
    record,
    text,
    whole,
)

NOTE = record({"model": text, "picking": text, "outputs": list_of(or_none(whole()), 2)})
"""Digests of the model and of the parameters, and what the outputs are made with."""

ALIKE = "Its tomograms are all to be picked alike:"


def claim_run(path: Path, now: dict, *, begun: bool) -> bool:
    """Note what a run picks with, or go on with the same; tell if its outputs change.

    Parameters
    ----------
    begun
        Whether tomograms are picked already. A note that cannot be read is no matter
        where none is.

    Raises
    ------
    EngineError
        If the run began with another model or other parameters, or nobody can know.
    """
    before = _read_note(path, now, begun=begun)
    for key, what in (("model", "another model"), ("picking", "other parameters")):
        if before[key] != now[key]:
            raise EngineError(
                f"This run began with {what} than the form has now, {ALIKE}"
            )
    with write_whole(path) as temporary:
        temporary.write_text(json.dumps(now), encoding="utf-8")
    return before != now


def _read_note(path: Path, now: dict, *, begun: bool) -> dict:
    if not path.is_file():
        return now
    try:
        return NOTE(parse(path.read_bytes()), "the note")
    except (OSError, JsonFault) as error:
        if not begun:
            return now
        raise EngineError(
            f"{path} does not say what this run began with ({error}). {ALIKE} restart "
            "it, or copy the protocol."
        ) from error
