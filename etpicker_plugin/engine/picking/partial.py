"""The tiles of an unfinished tomogram, so that a kill costs one tile."""

import fcntl
import json
import logging
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin.engine.columns import columns_of
from etpicker_plugin.engine.disk import append_whole, cannot_write, open_own
from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.json_checks import (
    JsonFault,
    list_of,
    number,
    parse,
    record,
    text,
    whole,
)
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks

logger = logging.getLogger(__name__)

SEAL = "crc32"
SEALED = record({SEAL: whole(0)}, others=True)
HEADER = record({"digest": text, "edge": whole(1)})
TILE = record(
    {
        "tile": whole(0),
        "positions": list_of(list_of(number(-1e6, 1e6), 3)),
        "scores": list_of(number(0, 1)),
        "channels": list_of(whole(0, 10**6)),
    },
    others=True,
)


class PartialPicks:
    """A JSON-lines file: a header, then one line of peaks for each finished tile.

    Every line has a checksum. What follows one that a kill cut short, or that is
    damaged, is dropped. A header of another run, or of another tile edge, starts the
    file anew.
    """

    def __init__(self, path: Path, digest: str) -> None:
        self._path = path
        self._digest = digest
        self._peaks: dict[int, Peaks] = {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from picking the same; the system frees it after a kill.

        Raises
        ------
        ResourceError
            If another process has it, or the file is a link or cannot be written.
        """
        descriptor = self._open(os.O_RDWR | os.O_CREAT)
        try:
            self._lock(descriptor)
            yield
        finally:
            if not os.fstat(descriptor).st_size:
                self.remove()
            os.close(descriptor)

    def recorded_edge(self) -> int | None:
        """Return the tile edge of an unfinished run of the same digest, if any."""
        return self._edge_in(self._read().split(b"\n", 1)[0])

    def begin(self, edge: int) -> set[int]:
        """Begin with tiles of this edge; return the numbers of those already done.

        Raises
        ------
        ResourceError
            If the file cannot be written, or is a link.
        """
        before = self._read()
        header, *lines = before.splitlines() or [b""]
        same = self._edge_in(header) == edge
        self._peaks = self._finished(lines) if same else {}
        words = [
            _sealed({"digest": self._digest, "edge": edge}),
            *(_to_line(number, peaks) for number, peaks in self._peaks.items()),
        ]
        self._rewrite(before, b"".join(word + b"\n" for word in words))
        return set(self._peaks)

    def add(self, number: int, peaks: Peaks) -> None:
        """Record a finished tile.

        Raises
        ------
        ResourceError
            If there is no room for it; those before are kept.
        """
        self._peaks[number] = peaks
        self._append(_to_line(number, peaks) + b"\n")

    def all_peaks(self) -> Peaks:
        """Return the peaks of all tiles, in the order of the tiles."""
        return join_peaks([self._peaks[n] for n in sorted(self._peaks)])

    def forget(self) -> None:
        """Begin anew, whatever is finished."""
        self._append(b"", after=0)

    def remove(self) -> None:
        """Delete the file: the tomogram is finished."""
        self._path.unlink(missing_ok=True)

    def _edge_in(self, line: bytes) -> int | None:
        try:
            header = HEADER(_opened(line), "header")
        except JsonFault:
            return None
        return int(header["edge"]) if header["digest"] == self._digest else None

    def _finished(self, lines: list[bytes]) -> dict[int, Peaks]:
        """Return the finished tiles, up to a line that is none."""
        found: dict[int, Peaks] = {}
        for line in lines:
            try:
                values = TILE(_opened(line), "tile")
                found[values["tile"]] = _from_values(values)
            except (ValueError, TypeError, OverflowError) as error:
                logger.warning(
                    "%s: what follows %d tiles is picked anew: %s.",
                    self._path.name,
                    len(found),
                    error,
                )
                break
        return found

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ResourceError(
                f"{self._path}: another process picks this tomogram now. Wait for its "
                "end, or leave the tomogram out."
            ) from error
        except OSError as error:
            logger.debug("%s is on a disk without locks: %s", self._path, error)

    def _open(self, flags: int) -> int:
        try:
            return open_own(self._path, flags)
        except OSError as error:
            raise self._fault(error) from error

    def _read(self) -> bytes:
        if not os.path.lexists(self._path):
            return b""
        with os.fdopen(self._open(os.O_RDONLY), "rb") as stream:
            return stream.read()

    def _rewrite(self, before: bytes, data: bytes) -> None:
        """Put data in the file's place: what stays the same is not touched."""
        keep = len(data) if before.startswith(data) else 0
        self._append(data[keep:], after=keep)

    def _append(self, data: bytes, *, after: int | None = None) -> None:
        descriptor = self._open(os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            if after is not None:
                os.ftruncate(descriptor, after)
            append_whole(descriptor, data)
        except OSError as error:
            raise self._fault(error) from error
        finally:
            os.close(descriptor)

    def _fault(self, error: OSError) -> ResourceError:
        return cannot_write(f"What is picked so far, {self._path},", self._path, error)


def _sealed(values: dict[str, Any]) -> bytes:
    """Return a line of JSON with its checksum."""
    words = json.dumps(values)
    return json.dumps({**values, SEAL: zlib.crc32(words.encode())}).encode()


def _opened(line: bytes) -> dict[str, Any]:
    """Return what ``_sealed`` was given.

    Raises
    ------
    JsonFault
        If the line is cut short or damaged.
    """
    values = SEALED(parse(line), "line")
    seal = values.pop(SEAL)
    if seal != zlib.crc32(json.dumps(values).encode()):
        raise JsonFault("its checksum is another")
    return dict(values)


def _to_line(number: int, peaks: Peaks) -> bytes:
    return _sealed(
        {
            "tile": number,
            "positions": peaks.positions_zyx.tolist(),
            "scores": peaks.scores.tolist(),
            "channels": peaks.channels.tolist(),
            **{
                column.name: column.to_json(peaks.optional[column.name])
                for column in columns_of(peaks.optional)
            },
        }
    )


def _from_values(line: dict[str, Any]) -> Peaks:
    count = len(line["positions"])
    if not count == len(line["scores"]) == len(line["channels"]):
        raise JsonFault("tile: positions, scores and channels are not as many")
    return Peaks(
        positions_zyx=np.array(line["positions"], dtype=np.float64).reshape(-1, 3),
        scores=np.array(line["scores"], dtype=np.float64),
        channels=np.array(line["channels"], dtype=np.intp),
        optional={c.name: c.from_json(line[c.name]) for c in columns_of(line)},
    )
