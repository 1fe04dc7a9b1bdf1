"""Writing files whole: under a temporary name first, then renamed.

The temporary name cannot be foreseen, and its file is locked as long as its writer
lives, so that the next command can tell what a killed one has left, and removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from etpicker_plugin.engine.disk import cannot_write, open_own

MARK = ".etpicker-"


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` at the end.

    A reader never sees a half-written file, and a failure leaves none behind. The
    temporary name keeps the extension, which some writers look at.

    Raises
    ------
    ResourceError
        If the file cannot be written.
    """
    try:
        remove_leftovers(path.parent)
        temporary, descriptor = _create_beside(path)
    except OSError as error:
        raise cannot_write(str(path), path, error) from error
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise cannot_write(str(path), path, error) from error
    finally:
        os.close(descriptor)
        temporary.unlink(missing_ok=True)


@functools.lru_cache(maxsize=256)
def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of writers that were killed; once in a process."""
    with os.scandir(folder) as entries:
        left = [entry.path for entry in entries if entry.name.startswith(MARK)]
    for name in left:
        with contextlib.suppress(OSError):  # Another's, or its writer lives.
            descriptor = open_own(Path(name), os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(name)
            finally:
                os.close(descriptor)


def _create_beside(path: Path) -> tuple[Path, int]:
    """Return the path of a new empty file, and the descriptor that locks it."""
    while True:
        name = f"{MARK}{secrets.token_hex(8)}.part{path.suffix}"
        temporary = path.with_name(name)
        descriptor = open_own(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        with contextlib.suppress(OSError):  # There are disks without locks.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:  # Not taken for a leftover meanwhile.
            return temporary, descriptor
        os.close(descriptor)
