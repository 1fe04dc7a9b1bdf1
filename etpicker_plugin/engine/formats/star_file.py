"""Every STAR file that is read, goes through here: structure first, then values."""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.exact_floats import exact_floats
from etpicker_plugin.engine.formats.star_structure import RawTable, scan_star
from etpicker_plugin.engine.formats.text_files import read_text

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = ("nan", "NaN", "-nan", "<NA>")


@dataclass(frozen=True)
class StarTable:
    """A loop, or the label value pairs of a block as one row.

    Attributes
    ----------
    block
        Name of its block, without ``data_``.
    line
        Where it begins, counted from 1.
    is_loop
        Whether it is a loop.
    rows
        Its values by label; the index is each row's line in the file.
    """

    block: str
    line: int
    is_loop: bool
    rows: pd.DataFrame

    @property
    def name(self) -> str:
        """Block and line, for a message."""
        return f"data_{self.block} (line {self.line})"


def read_star_file(path: Path, *, text_labels: Collection[str]) -> list[StarTable]:
    """Return the tables of a STAR file in their order.

    Values under ``text_labels`` are texts; elsewhere ``nan`` is NaN, and a column of
    numbers holds numbers.

    Raises
    ------
    InputDataError
        If the file is missing, is no text, its structure is not that of STAR, or a
        number is absurd.
    """
    tables = scan_star(read_text(path), path)
    found = []
    for raw in tables:
        try:
            rows = _to_frame(raw, text_labels)
        except OverflowError as error:
            raise InputDataError(
                f"{path}: a whole number in data_{raw.block} (line {raw.line} and "
                "after) has more digits than any number here. Correct it."
            ) from error
        found.append(StarTable(raw.block, raw.line, raw.is_loop, rows))
    return found


def _to_frame(raw: RawTable, text_labels: Collection[str]) -> pd.DataFrame:
    # Not above: whoever asks for help or converts CSV need not wait for it.
    import pandas as pd

    labels = list(raw.labels)
    if not raw.rows:
        return pd.DataFrame(columns=labels, dtype=object)
    texts = [label for label in labels if label in text_labels]
    frame = pd.read_csv(
        io.StringIO("\n".join(raw.rows)),
        sep=r"\s+",
        header=None,
        names=labels,
        index_col=False,
        dtype=dict.fromkeys(texts, str),
        keep_default_na=False,
        na_values={label: UNKNOWN for label in labels if label not in texts},
        low_memory=False,
        **exact_floats(),
    )
    frame.index = pd.Index(raw.lines)
    return frame
