"""The numbers as rows of text, for the log and the report."""

from collections.abc import Mapping

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


def table_rows(classes: Mapping[str, ClassScores]) -> list[tuple[str, ...]]:
    """Return one row of ``COLUMNS`` per class; a dash where a number is undefined."""
    return [
        (
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
        for name, s in classes.items()
    ]


def format_table(classes: Mapping[str, ClassScores]) -> str:
    """Return the table with columns aligned, for a log."""
    rows = [COLUMNS, *table_rows(classes)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    lines = []
    for name, *numbers in rows:
        cells = [n.rjust(w) for n, w in zip(numbers, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def _number(value: float | None, *, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
