"""Reading a table's numbers to their last digit, by any pandas."""

from __future__ import annotations

import re


def exact_floats() -> dict[str, str]:
    """Return the words for ``read_csv`` that make its numbers those of Python.

    From 3.1 on pandas reads them so unasked, and warns of being told.
    """
    import pandas as pd

    version = tuple(int(part) for part in re.findall(r"\d+", pd.__version__)[:2])
    return {} if version >= (3, 1) else {"float_precision": "round_trip"}
