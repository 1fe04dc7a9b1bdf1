"""The numbers as rows of text, for the log and the report."""

from collections.abc import Mapping

from etpicker_plugin.engine.evaluation.metrics import Numbers
from etpicker_plugin.engine.evaluation.scoring import ClassScores

COLUMNS = (
    "class",
    "picks",
    "truth",
    "true",
    "precision",
    "recall",
    "F1",
    "F-beta",
    "AP",
    "distance (voxels)",
    "distance (Å)",
    "best F1",
    "at score",
)


UNITS = {"_ang": "Å", "_deg": "°"}
"""Ends of the keys of numbers that have a unit."""

Measured = Mapping[str, ClassScores | Numbers]
"""Class to what was measured of it: of particles, or of what else there is."""

Row = tuple[str, ...]


def tables_of(classes: Measured) -> list[list[Row]]:
    """Return tables, head first: one of particles, one for each other kind.

    A number that is undefined is a dash.
    """
    particles = [
        _particle_row(name, scores)
        for name, scores in classes.items()
        if isinstance(scores, ClassScores)
    ]
    others: dict[Row, list[Row]] = {}
    for name, numbers in classes.items():
        if isinstance(numbers, dict):
            head = ("class", *map(_header, numbers))
            others.setdefault(head, []).append(
                (name, *(_cell(key, value) for key, value in numbers.items()))
            )
    found = [[head, *rows] for head, rows in others.items()]
    return [[COLUMNS, *particles], *found] if particles or not found else found


def _particle_row(name: str, s: ClassScores) -> Row:
    return (
        name,
        str(s.n_picks),
        str(s.n_truth),
        str(s.n_true_positive),
        *(_number(v) for v in (s.precision, s.recall, s.f1, s.f_beta)),
        _number(s.average_precision),
        _number(s.mean_distance_voxels, digits=2),
        _number(s.mean_distance_ang, digits=1),
        _number(s.best_f1),
        _number(s.best_threshold),
    )


def format_table(classes: Measured) -> str:
    """Return the tables with columns aligned, for a log."""
    return "\n\n".join(_aligned(rows) for rows in tables_of(classes))


def _aligned(rows: list[Row]) -> str:
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = []
    for name, *numbers in rows:
        cells = [n.rjust(w) for n, w in zip(numbers, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def _header(key: str) -> str:
    """Return the words for a number: its key's, and its unit."""
    for suffix, unit in UNITS.items():
        if key.endswith(suffix):
            return f"{_header(key.removesuffix(suffix))} ({unit})"
    return key.removeprefix("n_").replace("_", " ").replace("f1", "F1")


def _cell(key: str, value: float | None) -> str:
    if isinstance(value, int):
        return str(value)
    return _number(value, digits=1 if key.endswith(tuple(UNITS)) else 3)


def _number(value: float | None, *, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
