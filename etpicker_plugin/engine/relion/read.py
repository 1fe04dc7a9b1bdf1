"""Reading what RELION wrote: particles, models, the FSC of post-processing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.star_file import StarTable, read_star_file

if TYPE_CHECKING:
    import pandas as pd

IMAGE = "rlnImageName"
TEXT_COLUMNS = [IMAGE, "rlnMicrographName", "rlnCtfImage", "etpickerClassName"]
FSC_COLUMNS = {
    "resolution_ang": "rlnAngstromResolution",
    "corrected": "rlnFourierShellCorrelationCorrected",
    "unmasked": "rlnFourierShellCorrelationUnmaskedMaps",
    "masked": "rlnFourierShellCorrelationMaskedMaps",
    "randomised": "rlnCorrectedFourierShellCorrelationPhaseRandomizedMaskedMaps",
}


@dataclass(frozen=True)
class PostProcess:
    """What ``relion_postprocess`` found.

    Attributes
    ----------
    resolution_ang
        Where the corrected FSC falls below 0.143, Å.
    fsc
        Columns ``resolution_ang`` (infinite in the first row), ``corrected``,
        ``unmasked``, ``masked`` and ``randomised``.
    """

    resolution_ang: float
    fsc: pd.DataFrame


def read_tables(path: Path) -> dict[str, Any]:
    """Return a STAR file's tables: a frame for a loop, a dictionary for a list.

    Raises
    ------
    InputDataError
        If the file is missing or no STAR file.
    """
    if not path.is_file():
        raise InputDataError(f"{path}: no such file. Check the path.")
    tables: dict[str, Any] = {}
    for table in read_star_file(path, text_labels=TEXT_COLUMNS):
        if table.block in tables:
            raise InputDataError(
                f"{path}: the block {table.name} stands twice. RELION writes each once."
            )
        tables[table.block] = _values_of(table)
    return tables


def _values_of(table: StarTable) -> Any:
    """Return a frame for a loop, a dictionary for a list."""
    rows = table.rows.reset_index(drop=True)
    return rows if table.is_loop else {n: rows[n].iloc[0] for n in rows}


def read_particles(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the particles and the optics of a table of boxes or of a run.

    RELION sorts its rows by tomogram: pair two tables by ``rlnImageName`` alone.

    Raises
    ------
    InputDataError
        If the file is no such table.
    """
    import pandas as pd

    tables = read_tables(path)
    particles, optics = (_as_loop(tables.get(n)) for n in ("particles", "optics"))
    if not isinstance(particles, pd.DataFrame) or IMAGE not in particles.columns:
        raise InputDataError(
            f"{path}: no table 'particles' with {IMAGE}; it holds "
            f"{', '.join(tables) or 'nothing'}. Expected the particles.star of "
            "'etpicker extract', or a RELION 3.1 table of 3D images."
        )
    if not isinstance(optics, pd.DataFrame):
        raise InputDataError(
            f"{path}: no table 'optics'. It may be of RELION 3.0 or older: convert it "
            "with RELION 3.1 (relion_convert_star)."
        )
    return particles, optics


def _as_loop(table: Any) -> Any:
    """Return a list, which a table of one row may be, as a loop."""
    import pandas as pd

    return pd.DataFrame([table]) if isinstance(table, dict) else table


def read_postprocess(path: Path) -> PostProcess:
    """Return resolution and FSC of a ``postprocess.star``.

    Raises
    ------
    InputDataError
        If the file is missing or holds something else.
    """
    import pandas as pd

    tables = read_tables(path)
    try:
        general, fsc = tables["general"], tables["fsc"]
        frame = pd.DataFrame(
            {
                name: pd.to_numeric(fsc[column], errors="coerce")
                for name, column in FSC_COLUMNS.items()
            }
        )
        resolution = float(general["rlnFinalResolution"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputDataError(
            f"{path}: no result of relion_postprocess ({error} is missing)."
        ) from error
    frame.loc[0, "resolution_ang"] = np.inf
    return PostProcess(resolution_ang=resolution, fsc=frame)
