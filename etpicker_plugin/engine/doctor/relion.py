"""RELION: which one runs, and whether it is whole."""

from __future__ import annotations

import os
import shutil

from etpicker_plugin.engine.doctor.finding import BAD, OK, WARNING, Finding, of_error
from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.relion.find import (
    HOMES,
    INSTALL_HINT,
    PROGRAM,
    find_relion,
)

LIMIT_S = 20.0
PROGRAMS = (
    "relion_refine",
    "relion_refine_mpi",
    "relion_reconstruct",
    "relion_mask_create",
    "relion_postprocess",
)
"""What averaging and the verdict call."""


def check_relion() -> list[Finding]:
    """Find the RELION that averages, as the commands do that call it."""
    named = any(os.environ.get(variable, "").strip() for variable in HOMES)
    if not named and shutil.which(PROGRAM) is None:
        what = f"there is no {PROGRAM} on the PATH; averaging and the verdict need it"
        return [Finding("RELION", WARNING, what, INSTALL_HINT)]
    try:
        relion = find_relion(timeout_s=LIMIT_S)
        for program in PROGRAMS:
            relion.program(program)
    except ExternalProgramError as error:
        return [of_error("RELION", BAD, error)]
    return [Finding("RELION", OK, f"{relion.version} in {relion.folder}")]
