"""Long coordinate files without a fault, read by pandas: five times faster."""

import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

LONG_TEXT = 200_000
"""Characters; a shorter text is read before pandas is imported."""

UNKNOWN = ("", "nan", "NaN")
NUMBERS = ("z", "y", "x", "score", "rot", "tilt", "psi")

FloatArray = NDArray[np.float64]
Columns = tuple[NDArray[np.str_], FloatArray, FloatArray, FloatArray]
"""Class names ``(N,)``, positions zyx ``(N, 3)``, scores ``(N,)``, angles ``(N, 3)``.

NaN where a score or angle is unknown."""


def read_long(stream: io.StringIO, places: Mapping[str, int]) -> Columns | None:
    """Return the columns of a long text, which stands behind its header.

    ``None`` for a short text, and where a line has a fault or anything that is read in
    another way line by line; the text then stands where it stood.
    """
    begin = stream.tell()
    text = stream.getvalue()
    # A NUL ends a cell for pandas.
    if len(text) < LONG_TEXT or "\0" in text:
        return None
    try:
        columns = _read_columns(stream, places)
    except ValueError:  # pandas' own errors too
        columns = None
    if columns is None:
        stream.seek(begin)
    return columns


def _read_columns(stream: io.StringIO, places: Mapping[str, int]) -> Columns | None:
    import pandas as pd

    names = sorted(places, key=lambda name: places[name])
    numbers = [name for name in names if name != "class"]
    table = pd.read_csv(
        stream,
        header=None,
        index_col=False,
        usecols=[places[name] for name in names],
        names=names,
        dtype={"class": "category"} | dict.fromkeys(numbers, "float64"),
        keep_default_na=False,
        na_values=dict.fromkeys(numbers, UNKNOWN),
        float_precision="round_trip",
    )
    classes = table["class"].cat
    class_names = np.array([name.strip() for name in classes.categories], dtype=str)
    codes = classes.codes.to_numpy()
    values = table.reindex(columns=NUMBERS).to_numpy()
    positions, scores, angles = values[:, :3], values[:, 3], values[:, 4:]
    if (
        (codes < 0).any()
        or (class_names == "").any()
        or not np.isfinite(positions).all()
        or np.isinf(values).any()
    ):
        return None
    return class_names[codes], positions, scores, angles
