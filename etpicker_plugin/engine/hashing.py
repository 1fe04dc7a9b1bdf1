"""The digest by which a file is known again."""

from __future__ import annotations

import hashlib
from pathlib import Path

PIECE = 1 << 20


def file_sha256(path: Path | str) -> str:
    """Return the SHA-256 of a file, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
