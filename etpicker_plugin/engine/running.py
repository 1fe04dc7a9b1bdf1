"""One command at a time in a folder: a second says at once which one is running."""

import contextlib
import fcntl
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from etpicker_plugin.engine.disk import cannot_write, open_own
from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.json_checks import (
    JsonFault,
    number,
    parse,
    record,
    text,
    whole,
)

logger = logging.getLogger(__name__)

LOCK_FILE = ".running"
MOST_READ = 4096

HOLDER = record(
    {"process": whole(1), "host": text, "command": text, "since": number(0)}
)


@contextmanager
def alone_in(folder: Path, command: str) -> Iterator[None]:
    """Hold a folder for this process until the end; the system frees it after a kill.

    Raises
    ------
    ResourceError
        If another process holds it, or the lock cannot be written.
    """
    path = folder / LOCK_FILE
    try:
        descriptor = _hold(path)
    except OSError as error:
        raise cannot_write(f"The lock {path}", path, error) from error
    try:
        _note(descriptor, command)
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)
        os.close(descriptor)


def _hold(path: Path) -> int:
    """Return the descriptor that holds the lock."""
    while True:
        descriptor = open_own(path, os.O_RDWR | os.O_CREAT)
        try:
            _take(descriptor, path.parent)
        except ResourceError:
            os.close(descriptor)
            raise
        if os.fstat(descriptor).st_nlink:  # Not the one of a command that just ended.
            return descriptor
        os.close(descriptor)


def _take(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _refusal(_holder(descriptor), folder) from None
    except OSError as error:
        # Some network disks have no locks: what the file says has to do.
        holder = _holder(descriptor)
        if holder and holder["host"] == socket.gethostname() and _lives(holder):
            raise _refusal(holder, folder) from error
        logger.warning(
            "%s is on a disk without locks (%s): do not run a second command there "
            "before this one has ended.",
            folder,
            error.strerror,
        )


def _note(descriptor: int, command: str) -> None:
    """Say in the lock who holds it; a full disk is no reason to stop here."""
    holder = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "command": command,
        "since": round(time.time()),
    }
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _holder(descriptor: int) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = HOLDER(
            parse(os.pread(descriptor, MOST_READ, 0)), "lock"
        )
    except (OSError, JsonFault):
        return None
    return found


def _lives(holder: dict[str, Any]) -> bool:
    try:
        os.kill(holder["process"], 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _refusal(holder: dict[str, Any] | None, folder: Path) -> ResourceError:
    who = "another process"
    if holder:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(holder["since"]))
        who = (
            f"'etpicker {holder['command']}' (process {holder['process']} on "
            f"{holder['host']}, since {since})"
        )
    return ResourceError(
        f"{folder} is in use: {who} writes there. Wait for its end, stop it, or give "
        "another --out."
    )
