"""The SHA-256 of what files hold."""

import hashlib
from pathlib import Path


def file_sha256(path: Path | str) -> str:
    """Return the SHA-256 of a file, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
