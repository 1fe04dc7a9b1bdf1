"""Plain text coordinates: ``x y z`` per line, in 0-based voxels."""

from __future__ import annotations

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
from etpicker_plugin.engine.formats.text_files import read_text, split_lines
from etpicker_plugin.engine.geometry import reverse_axes
from etpicker_plugin.engine.particles import Particles, make_particles
from etpicker_plugin.engine.plain_numbers import plain_number


def read_txt(
    path: Path, *, tomogram_id: str, class_name: str = "particle"
) -> Particles:
    """Read ``x y z`` per line, separated by blanks, tabs, commas or semicolons.

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
    path: Path, *, widths: tuple[int, ...], separators: str = ";,"
) -> list[tuple[int, list[float]]]:
    """Return the numbers of each line with the line's number.

    ``widths`` are the allowed numbers of columns; all lines must have the same. For
    ``separators`` see ``read_word_rows``.

    Raises
    ------
    InputDataError
        If the file is missing, or a line has other columns or no finite numbers.
    """
    rows: list[tuple[int, list[float]]] = []
    for number, words in read_word_rows(path, separators=separators):
        width = len(rows[0][1]) if rows else len(words)
        if len(words) != width or width not in widths:
            raise InputDataError(
                f"Coordinates {path}, line {number}: {len(words)} column(s), expected "
                f"{' or '.join(map(str, widths))}, the same in every line."
            )
        rows.append((number, [to_number(word, path, number) for word in words]))
    return rows


def read_word_rows(path: Path, *, separators: str = "") -> list[tuple[int, list[str]]]:
    """Return the words of each line that holds any, with the line's number.

    Words stand between blanks or tabs; in a line with one of the ``separators``,
    between those. Lines that begin with ``#`` are comments.

    Raises
    ------
    InputDataError
        If the file cannot be read as text, or separators and blanks part the words of
        one line: a comma may be a decimal one.
    """
    lines = enumerate(split_lines(read_text(path)), 1)
    filled = [(n, line) for n, line in lines if line.strip() and not _is_comment(line)]
    return [(n, _words_of(line, separators, path, n)) for n, line in filled]


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _words_of(line: str, separators: str, path: Path, number: int) -> list[str]:
    separator = next((s for s in separators if s in line), None)
    if separator is None:
        return line.split()
    words = [word.strip() for word in line.rstrip(f" \t{separator}").split(separator)]
    if all(len(word.split()) == 1 for word in words):
        return words
    raise InputDataError(
        f"Coordinates {path}, line {number}: '{separator}' and blanks both stand in "
        f"'{line.strip()[:60]}'. Part the numbers by blanks, or by '{separator}' "
        "alone; write 12.5 for 12,5."
    )


def to_number(word: str, path: Path, line: int) -> float:
    """Return a word as a finite number.

    Raises
    ------
    InputDataError
        If it is none.
    """
    try:
        return plain_number(word)
    except ValueError as error:
        raise InputDataError(
            f"Coordinates {path}, line {line}: got '{word[:40]}', expected {error}."
        ) from error


def to_whole_number(word: str, path: Path, line: int, *, least: int) -> int:
    """Return a word as a whole number; it may be written 5.0, as tables do.

    Raises
    ------
    InputDataError
        If it is none, or less than ``least``.
    """
    number = to_number(word, path, line)
    if number < least or not number.is_integer():
        raise InputDataError(
            f"Coordinates {path}, line {line}: got '{word}', expected a whole number "
            f"from {least}."
        )
    return int(number)


TXT = Format(
    name="txt",
    program="x y z in plain text (.txt)",
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
ARTIAX_COORDS = replace(
    TXT,
    name="artiax-coords",
    program="ArtiaX coordinates (.coords)",
    file="{tomogram}.coords",
)
