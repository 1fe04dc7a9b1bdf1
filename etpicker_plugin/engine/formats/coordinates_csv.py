"""The engine's own coordinate files: CSV with a header, 0-based voxels."""

import csv
import io
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.long_csv import Columns, read_long
from etpicker_plugin.engine.geometry import lies_outside
from etpicker_plugin.engine.orientation import from_relion_angles, to_relion_angles
from etpicker_plugin.engine.particles import Particles, make_particles

logger = logging.getLogger(__name__)

REQUIRED_COLUMNS = ("class", "x", "y", "z")
ANGLE_COLUMNS = ("rot", "tilt", "psi")
DUPLICATE_DISTANCE_VOX = 0.5


def read_csv(path: Path, *, tomogram_id: str) -> Particles:
    """Read particles: a header with at least class,x,y,z; ``score`` is optional.

    Positions are 0-based voxels, voxel *i* centred at *i*. ``rot``, ``tilt`` and
    ``psi`` together are the orientation as RELION's angles. Columns stand in any
    order, others are ignored; a file without rows is an empty record.

    Raises
    ------
    InputDataError
        If the file or a column is missing, or a cell holds no number.
    """
    stream = io.StringIO(_read_text(path), newline="")
    lines = _numbered_lines(stream, path)
    _, header = next(lines, (0, []))
    if not header:
        raise InputDataError(
            f"Coordinates {path}: the file is empty. Expected a header line "
            "class,x,y,z (score is optional)."
        )
    places = _find_columns(header, path=path)
    columns = read_long(stream, places) or _read_rows(lines, places, path)
    class_names, positions, scores, angles = columns
    return make_particles(
        tomogram_id,
        positions,
        class_names=class_names,
        scores=scores,
        rotations=from_relion_angles(angles) if np.isfinite(angles).any() else None,
    )


