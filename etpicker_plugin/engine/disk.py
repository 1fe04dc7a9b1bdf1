"""Writing to a disk that may be full, shared, or another's: names, room and reasons."""

import contextlib
import errno
import os
import shutil
from pathlib import Path

from etpicker_plugin.engine.errors import EtPickerError, ResourceError

MEGABYTE = 1_000_000
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def cannot_write(
    what: str, path: Path, error: OSError, *, needed: int = 0, instead: str = ""
) -> ResourceError:
    """Return the error for a file that cannot be written: why, and what to do.

    Parameters
    ----------
    what
        The file in words, at the beginning of the sentence.
    needed
        Bytes that it takes, if they are known.
    instead
        What one can do besides, as the end of a sentence (``run it elsewhere``).
    """
    reason = error.strerror or str(error)
    advice = f"{_advice(path, error, needed)}{f', or {instead}' if instead else ''}."
    return ResourceError(f"{what} cannot be written: {reason}. {advice}")


def is_disk_full(error: EtPickerError) -> bool:
    """Tell whether a file's lack of room is why something failed."""
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in NO_SPACE


def _advice(path: Path, error: OSError, needed: int) -> str:
    if error.errno == errno.ELOOP:
        return "It is a symbolic link, and what it leads to is not touched: remove it"
    if error.errno == errno.EFBIG:
        return "The limit on a file's size (ulimit -f) is too low: raise it"
    if error.errno in NO_SPACE:
        wanted = f"; it takes {_megabytes(needed)}" if needed else ""
        return (
            f"Free some space on the disk of {path.parent}, where {_left(path)} is "
            f"free{wanted}"
        )
    return "Check its permissions, free some space, or give another folder"


def _left(path: Path) -> str:
    try:
        return _megabytes(shutil.disk_usage(path.parent).free)
    except OSError:
        return "nothing"


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.3g} MB"


def open_own(path: Path, flags: int) -> int:
    """Return a descriptor of a file of ours under a known name, never of a link's end.

    Raises
    ------
    OSError
        ELOOP if a symbolic link stands there.
    """
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)


def append_whole(descriptor: int, data: bytes) -> None:
    """Append data, or nothing: half a line would spoil the next.

    Raises
    ------
    OSError
        If there is no room.
    """
    before = os.fstat(descriptor).st_size
    try:
        if os.write(descriptor, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, before)
        raise


def reserve(path: Path, size: int) -> None:
    """Have the disk set a file's room aside; what is in it stays.

    A file that is mapped into memory has no other way to say that the disk is full
    than to kill the process.

    Raises
    ------
    OSError
        If there is not so much.
    """
    descriptor = open_own(path, os.O_RDWR | os.O_CREAT)
    try:
        os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)
