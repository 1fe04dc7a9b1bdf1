"""A finished result's own files: noted with their hashes, and never taken unseen."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.json_checks import parse

logger = logging.getLogger(__name__)


def read_record(path: Path) -> dict[str, Any]:
    """Return the record beside a result; nothing of one that cannot be read."""
    try:
        record = parse(path.read_bytes(), finite=False)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def noted_files(record: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Return the hashes that a record notes of a result's files.

    Of a file that it says nothing sound of, the hash is empty, which no file has.
    """
    noted = record.get("files")
    found = noted if isinstance(noted, dict) else {}
    return {name: str(found.get(name, "")) for name in names}


def hash_results(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of files in a folder, by name, for the record beside them."""
    return {name: file_sha256(folder / name) for name in names}


def are_as_written(folder: Path, noted: Mapping[str, str]) -> bool:
    """Tell whether files hold what was noted of them; set aside those that do not.

    A file that was cut short, edited or taken away is to be made again.
    """
    wrong = [
        name
        for name, sha256 in noted.items()
        if not (folder / name).is_file() or file_sha256(folder / name) != sha256
    ]
    for name in wrong:
        logger.warning("%s is not as it was written, and is made again.", folder / name)
        set_aside(folder / name)
    return not wrong


@contextmanager
def keeping_former(path: Path) -> Iterator[Path]:
    """Yield where to write a file; a former one that holds something else is set aside.

    So nothing is lost that another program, or a person, has put there.
    """
    with write_whole(path) as new:
        yield new
        if path.exists() and file_sha256(path) != file_sha256(new):
            set_aside(path)


def set_aside(path: Path) -> None:
    """Rename a file, if it is there, to NAME.old-1, or the next that is free.

    Whoever changed it by hand finds it there.
    """
    if not path.exists():
        return
    aside = _free_name(path)
    path.rename(aside)
    logger.warning("What stood at %s is kept as %s.", path, aside.name)


@contextmanager
def keeping_edits(path: Path) -> Iterator[None]:
    """Let a file be written again; what stood there, if it was another, is kept.

    For writers that need the file's own name; it is read whole.
    """
    before = path.read_bytes() if path.is_file() else None
    yield
    if before is not None and path.read_bytes() != before:
        aside = _free_name(path)
        with write_whole(aside) as temporary:
            temporary.write_bytes(before)
        logger.warning("What stood at %s is kept as %s.", path, aside.name)


def _free_name(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.old-{number}")).exists():
        number += 1
    return aside