def write_csv(particles: Particles, path: Path) -> None:
    """Write ``class,x,y,z,score`` and, if any is known, ``rot,tilt,psi``.

    What is unknown is an empty cell. Positions are kept to 0.001 voxel, scores to
    single precision, angles to 0.0001 degrees.
    """
    angle_names = () if particles.rotations is None else ANGLE_COLUMNS
    with (
        write_whole(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        stream.write(",".join((*REQUIRED_COLUMNS, "score", *angle_names)) + "\n")
        stream.writelines(_lines_of(particles))


def _lines_of(particles: Particles) -> Iterator[str]:
    """Yield the line of each particle."""
    names = particles.class_names.tolist()
    cells = {name: _quoted(name) for name in set(names)}
    # Python's own numbers are formatted several times faster than NumPy's.
    for name, (z, y, x), score, angles in zip(
        names,
        particles.positions_zyx.tolist(),
        particles.scores.tolist(),
        _angle_cells(particles),
        strict=True,
    ):
        score_cell = "" if math.isnan(score) else f"{score:.9g}"
        yield f"{cells[name]},{x:.3f},{y:.3f},{z:.3f},{score_cell}{angles}\n"


def _quoted(name: str) -> str:
    """Return a cell of text, in quotes where it needs them."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow([name, ""])
    return stream.getvalue().removesuffix(",\n")


def _angle_cells(particles: Particles) -> list[str]:
    """Return the end of each line: no cells of angles, or three, empty if unknown."""
    if particles.rotations is None:
        return [""] * len(particles)
    known = np.isfinite(particles.rotations).all(axis=(1, 2)).tolist()
    angles = to_relion_angles(particles.rotations).tolist()
    return [
        f",{rot:.4f},{tilt:.4f},{psi:.4f}" if is_known else ",,,"
        for (rot, tilt, psi), is_known in zip(angles, known, strict=True)
    ]


def check_particles(
    particles: Particles, *, shape_zyx: tuple[int, int, int], path: Path
) -> Particles:
    """Return the particles without duplicates, if all lie inside the volume.

    Of two particles of one class within 0.5 voxel the first is kept.

    Raises
    ------
    InputDataError
        If a particle lies outside (see ``refuse_outside``).
    """
    refuse_outside(particles, shape_zyx=shape_zyx, path=path)
    kept = ~_repeats_earlier(particles)
    if not kept.all():
        logger.warning(
            "Coordinates %s: %d of %d repeat another of their class within %g voxel; "
            "left out.",
            path,
            np.count_nonzero(~kept),
            len(kept),
            DUPLICATE_DISTANCE_VOX,
        )
    return particles.select(kept)


def refuse_outside(
    particles: Particles, *, shape_zyx: tuple[int, int, int], path: Path
) -> None:
    """Refuse particles outside a volume, which reaches from -0.5 to *n* - 0.5.

    Raises
    ------
    InputDataError
        If a particle lies outside; it names how many, and the first.
    """
    positions = particles.positions_zyx
    outside = np.flatnonzero(lies_outside(positions, shape_zyx))
    if len(outside):
        first = tuple(round(float(p), 2) for p in positions[outside[0]][::-1])
        raise InputDataError(
            f"Coordinates {path}: {len(outside)} of {len(positions)} lie outside the "
            f"tomogram; the first at x, y, z = {first}, but its size (x, y, z) is "
            f"{tuple(shape_zyx[::-1])} voxels. Coordinates are 0-based voxels of "
            "this very tomogram: they may be in Å, of another binning, or with axes "
            "swapped. Convert them ('etpicker convert')."
        )


def _repeats_earlier(particles: Particles) -> NDArray[np.bool_]:
    """Return ``(N,)`` bool: true where an earlier kept particle is the same one."""
    repeats = np.zeros(len(particles), dtype=bool)
    for name in np.unique(particles.class_names):
        members = np.flatnonzero(particles.class_names == name)
        tree = cKDTree(particles.positions_zyx[members])
        pairs = tree.query_pairs(DUPLICATE_DISTANCE_VOX, output_type="ndarray")
        for first, second in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]:
            if not repeats[members[first]]:
                repeats[members[second]] = True
    return repeats


def _read_text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return stream.read()
    except FileNotFoundError as error:
        raise InputDataError(
            f"Coordinates {path}: no such file. Check the path."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise _no_text(path, error) from error


def _numbered_lines(stream: io.StringIO, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that hold something, each with its number in the file."""
    reader = csv.reader(stream)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise _no_text(path, error) from error


def _no_text(path: Path, error: Exception) -> InputDataError:
    return InputDataError(
        f"Coordinates {path} cannot be read as CSV text: {error}. Expected a "
        "header line class,x,y,z and one particle per line."
    )


def _find_columns(header: Sequence[str], *, path: Path) -> dict[str, int]:
    """Return the index of each column that is used."""
    names = [name.strip().lower() for name in header]
    missing = [name for name in REQUIRED_COLUMNS if name not in names]
    if missing:
        numbers = any(_is_number(name) for name in names)
        problem = "no header line" if numbers else f"no column {', '.join(missing)}"
        raise InputDataError(
            f"Coordinates {path}: {problem}; the first line is '{','.join(header)}'. "
            "Expected a header with class,x,y,z (score is optional)."
        )
    angles = ANGLE_COLUMNS if set(ANGLE_COLUMNS) <= set(names) else ()
    used = [name for name in (*REQUIRED_COLUMNS, "score", *angles) if name in names]
    repeated = [name for name in used if names.count(name) > 1]
    if repeated:
        raise InputDataError(
            f"Coordinates {path}: column {repeated[0]} stands twice in the header. "
            "Keep one."
        )
    return {name: names.index(name) for name in used}


def _read_rows(
    lines: Iterable[tuple[int, list[str]]], places: Mapping[str, int], path: Path
) -> Columns:
    """Read line by line, so that a fault can be named."""
    rows = [_parse_row(cells, places, f"{path}, line {n}") for n, cells in lines]
    numbers = np.array([row[1] for row in rows], dtype=np.float64).reshape(-1, 7)
    return (
        np.array([row[0] for row in rows], dtype=str),
        numbers[:, :3],
        numbers[:, 3],
        numbers[:, 4:],
    )


def _parse_row(
    cells: Sequence[str], columns: Mapping[str, int], where: str
) -> tuple[str, list[float]]:
    """Return class, and position zyx, score and angles of a line; NaN if unknown."""
    if len(cells) <= max(columns[name] for name in REQUIRED_COLUMNS):
        raise InputDataError(
            f"Coordinates {where}: {len(cells)} cell(s), fewer than the header names."
        )
    class_name = cells[columns["class"]].strip()
    if not class_name:
        raise InputDataError(f"Coordinates {where}: the class is empty. Name it.")
    x, y, z = (_parse_number(cells[columns[c]], f"{where}, {c}") for c in "xyz")
    score, *angles = (
        _parse_optional(cells, columns, name, where)
        for name in ("score", *ANGLE_COLUMNS)
    )
    return class_name, [z, y, x, score, *angles]


def _parse_optional(
    cells: Sequence[str], columns: Mapping[str, int], name: str, where: str
) -> float:
    """Return the number in a column that may lack or be empty: NaN then."""
    index = columns.get(name, len(cells))
    text = cells[index].strip() if index < len(cells) else ""
    known = text and text.lower().lstrip("+-") != "nan"
    return _parse_number(text, f"{where}, {name}") if known else math.nan


def _parse_number(text: str, where: str) -> float:
    if not _is_number(text) or not math.isfinite(float(text)):
        raise InputDataError(
            f"Coordinates {where}: got '{text.strip()}', expected a number."
        )
    return float(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
