"""``etpicker doctor``: what works here, and what to do about what does not."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

from etpicker_plugin.engine.config.doctor import DoctorConfig
from etpicker_plugin.engine.doctor.finding import BAD, Finding
from etpicker_plugin.engine.doctor.folder import check_folder
from etpicker_plugin.engine.doctor.installation import check_packages, check_version
from etpicker_plugin.engine.doctor.model import check_model
from etpicker_plugin.engine.doctor.mpi import check_mpi
from etpicker_plugin.engine.doctor.networks import check_torch
from etpicker_plugin.engine.doctor.relion import check_relion
from etpicker_plugin.engine.doctor.scipion import check_scipion
from etpicker_plugin.engine.doctor.screen import check_screen
from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.names import printable
from etpicker_plugin.engine.progress import Progress


def doctor(
    config: DoctorConfig, out_dir: Path | None, *, on_progress: Progress
) -> list[Finding]:
    """Print what each check finds, one line each as it comes, or all as JSON.

    Raises
    ------
    ResourceError
        If anything is bad.
    """
    found: list[Finding] = []
    for name, check in checks(config).items():
        for finding in findings_of(name, check):
            found.append(finding)
            if not config.json:
                sys.stdout.write(printable(finding.line()) + "\n")
                sys.stdout.flush()
    if config.json:
        records = [dataclasses.asdict(finding) for finding in found]
        sys.stdout.write(json.dumps(records, indent=1) + "\n")
        sys.stdout.flush()
    bad = [finding.name for finding in found if finding.state == BAD]
    if bad:
        raise ResourceError(
            f"{len(bad)} of {len(found)} lines are bad: {', '.join(bad)}. What to do "
            "stands in them."
        )
    return found


def checks(config: DoctorConfig) -> dict[str, Callable[[], list[Finding]]]:
    """Return the checks by name, in the order in which they are made."""
    made: dict[str, Callable[[], list[Finding]]] = {
        "etpicker": check_version,
        "packages": check_packages,
        "torch": check_torch,
        "folder": lambda: check_folder(Path(config.folder)),
        "RELION": check_relion,
        "MPI": check_mpi,
        "window": check_screen,
        "Scipion": check_scipion,
    }
    if config.model:
        made["model"] = lambda: check_model(Path(config.model))
    return made


def findings_of(name: str, check: Callable[[], list[Finding]]) -> list[Finding]:
    """Return what a check finds; one that fails itself is a finding too."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001  Whatever it is: the others go on.
        return [
            Finding(
                name,
                BAD,
                f"the check itself failed: {type(error).__name__}: {error}",
                "See whether another line tells why; if none does, please report it.",
            )
        ]
