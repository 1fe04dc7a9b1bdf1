"""EPicker's files: ``.thi`` of particles, vesicles and fibres, ``.coord`` of x and y.

A ``.thi`` says in its first line what its rows are. A row of a fibre holds the number
of its fibre, one of a vesicle its radius in pixels, and each a value: its score.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import FILAMENT, RADIUS
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_txt import (
    read_number_rows,
    read_word_rows,
    to_number,
    to_whole_number,
)
from etpicker_plugin.engine.formats.format import (
    PIXELS,
    Format,
    FormatOptions,
    Frames,
    Item,
    Numbers,
    frame_in,
    particles_in,
)
from etpicker_plugin.engine.formats.names import number_in_order
from etpicker_plugin.engine.formats.scores import unknown_if_all_zero, zero_if_unknown
from etpicker_plugin.engine.geometry import from_image_xy, to_image_xy
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles, make_particles

PARTICLES = "[Particle Coordinates: X Y Value]"
VESICLES = "[Vesicle Coordinates: X Y Radius Value]"
FIBRES = "[Helix Coordinates: X Y Group Value]"
END = "[End]"
KINDS = (PARTICLES, VESICLES, FIBRES)


@dataclass(frozen=True)
class Row:
    """A row of a ``.thi``; NaN and nothing where its kind has no such number."""

    x: float
    y: float
    value: float
    radius: float = math.nan
    fibre: str = ""


# ------------------------------- .thi ------------------------------------------
def read_thi(path: Path, frames: Frames, options: FormatOptions) -> list[Particles]:
    """Read particles, vesicles and fibres.

    Raises
    ------
    InputDataError
        If a row has other numbers than the heading above it says, or there is none.
    """
    frame = frame_in(frames)
    rows = list(_rows_of(path))
    radii = np.array([row.radius for row in rows]) * frame.voxel_size
    fibres = np.array([row.fibre for row in rows], dtype=str)
    particles = make_particles(
        frame.tomogram_id,
        from_image_xy([(row.x, row.y) for row in rows]),
        class_names=options.class_names[0],
        scores=unknown_if_all_zero(np.array([row.value for row in rows])),
        optional={
            RADIUS.name: radii if np.isfinite(radii).any() else None,
            FILAMENT.name: fibres if (fibres != "").any() else None,
        },
    )
    return [particles]


def _rows_of(path: Path) -> Iterator[Row]:
    """Yield the rows under each heading."""
    heading = ""
    for line, words in read_word_rows(path):
        if words[0].startswith("["):
            heading = _heading(" ".join(words), path, line)
            continue
        where = f"Coordinates {path}, line {line}"
        if heading not in KINDS:
            raise InputDataError(
                f"{where}: numbers stand under no heading that says what they are. "
                f"Expected one of: {', '.join(KINDS)}."
            )
        width = 3 if heading == PARTICLES else 4
        if len(words) != width:
            raise InputDataError(
                f"{where}: {len(words)} value(s), expected {width} under {heading}."
            )
        x, y, *more, value = (to_number(word, path, line) for word in words)
        if heading == FIBRES:
            group = str(to_whole_number(words[2], path, line, least=0))
            yield Row(x, y, value, fibre=group)
        elif heading == VESICLES and more[0] <= 0:
            raise InputDataError(f"{where}: radius {more[0]:g}, expected one above 0.")
        else:
            yield Row(x, y, value, radius=more[0] if more else math.nan)


def _heading(text: str, path: Path, line: int) -> str:
    """Return a heading that is known; it says what the rows below are.

    Raises
    ------
    InputDataError
        If it is not one, or names fibres without their groups.
    """
    if text.startswith("[Helix") and "Group" not in text:
        raise InputDataError(
            f"Coordinates {path}, line {line}: '{text[:60]}' does not say on which "
            f"fibre each point lies, and no curve can be made of them. Expected "
            f"{FIBRES}: mark the fibres again in EPicker, or add the number of its "
            "fibre to each row, before its value."
        )
    if text not in (*KINDS, END):
        raise InputDataError(
            f"Coordinates {path}, line {line}: '{text[:60]}', expected one of: "
            f"{', '.join((*KINDS, END))}."
        )
    return text


def write_thi(items: Sequence[Item], path: Path, _: FormatOptions, __: Numbers) -> None:
    """Write a heading wherever the kind of the particles changes; fibres from 1.

    An unknown value is 0. EPicker itself rounds to whole pixels, but reads fractions.
    """
    particles, frame = particles_in(items), items[0][1]
    count = len(particles)
    fibres = particles.optional.get(FILAMENT.name, FILAMENT.unknown(count))
    radii = particles.optional.get(RADIUS.name, RADIUS.unknown(count))
    numbers = number_in_order([str(f) for f in fibres if f])
    rows = []
    for (x, y), value, fibre, radius in zip_strict(
        to_image_xy(particles.positions_zyx).tolist(),
        zero_if_unknown(particles.scores).tolist(),
        map(str, fibres),
        (np.asarray(radii) / frame.voxel_size).tolist(),
    ):
        if fibre:
            rows.append((FIBRES, f"{x:.3f} {y:.3f} {numbers[fibre]} {value:.6g}"))
        elif math.isfinite(radius):
            rows.append((VESICLES, f"{x:.3f} {y:.3f} {radius:.3f} {value:.6g}"))
        else:
            rows.append((PARTICLES, f"{x:.3f} {y:.3f} {value:.6g}"))
    lines = []
    for heading, own in itertools.groupby(rows or [(PARTICLES, "")], lambda r: r[0]):
        lines += [heading, *(text for _, text in own if text), END]
    with write_whole(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


# ------------------------------ .coord -----------------------------------------
def read_coord(path: Path, frames: Frames, options: FormatOptions) -> list[Particles]:
    """Read x and y; EPicker's own picks have two numbers more, which say nothing."""
    lines = read_number_rows(path, widths=(2, 4), separators="")
    particles = make_particles(
        frame_in(frames).tomogram_id,
        from_image_xy([row[:2] for _, row in lines]),
        class_names=options.class_names[0],
    )
    return [particles]


def write_coord(
    items: Sequence[Item], path: Path, _: FormatOptions, __: Numbers
) -> None:
    """Write x and y."""
    places = to_image_xy(particles_in(items).positions_zyx).tolist()
    with write_whole(path) as temporary:
        temporary.write_text(
            "".join(f"{x:.3f}\t{y:.3f}\n" for x, y in places), encoding="utf-8"
        )


EPICKER = Format(
    name="epicker",
    program="EPicker particles, vesicles and fibres (.thi)",
    file="{tomogram}.thi",
    positions=f"{PIXELS}; radii in pixels",
    dimensions=(2,),
    not_held=("classes", "orientations"),
    holds_columns=(RADIUS.name, FILAMENT.name),
    glob="*.thi",
    read=read_thi,
    write=write_thi,
)
EPICKER_COORD = Format(
    name="epicker-coord",
    program="EPicker coordinates (.coord)",
    file="{tomogram}.coord",
    positions=PIXELS,
    dimensions=(2,),
    not_held=("classes", "scores", "orientations"),
    glob="*.coord",
    read=read_coord,
    write=write_coord,
)
