"""Reading what RELION wrote: particles, models, the FSC of post-processing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import starfile

from etpicker_plugin.engine.errors import InputDataError

IMAGE = "rlnImageName"
TEXT_COLUMNS = [IMAGE, "rlnMicrographName", "rlnCtfImage", "etpickerClassName"]
FSC_COLUMNS = {
    "resolution_ang": "rlnAngstromResolution",
    "corrected": "rlnFourierShellCorrelationCorrected",
    "unmasked": "rlnFourierShellCorrelationUnmaskedMaps",
    "masked": "rlnFourierShellCorrelationMaskedMaps",
    "randomised": "rlnCorrectedFourierShellCorrelationPhaseRandomizedMaskedMaps",
}


@dataclass(frozen=True, kw_only=True)
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
    try:
        tables: dict[str, Any] = starfile.read(
            path, always_dict=True, parse_as_string=TEXT_COLUMNS
        )
    except (OSError, ValueError, IndexError, TypeError, KeyError) as error:
        raise InputDataError(
            f"{path} cannot be read as a STAR file: {error}."
        ) from error
    return tables


def read_particles(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the particles and the optics of a table of boxes or of a run.

    RELION sorts its rows by tomogram: pair two tables by ``rlnImageName`` alone.

    Raises
    ------
    InputDataError
        If the file is no such table.
    """
    tables = read_tables(path)
    particles, optics = tables.get("particles"), tables.get("optics")
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


def read_postprocess(path: Path) -> PostProcess:
    """Return resolution and FSC of a ``postprocess.star``.

    Raises
    ------
    InputDataError
        If the file is missing or holds something else.
    """
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
