"""The note of what a run of picking began with: its images are all picked alike."""

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


def claim_run(path: Path, now: dict, *, begun: bool, image: str) -> bool:
    """Note what a run picks with, or go on with the same; tell if its outputs change.

    Parameters
    ----------
    begun
        Whether images are picked already. A note that cannot be read is no matter
        where none is.
    image
        What one is called: tomogram, or micrograph.

    Raises
    ------
    EngineError
        If the run began with another model or other parameters, or nobody can know.
    """
    alike = (
        f"Its {image}s are all to be picked alike: restart it, or copy the protocol."
    )
    before = _read_note(path, now, begun=begun, alike=alike)
    for key, what in (("model", "another model"), ("picking", "other parameters")):
        if before[key] != now[key]:
            raise EngineError(
                f"This run began with {what} than the form has now. {alike}"
            )
    with write_whole(path) as temporary:
        temporary.write_text(json.dumps(now), encoding="utf-8")
    return before != now


def _read_note(path: Path, now: dict, *, begun: bool, alike: str) -> dict:
    if not path.is_file():
        return now
    try:
        return NOTE(parse(path.read_bytes()), "the note")
    except (OSError, JsonFault) as error:
        if not begun:
            return now
        raise EngineError(
            f"{path} does not say what this run began with ({error}). {alike}"
        ) from error
