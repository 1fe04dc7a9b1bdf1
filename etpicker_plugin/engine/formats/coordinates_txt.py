"""Plain text coordinates: ``x y z`` per line, in 0-based voxels."""

from dataclasses import replace
from pathlib import Path

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.format import (
    VOXELS,
    Format,
    frame_in,
    particles_in,
)
from etpicker_plugin.engine.geometry import reverse_axes
from etpicker_plugin.engine.particles import Particles, make_particles


def read_txt(
    path: Path, *, tomogram_id: str, class_name: str = "particle"
) -> Particles:
    """Read ``x y z`` per line, separated by blanks, tabs or commas.

    Lines that begin with ``#`` are comments.

    Raises
    ------
    InputDataError
        If the file is missing or a line does not hold three numbers.
    """
    rows = read_number_rows(path, widths=(3,))
    return make_particles(
        tomogram_id, reverse_axes([row for _, row in rows]), class_names=class_name
    )


def write_txt(particles: Particles, path: Path) -> None:
    """Write ``x y z`` per line with three decimals; classes and scores are lost."""
    lines = [
        f"{x:.3f} {y:.3f} {z:.3f}\n"
        for x, y, z in reverse_axes(particles.positions_zyx)
    ]
    with write_whole(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def read_number_rows(
    path: Path, *, widths: tuple[int, ...]
) -> list[tuple[int, list[float]]]:
    """Return the numbers of each line with the line's number.

    ``widths`` are the allowed numbers of columns; all lines must have the same.

    Raises
    ------
    InputDataError
        If the file is missing, or a line has other columns or no finite numbers.
    """
    rows: list[tuple[int, list[float]]] = []
    for number, words in read_word_rows(path):
        width = len(rows[0][1]) if rows else len(words)
        if len(words) != width or width not in widths:
            raise InputDataError(
                f"Coordinates {path}, line {number}: {len(words)} column(s), expected "
                f"{' or '.join(map(str, widths))}, the same in every line."
            )
        rows.append((number, [to_number(word, path, number) for word in words]))
    return rows


def read_word_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the words of each line that holds any, with the line's number.

    Words stand between blanks, tabs or commas; lines from ``#`` on are comments.

    Raises
    ------
    InputDataError
        If the file cannot be read as text.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputDataError(
            f"Coordinates {path} cannot be read: {error}. Check the path."
        ) from error
    split = [(n, line.replace(",", " ").split()) for n, line in enumerate(lines, 1)]
    return [(n, words) for n, words in split if words and not words[0].startswith("#")]


def to_number(word: str, path: Path, line: int) -> float:
    """Return a word as a finite number.

    Raises
    ------
    InputDataError
        If it is none.
    """
    try:
        value = float(word)
    except ValueError as error:
        raise InputDataError(
            f"Coordinates {path}, line {line}: got '{word}', expected a number."
        ) from error
    if abs(value) < float("inf"):
        return value
    raise InputDataError(
        f"Coordinates {path}, line {line}: got '{word}', expected a finite number."
    )


TXT = Format(
    name="txt",
    file="{tomogram}.txt",
    positions=VOXELS,
    not_held=("classes", "scores", "orientations"),
    read=lambda path, frames, options: [
        read_txt(
            path,
            tomogram_id=frame_in(frames).tomogram_id,
            class_name=options.class_names[0],
        )
    ],
    write=lambda items, path, _, __: write_txt(particles_in(items), path),
)
ARTIAX_COORDS = replace(TXT, name="artiax-coords", file="{tomogram}.coords")
