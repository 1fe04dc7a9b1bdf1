"""The particles of a STAR file, which may stand in several blocks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from etpicker_plugin.engine.columns import declared
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.star_columns import CLASS_NAME
from etpicker_plugin.engine.formats.star_file import StarTable, read_star_file

if TYPE_CHECKING:
    import pandas as pd

TEXT_LABELS = (
    "rlnTomoName",
    "rlnMicrographName",
    "rlnTomoImportParticleFile",
    CLASS_NAME,
)
COORDINATE = ("rlnCoordinate", "rlnCenteredCoordinate")
"""What labels of positions begin with."""


def read_tables(
    path: Path, *, needed: Sequence[str], version: str, tomogram: str = ""
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the particle table and the optics table (empty if there is none).

    Tables with the ``needed`` columns of a ``version`` are one, in the file's order;
    ``tomogram`` is the column that tells whose a row is, if not one of those. The
    index is each row's line.

    Raises
    ------
    InputDataError
        If the file is missing, is no STAR file, lacks the columns, or holds several
        tables that do not belong together.
    """
    if not path.is_file():
        raise InputDataError(f"{path}: no such file. Check the path.")
    texts = [n for c in declared() if c.dtype is not float for n in c.star_labels]
    tables = read_star_file(path, text_labels=(*TEXT_LABELS, *texts))
    chosen = [t for t in tables if set(needed) <= set(t.rows.columns)]
    if not chosen:
        found = sorted({c for table in tables for c in table.rows.columns})
        raise InputDataError(
            f"{path}: no table with {', '.join(needed)} ({version}). It holds: "
            f"{', '.join(found) or 'no table'}. It may be of another RELION version "
            "or program."
        )
    _refuse_others(tables, chosen, path=path)
    return _join(chosen, tomogram, path=path), _optics(tables, path=path)


def _refuse_others(
    tables: Sequence[StarTable], chosen: Sequence[StarTable], *, path: Path
) -> None:
    """Refuse a file whose other tables hold positions too."""
    for table in tables:
        if table not in chosen and any(n.startswith(COORDINATE) for n in table.rows):
            raise _unlike(chosen[0], table, path)


def _join(chosen: Sequence[StarTable], tomogram: str, *, path: Path) -> pd.DataFrame:
    """Return several tables as one, if their labels are the same."""
    import pandas as pd

    first, *others = chosen
    for other in others:
        if set(other.rows.columns) != set(first.rows.columns):
            raise _unlike(first, other, path)
        if tomogram and tomogram not in first.rows.columns:
            raise InputDataError(
                f"{path} holds several particle tables, {first.name} and {other.name}, "
                f"without {tomogram}: it is not known of which tomogram they are. "
                "Split the file."
            )
    if not others:
        return first.rows
    full = [table.rows for table in chosen if len(table.rows)]
    return pd.concat(full)[list(first.rows.columns)] if full else first.rows


def _optics(tables: Sequence[StarTable], *, path: Path) -> pd.DataFrame:
    """Return the optics table; one that stands twice must say the same."""
    import pandas as pd

    optics = [table for table in tables if table.block == "optics"]
    if not optics:
        return pd.DataFrame()
    first, *others = optics
    for other in others:
        if not other.rows.reset_index(drop=True).equals(
            first.rows.reset_index(drop=True)
        ):
            raise InputDataError(
                f"{path} holds two optics tables that differ, {first.name} and "
                f"{other.name}. Split the file."
            )
    return first.rows


def _unlike(first: StarTable, other: StarTable, path: Path) -> InputDataError:
    """Return the error of two tables with different labels; it names some."""
    ours, theirs = set(first.rows.columns), set(other.rows.columns)
    alone = [
        f"{table.name} alone has {', '.join(sorted(more)[:5])}"
        for table, more in ((first, ours - theirs), (other, theirs - ours))
        if more
    ]
    return InputDataError(
        f"{path} holds two particle tables with different labels: "
        f"{'; '.join(alone)}. Split the file, or give them the same labels."
    )
