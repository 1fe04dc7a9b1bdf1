"""What a model file says of its own parts, so that a damaged one is not believed.

The checksums stand in the file's metadata; models of before have none, and load.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Tuple

from etpicker_plugin.engine.errors import CheckpointError
from etpicker_plugin.engine.json_checks import (
    JsonFault,
    parse,
    record,
    text,
)

CHECKSUMS_KEY = "etpicker_checksums"
PARTS = ("card", "weights", "exemplars")
CHECKSUMS = record(dict.fromkeys(PARTS, text), {"maps": text})

Described = Tuple[str, str, Tuple[int, ...], bytes]
"""An array: its name, type, shape and bytes."""


def text_sha256(words: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(words.encode()).hexdigest()


def arrays_sha256(arrays: Iterable[Described], words: str = "") -> str:
    """Return the SHA-256 of arrays, whatever their order, and of a text with them."""
    digest = hashlib.sha256(words.encode())
    for name, kind, shape, data in sorted(arrays):
        digest.update(f"{name} {kind} {shape}\n".encode())
        digest.update(data)
    return digest.hexdigest()


def checksums_to_json(**parts: str) -> str:
    """Return the SHA-256 of each part as JSON."""
    return json.dumps(parts)


def check_part(
    metadata: Mapping[str, str], part: str, found: str, *, path: Path
) -> None:
    """Refuse a part that is not as it was written.

    Raises
    ------
    CheckpointError
        If its checksum is another, or the checksums cannot be read.
    """
    if CHECKSUMS_KEY not in metadata:
        return
    try:
        written = CHECKSUMS(parse(metadata[CHECKSUMS_KEY]), "checksums")
        expected = written.get(part, "")
    except JsonFault as error:
        raise CheckpointError(
            f"Model {path}: its checksums cannot be read ({error}). The file is "
            "damaged; copy it again or use another model."
        ) from error
    if found != expected:
        raise CheckpointError(
            f"Model {path}: {part} not as written (SHA-256 "
            f"{found[:12]}…, expected {expected[:12]}…). The file is damaged or was "
            "edited; copy it again or use another model."
        )
