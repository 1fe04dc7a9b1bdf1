"""Features of a working volume, made once and kept: on disk, or in memory.

A file holds the features of all output voxels, ``(z, y, x, F)`` in half precision, and
behind them a checksum of each piece that is finished; a record beside it says of what
they are made. A process that is killed leaves finished pieces, and the next one goes on
from there.
"""

import hashlib
import json
import logging
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray, Shape, along_axes
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.disk import cannot_write, reserve
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.picking.tiling import Tile
from etpicker_plugin.engine.result_files import read_record

logger = logging.getLogger(__name__)

FINISHED = 1 << 32
"""Beside a piece's CRC-32, so that 0 is one that is not finished."""

Features = NDArray[np.float16]


@dataclass(frozen=True, kw_only=True)
class Made:
    """Of what features are made.

    Attributes
    ----------
    shape_zyx
        Of the working volume, voxels.
    """

    tomogram_sha256: str
    weights: str
    working_voxel_size: float
    shape_zyx: Shape


class FeatureStore:
    """Features ``(z, y, x, F)`` of a working volume's output voxels, piece by piece.

    Parameters
    ----------
    features
        To be filled; a map of a file, or an array.
    sums
        ``(N,)``, one for each piece, 0 before it is finished.
    pieces
        Tiles of the working volume, ``keep`` of each is written.
    stride
        Working voxels per output voxel.
    """

    def __init__(
        self,
        features: Features,
        sums: NDArray[np.uint64],
        pieces: Sequence[Tile],
        *,
        stride: int,
    ) -> None:
        self.features = features
        self._sums = sums
        self._numbers = {piece: number for number, piece in enumerate(pieces)}
        self.stride = stride

    @property
    def shape_zyx(self) -> Shape:
        """Size in output voxels."""
        z, y, x, _ = self.features.shape
        return z, y, x

    @property
    def strides(self) -> Shape:
        """Working voxels per output voxel along z, y and x."""
        return along_axes(self.stride, self.shape_zyx)

    @property
    def pieces(self) -> list[Tile]:
        """All pieces, in the order of the plan."""
        return list(self._numbers)

    def missing(self) -> list[Tile]:
        """Return the pieces that are not finished."""
        return [piece for piece, n in self._numbers.items() if not self._sums[n]]

    def has_planes(self, first: int, last: int) -> bool:
        """Tell whether output planes ``[first, last)`` are there."""
        done = self.finished_planes()[max(first, 0) : last]
        return bool(done.all())

    def finished_planes(self) -> NDArray[np.bool_]:
        """Return ``(z,)``: which output planes are there."""
        done = np.ones(len(self.features), dtype=bool)
        for piece in self.missing():
            done[self._box(piece)[0]] = False
        return done

    def write(self, piece: Tile, features: Features) -> None:
        """Put a piece in place, and only then call it finished."""
        self.features[self._box(piece)] = features
        self._sums[self._numbers[piece]] = FINISHED | zlib.crc32(features.data)

    def forget_damaged(self) -> None:
        """Take pieces that are not as they were written for unfinished ones."""
        for piece, number in self._numbers.items():
            if self._sums[number]:
                held = np.ascontiguousarray(self.features[self._box(piece)])
                if self._sums[number] != FINISHED | zlib.crc32(held.data):
                    self._sums[number] = 0

    def _box(self, piece: Tile) -> tuple[slice, slice, slice]:
        z, y, x = (
            slice(start // step, -(-stop // step))
            for start, stop, step in zip(
                piece.keep_start, piece.keep_stop, self.strides, strict=True
            )
        )
        return z, y, x


def store_in_memory(
    shape: Shape, n_features: int, pieces: Sequence[Tile], *, stride: int
) -> FeatureStore:
    """Return an empty store that ends with the process.

    Parameters
    ----------
    shape
        In output voxels.
    """
    features = np.empty((*shape, n_features), dtype=np.float16)
    sums = np.zeros(len(pieces), dtype=np.uint64)
    return FeatureStore(features, sums, pieces, stride=stride)


def store_on_disk(
    path: Path,
    shape: Shape,
    n_features: int,
    pieces: Sequence[Tile],
    *,
    stride: int,
    made: Made | None = None,
) -> FeatureStore:
    """Return the store of a file, with the pieces that are finished there.

    What was made with other weights, or in other pieces, is written over; and all,
    where it is not said of what they are made.

    Raises
    ------
    InputDataError
        If the features there are of another tomogram.
    ResourceError
        If the disk has not so much room.
    """
    record = {} if made is None else _record(path, made, pieces)
    count = int(np.prod(shape)) * n_features
    size = count * np.dtype(np.float16).itemsize + 8 * len(pieces)
    before = read_record(path.with_suffix(".json"))
    same = bool(record) and before == record
    goes_on = same and path.is_file() and path.stat().st_size == size
    if not goes_on:
        path.unlink(missing_ok=True)
    try:
        reserve(path, size)
    except OSError as error:
        if not goes_on:
            path.unlink(missing_ok=True)
        raise cannot_write(
            f"The features of {path.stem}", path, error, needed=size
        ) from error
    if record and not goes_on:
        with write_whole(path.with_suffix(".json")) as temporary:
            temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")
    mapped = np.memmap(path, dtype=np.float16, mode="r+", shape=(size // 2,))
    store = FeatureStore(
        mapped[:count].reshape(*shape, n_features),
        mapped[count:].view(np.uint64),
        pieces,
        stride=stride,
    )
    store.forget_damaged()
    if goes_on:
        logger.info(
            "%s: %d of %d pieces are there already.",
            path,
            len(pieces) - len(store.missing()),
            len(pieces),
        )
    return store


def _record(path: Path, made: Made, pieces: Sequence[Tile]) -> dict[str, Any]:
    """Return what the record beside a file says; refuse another tomogram's."""
    was = read_record(path.with_suffix(".json")).get("tomogram_sha256")
    if was not in (None, made.tomogram_sha256):
        raise InputDataError(
            f"{path} holds features of a tomogram that has changed since: its SHA-256 "
            f"was {str(was)[:12]}…, is {made.tomogram_sha256[:12]}…. Put the former "
            "one back; or, if the marks fit this one, remove the folder "
            f"{path.parent}."
        )
    keeps = [(piece.keep_start, piece.keep_stop) for piece in pieces]
    division = hashlib.sha256(json.dumps(keeps).encode()).hexdigest()[:12]
    values: dict[str, Any] = json.loads(
        json.dumps({**asdict(made), "division": division})
    )
    return values


def rows_at(store: FeatureStore, index: NDArray[np.intp]) -> FloatArray:
    """Return the features of some output voxels, ``(N, F)``.

    Parameters
    ----------
    index
        ``(N, 3)``, zyx.
    """
    return np.asarray(store.features[tuple(index.T)], dtype=np.float64)
