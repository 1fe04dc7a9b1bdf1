"""Topaz' tables: ``image_name``, ``x_coord``, ``y_coord`` and ``score`` between tabs.

Places are pixels of the image that was picked, from 0. Topaz picks images that it has
made smaller; ``topaz convert`` puts its picks back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_txt import to_number
from etpicker_plugin.engine.formats.format import (
    PIXELS,
    Format,
    FormatOptions,
    Frames,
    Item,
    Numbers,
)
from etpicker_plugin.engine.formats.names import match_names, short_name
from etpicker_plugin.engine.formats.text_files import read_text, split_lines
from etpicker_plugin.engine.geometry import from_image_xy, to_image_xy
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles, make_particles

NAME, X, Y, SCORE, DEPTH = "image_name", "x_coord", "y_coord", "score", "z_coord"


def read_topaz(path: Path, frames: Frames, options: FormatOptions) -> list[Particles]:
    """Read the picks of all micrographs, one record for each.

    Raises
    ------
    InputDataError
        If a column is missing, a cell no number, or an image not known.
    """
    rows = list(_rows_of(path))
    match = match_names(list(dict.fromkeys(row[0] for row in rows)), list(frames))
    if match.unmatched:
        raise InputDataError(
            f"{path}: names of micrographs do not match; {match.describe()}. Give the "
            "micrographs that the file names, under those names."
        )
    records = []
    for name, frame in frames.items():
        own = [row for row in rows if match.pairs[row[0]] == name]
        records.append(
            make_particles(
                frame.tomogram_id,
                from_image_xy([(x, y) for _, x, y, _ in own]),
                class_names=options.class_names[0],
                scores=[score for *_, score in own],
            )
        )
    return records


def names_in(path: Path) -> list[str]:
    """Return the micrographs that a table names."""
    return list(dict.fromkeys(short_name(name) for name, *_ in _rows_of(path)))


def _rows_of(path: Path) -> Iterator[tuple[str, float, float, float]]:
    """Yield name, x, y and score (NaN where there is none) of each row."""
    lines = [
        (number, [cell.strip() for cell in line.split("\t")])
        for number, line in enumerate(split_lines(read_text(path)), 1)
        if line.strip()
    ]
    places = _places(lines[0][1] if lines else [], path)
    for number, cells in lines[1:]:
        if len(cells) != len(lines[0][1]):
            raise InputDataError(
                f"Coordinates {path}, line {number}: {len(cells)} cell(s), expected "
                f"{len(lines[0][1])}, between tabs, as the header has."
            )
        x, y = (to_number(cells[places[label]], path, number) for label in (X, Y))
        name = cells[places[NAME]]
        if not name:
            raise InputDataError(
                f"Coordinates {path}, line {number}: {NAME} is empty, expected a name."
            )
        text = cells[places[SCORE]] if SCORE in places else "nan"
        unknown = text.lower() in ("", "nan")
        yield name, x, y, np.nan if unknown else to_number(text, path, number)


def _places(header: Sequence[str], path: Path) -> dict[str, int]:
    """Return where each column stands."""
    double = sorted({label for label in header if header.count(label) > 1})
    missing = [label for label in (NAME, X, Y) if label not in header]
    if missing or double:
        fault = f"no {', '.join(missing)}" if missing else f"{double[0]} stands twice"
        raise InputDataError(
            f"Coordinates {path}: {fault} in its header, which is: "
            f"{' '.join(header)[:100] or 'empty'}. Expected {NAME}, {X}, {Y} and, if "
            f"known, {SCORE}, between tabs."
        )
    if DEPTH in header:
        raise InputDataError(
            f"Coordinates {path}: {DEPTH} stands beside x and y: these are places in "
            "tomograms, not in micrographs."
        )
    return {label: at for at, label in enumerate(header)}


def write_topaz(
    items: Sequence[Item], path: Path, _: FormatOptions, __: Numbers
) -> None:
    """Write the picks of all micrographs; without a score if none is known."""
    scored = any(np.isfinite(particles.scores).any() for particles, _ in items)
    lines = ["\t".join([NAME, X, Y, *([SCORE] if scored else [])])]
    for particles, frame in items:
        for (x, y), score in zip_strict(
            to_image_xy(particles.positions_zyx).tolist(), particles.scores.tolist()
        ):
            cells = [frame.tomogram_id, f"{x:.3f}", f"{y:.3f}"]
            lines.append("\t".join([*cells, *([f"{score:.6g}"] if scored else [])]))
    with write_whole(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


TOPAZ = Format(
    name="topaz",
    program="Topaz coordinates in micrographs (.txt)",
    file="topaz.txt",
    positions=PIXELS,
    dimensions=(2,),
    not_held=("classes", "orientations"),
    holds_words=True,
    glob="*.txt",
    tomograms_in=names_in,
    read=read_topaz,
    write=write_topaz,
)
