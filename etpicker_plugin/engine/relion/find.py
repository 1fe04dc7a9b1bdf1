"""Which RELION runs: where it is, and whether it is new enough."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from etpicker_plugin.engine.errors import ExternalProgramError

HOMES = ("ETPICKER_RELION_HOME", "RELION_HOME")
"""Variables that name a folder with ``bin/relion_refine``, the first one first."""

PROGRAM = "relion_refine"
OLDEST = (3, 1)
VERSION_TIMEOUT_S = 60.0
INSTALL_HINT = (
    "Install RELION 3.1 or later (Debian and Ubuntu: apt-get install relion "
    "openmpi-bin; or Scipion's plugin scipion-em-relion), or name its folder in "
    "ETPICKER_RELION_HOME."
)


@dataclass(frozen=True)
class Relion:
    """An installed RELION: the folder of its programs, and its version."""

    folder: Path
    version: str

    def program(self, name: str) -> Path:
        """Return a program's file.

        Raises
        ------
        ExternalProgramError
            If this RELION has none of that name.
        """
        path = self.folder / name
        if not os.access(path, os.X_OK):
            raise ExternalProgramError(
                f"RELION {self.version} in {self.folder} has no program {name}: the "
                f"installation is not complete. {INSTALL_HINT}"
            )
        return path


def find_relion(
    environment: Mapping[str, str] | None = None,
    *,
    timeout_s: float = VERSION_TIMEOUT_S,
) -> Relion:
    """Return the RELION of ETPICKER_RELION_HOME, else RELION_HOME, else the PATH.

    Raises
    ------
    ExternalProgramError
        If there is none, it does not start, or it is too old.
    """
    environment = os.environ if environment is None else environment
    folder = find_folder(environment)
    version = ask_version(folder / PROGRAM, timeout_s=timeout_s)
    if parse_version(version) < OLDEST:
        raise ExternalProgramError(
            f"RELION in {folder} is version {version}; expected 3.1 or later. "
            f"{INSTALL_HINT}"
        )
    return Relion(folder=folder, version=version)


def find_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of RELION's programs.

    Raises
    ------
    ExternalProgramError
        If there is none; a home that is named and holds none is not passed over.
    """
    for variable in HOMES:
        home = environment.get(variable, "").strip()
        if not home:
            continue
        for folder in (Path(home) / "bin", Path(home)):
            if os.access(folder / PROGRAM, os.X_OK):
                return folder
        raise ExternalProgramError(
            f"{variable} is {home}, but there is no {PROGRAM} in it or its bin. "
            "Correct the variable, or remove it to take the RELION on the PATH."
        )
    found = shutil.which(PROGRAM, path=environment.get("PATH", ""))
    if found is None:
        raise ExternalProgramError(
            f"RELION was not found: no {PROGRAM} on the PATH, and neither "
            f"{' nor '.join(HOMES)} is set. {INSTALL_HINT}"
        )
    return Path(found).parent


def ask_version(program: Path, *, timeout_s: float = VERSION_TIMEOUT_S) -> str:
    """Return the version a program says it is, ``3.1.3`` or ``5.0.1-commit-...``.

    Raises
    ------
    ExternalProgramError
        If it does not start, or says no version.
    """
    try:
        done = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExternalProgramError(
            f"{program} does not start: {error}. {INSTALL_HINT}"
        ) from error
    said = done.stdout + done.stderr
    missing = re.search(r"loading shared libraries: ([^\s:]+)", said)
    if missing is not None:
        raise ExternalProgramError(
            f"{program} does not start: it needs the library {missing.group(1)}, which "
            f"is not found ('ldd {program}' lists all that are missing). Install what "
            "holds it, load the modules that this RELION was built with, or add the "
            "library's folder to LD_LIBRARY_PATH."
        )
    found = re.search(r"RELION version:\s*(\S+)", said)
    if found is None:
        raise ExternalProgramError(
            f"{program} --version says no version but: {said.strip()[-300:] or '-'} "
            f"(exit code {done.returncode}). {INSTALL_HINT}"
        )
    return found.group(1)


def parse_version(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: ``3.1.3-commit`` is (3, 1, 3)."""
    found = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found.group().split(".")) if found else (0,)
