"""The tiles of an unfinished tomogram, so that a kill costs one tile."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin.engine.columns import columns_of
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks


class PartialPicks:
    """A JSON-lines file: a header, then one line of peaks for each finished tile.

    A line that a kill cut short is dropped. A header of another run, or of another
    tile edge, starts the file anew.
    """

    def __init__(self, path: Path, digest: str) -> None:
        self._path = path
        self._digest = digest
        self._peaks: dict[int, Peaks] = {}

    def recorded_edge(self) -> int | None:
        """Return the tile edge of an unfinished run of the same digest, if any."""
        lines = self._lines()
        if lines and lines[0].get("digest") == self._digest:
            return int(lines[0]["edge"])
        return None

    def begin(self, edge: int) -> set[int]:
        """Open for tiles of this edge; return the numbers of those already done."""
        self._peaks = {}
        if self.recorded_edge() == edge:
            lines = self._lines()
            self._peaks = {line["tile"]: _from_values(line) for line in lines[1:]}
        header = json.dumps({"digest": self._digest, "edge": edge})
        done = [_to_line(n, peaks) for n, peaks in self._peaks.items()]
        self._path.write_text("\n".join([header, *done]) + "\n", encoding="ascii")
        return set(self._peaks)

    def add(self, number: int, peaks: Peaks) -> None:
        """Record a finished tile."""
        self._peaks[number] = peaks
        with self._path.open("a", encoding="ascii") as stream:
            stream.write(_to_line(number, peaks) + "\n")

    def all_peaks(self) -> Peaks:
        """Return the peaks of all tiles, in the order of the tiles."""
        return join_peaks([self._peaks[n] for n in sorted(self._peaks)])

    def remove(self) -> None:
        """Delete the file: the tomogram is finished."""
        self._path.unlink(missing_ok=True)

    def _lines(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        lines = []
        for text in self._path.read_text(encoding="ascii").splitlines():
            try:
                lines.append(json.loads(text))
            except ValueError:
                break
        return lines


def _to_line(number: int, peaks: Peaks) -> str:
    return json.dumps(
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
    return Peaks(
        positions_zyx=np.asarray(line["positions"], dtype=np.float64).reshape(-1, 3),
        scores=np.asarray(line["scores"], dtype=np.float64),
        channels=np.asarray(line["channels"], dtype=np.intp),
        optional={c.name: c.from_json(line[c.name]) for c in columns_of(line)},
    )
