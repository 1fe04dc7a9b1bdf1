"""What a tilt series is called whose tomogram has another name.

RELION and Warp name particles by tilt series. Of ``TS_01`` RELION makes the tomogram
``rec_TS_01``, its halves ``rec_TS_01_half1`` and ``_half2``, and Warp
``TS_01_10.00Apx``. Other names a user gives by pattern or table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.names import short_name
from etpicker_plugin.engine.formats.usual_names import usual_tilt_series
from etpicker_plugin.engine.geometry import TomogramFrame

PLACE = "{}"
HEADER = ("tomogram", "tilt series")


@dataclass(frozen=True)
class SeriesNames:
    """What a user says of the names: a table, which comes first, and patterns.

    Attributes
    ----------
    patterns
        Such as ``rec_{}_bin4``, with ``{}`` in the tilt series' place and ``*`` for
        anything; the first that fits is taken.
    table
        Tilt series by tomogram.
    """

    patterns: tuple[str, ...] = ()
    table: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse patterns without a place for the name."""
        check_patterns(self.patterns)

    def said_of(self, tomogram: str) -> str:
        """Return a tomogram's tilt series as it was said; "" if nothing was.

        Raises
        ------
        ConfigError
            If there are patterns, and none of them fits.
        """
        if tomogram in self.table or not self.patterns:
            return self.table.get(tomogram, "")
        for pattern in self.patterns:
            found = fill_of(pattern, tomogram)
            if found is not None:
                return found
        raise ConfigError(
            f"--tilt-series-name: tomogram {tomogram} does not fit "
            f"{' or '.join(self.patterns)}. Give a pattern for it too, or name its "
            "tilt series in --tilt-series-table."
        )


def check_patterns(patterns: Sequence[str]) -> None:
    """Refuse patterns that do not say where the tilt series' name stands.

    Raises
    ------
    ConfigError
        Naming the first.
    """
    for pattern in patterns:
        if pattern.count(PLACE) != 1:
            raise ConfigError(
                f"--tilt-series-name: got '{pattern}', expected a pattern with one "
                "{} in the place of the tilt series' name, as in rec_{} or {}_bin4; "
                "* stands for anything."
            )


def fill_of(pattern: str, tomogram: str) -> str | None:
    """Return what stands in a pattern's ``{}``; ``None`` if the name does not fit."""
    before, after = (
        ".*".join(map(re.escape, re.split(r"\*+", part)))
        for part in pattern.split(PLACE)
    )
    found = re.fullmatch(f"{before}(.+){after}", tomogram)
    return found[1] if found else None


def read_series_table(path: Path) -> dict[str, str]:
    """Read a table of tomograms and their tilt series, a pair per line.

    The two stand apart by a comma, a tab or blanks. Empty lines, lines that begin
    with ``#`` and the header ``tomogram,tilt series`` are passed over. A tomogram may
    be given with its folder and extension.

    Raises
    ------
    InputDataError
        If the file cannot be read, a line is no pair, or a tomogram stands there
        twice.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputDataError(
            f"Table of tilt series {path} cannot be read: {error}. Check the path."
        ) from error
    table: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        words = _words(line)
        if not words or words[0].startswith("#") or _is_header(words):
            continue
        if len(words) != 2 or not all(words) or short_name(words[0]) in table:
            raise InputDataError(
                f"Table of tilt series {path}, line {number}: got '{line.strip()}', "
                "expected a tomogram, a comma and its tilt series, each tomogram once."
            )
        table[short_name(words[0])] = words[1]
    return table


def _words(line: str) -> list[str]:
    """Return the cells of a line."""
    separator = next((s for s in ",\t" if s in line), None)
    return [word.strip() for word in line.split(separator)]


def _is_header(words: Sequence[str]) -> bool:
    return tuple(word.lower().replace("_", " ") for word in words) == HEADER


def series_of(frame: TomogramFrame) -> str:
    """Return the name of a tomogram's tilt series: as it was said, or as usual."""
    return frame.tilt_series or usual_tilt_series(frame.tomogram_id)


def check_series(frames: Sequence[TomogramFrame]) -> None:
    """Refuse two tomograms of one tilt series, which one file cannot tell apart.

    Raises
    ------
    ConfigError
        Naming both.
    """
    seen: dict[str, str] = {}
    for frame in frames:
        series, name = series_of(frame), frame.tomogram_id
        if seen.setdefault(series, name) != name:
            raise ConfigError(
                f"Tomograms {seen[series]} and {name} are both of tilt series "
                f"{series}; one file cannot tell their particles apart. Convert them "
                "into folders of their own, or say their names with "
                "--tilt-series-name or --tilt-series-table."
            )
