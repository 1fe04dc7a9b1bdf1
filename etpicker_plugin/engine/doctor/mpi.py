"""MPI: do as many processes start as a refinement needs, and for how many is room."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence

from etpicker_plugin.engine.doctor.child import run
from etpicker_plugin.engine.doctor.finding import BAD, OK, WARNING, Finding, of_error
from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.relion import run as relion

LIMIT_S = 20.0
PROGRAM = "mpirun"
RANKS = 3
"""A refinement has a leader and one process for each half set."""


def check_mpi() -> list[Finding]:
    """Start processes as averaging does."""
    if shutil.which(PROGRAM) is None:
        return [
            Finding(
                "MPI",
                WARNING,
                f"there is no {PROGRAM} on the PATH; RELION's refinements need it",
                "Install MPI (Debian and Ubuntu: apt-get install openmpi-bin), or give "
                "averaging the command that starts MPI programs (--mpi-command).",
            )
        ]
    asked = run([PROGRAM, "--version"], limit_s=LIMIT_S)
    version = (asked.output.strip() or asked.fault()).split("\n")[0]
    try:
        words = relion.mpi_words()
        relion.check_mpi(words, ranks=RANKS, timeout_s=LIMIT_S)
    except ResourceError as error:
        return [of_error("MPI", BAD, error)]
    return [
        Finding("MPI", OK, f"{version}; {RANKS} processes start, {_slots_here(words)}")
    ]


def _slots_here(words: Sequence[str]) -> str:
    """Return in words for how many processes MPI has room here."""
    asking = [*words, "--display-allocation", "-n", "1", "true"]
    environment = relion.relion_environment(None)
    slots = count_slots(run(asking, limit_s=LIMIT_S, environment=environment).output)
    return f"{slots} slots" if slots else f"{PROGRAM} does not tell its slots"


def count_slots(text: str) -> int:
    """Return the slots of all machines in what Open MPI says of its allocation."""
    return sum(int(number) for number in re.findall(r"\bslots=(\d+)", text))
