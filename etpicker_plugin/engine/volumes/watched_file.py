"""A file that is read piece by piece for a long time, and must stay the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Tuple

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.hashing import file_sha256

Stamp = Tuple[int, int, int]


class WatchedFile:
    """A file whose every reading makes sure that it is still the one first seen.

    It is told by number, size and time of change; where these are others and its hash
    is known, by the hash. It is read through a descriptor, not a map: to read a map
    of a file that was cut short kills the process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sha256 = ""
        with self._explained():
            self._stamp = _stamp(os.stat(path))

    @property
    def size(self) -> int:
        """Return its length in bytes."""
        return self._stamp[1]

    def sha256(self) -> str:
        """Return the hash of what it held when first seen.

        Raises
        ------
        InputDataError
            If it holds something else now.
        """
        if not self._sha256:
            with self._explained():
                found = file_sha256(self._path)
            self.check()
            self._sha256 = found
        return self._sha256

    def check(self) -> None:
        """See that it is there and unchanged.

        Raises
        ------
        InputDataError
            If it is not.
        """
        with self._explained():
            self._compare(os.stat(self._path))

    @contextmanager
    def open(self) -> Iterator[FileIO]:
        """Open it for reading; whatever fails then is this file's fault.

        Raises
        ------
        InputDataError
            If it is not there, has changed, or cannot be read.
        """
        with self._explained(), FileIO(self._path) as stream:
            self._compare(os.fstat(stream.fileno()))
            yield stream

    def _compare(self, found: os.stat_result) -> None:
        now = _stamp(found)
        if now == self._stamp:
            return
        if not self._sha256 or file_sha256(self._path) != self._sha256:
            raise InputDataError(
                f"{self._path} was changed or replaced while it was read. Let nothing "
                "write to it, and run the same command again."
            )
        self._stamp = now

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputDataError(
                f"{self._path} vanished or could not be read any more: "
                f"{error.strerror or error}. Put it back, and run the same command "
                "again."
            ) from error


def read_at(stream: FileIO, offset: int, into: NDArray[np.generic]) -> None:
    """Fill an array from a place in a file.

    Raises
    ------
    OSError
        If the file ends before.
    """
    stream.seek(offset)
    left = into.reshape(-1).view(np.uint8).data
    while left:
        count = stream.readinto(left)
        if not count:
            raise OSError("it was cut off")
        left = left[count:]


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_ino, found.st_size, found.st_mtime_ns
