"""The steps of one averaging run: each is run once, and what is done is not redone."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.relion.find import Relion
from etpicker_plugin.engine.relion.plans import (
    RelionCommand,
    Search,
    continue_run,
)
from etpicker_plugin.engine.relion.run import command_words, run_relion
from etpicker_plugin.engine.relion.whole import is_whole_iteration

logger = logging.getLogger(__name__)

ITERATION = re.compile(r"_it(\d+)_optimiser\.star$")


@dataclass(frozen=True)
class Job:
    """Where RELION runs, with what, and what it ran.

    Attributes
    ----------
    folder
        Working folder of every command; paths in commands count from it.
    mpi
        Words that start an MPI program.
    commands
        Every command so far, as words, to be shown and repeated.
    """

    relion: Relion
    mpi: list[str]
    folder: Path
    on_progress: Progress
    commands: list[list[str]] = field(default_factory=list)

    def run(
        self,
        name: str,
        command: RelionCommand,
        *,
        on_poll: Callable[[], None] | None = None,
    ) -> None:
        """Run a step, unless it was done before.

        Raises
        ------
        ExternalProgramError
            If it fails.
        """
        self.commands.append(command_words(command, self.relion, mpi=self.mpi))
        done = self.folder / "logs" / f"{name}.done"
        if done.is_file():
            logger.info("%s is done already.", name)
            return
        run_relion(
            command,
            self.relion,
            folder=self.folder,
            log=self.folder / "logs" / f"{name}.log",
            mpi=self.mpi,
            on_poll=on_poll,
        )
        done.touch()

    def run_iterations(
        self,
        name: str,
        command: RelionCommand,
        *,
        root: str,
        search: Search,
        total: int,
        refining: bool = False,
    ) -> None:
        """Run a step of iterations; go on from the last one of a stopped run.

        Parameters
        ----------
        root
            Beginning of the step's files, from the working folder.
        total
            Number of iterations; of a refinement, the most.
        """
        last = latest_optimiser(self.folder, root)
        done = self.folder / "logs" / f"{name}.done"
        if last is not None and not done.is_file():
            number = iteration_of(last)
            logger.info("%s goes on from iteration %d.", name, number)
            command = continue_run(
                str(last.relative_to(self.folder)),
                f"{root}_ct{number}",
                search=search,
                max_refinement=total if refining else None,
            )
            if number >= total:
                done.touch()
        self.run(name, command, on_poll=self._report(name, root, total))

    def _report(self, name: str, root: str, total: int) -> Callable[[], None]:
        seen = -1

        def report() -> None:
            nonlocal seen
            last = latest_optimiser(self.folder, root)
            number = iteration_of(last) if last else 0
            if number != seen:
                seen = number
                self.on_progress(ProgressEvent(name, min(number, total), total))

        return report


def latest_optimiser(folder: Path, root: str) -> Path | None:
    """Return the ``optimiser.star`` of the last iteration that is whole, if any."""
    parent = (folder / root).parent
    found = [
        path
        for path in parent.glob(f"{Path(root).name}*_optimiser.star")
        if ITERATION.search(path.name)
    ]
    latest_first = sorted(found, key=iteration_of, reverse=True)
    return next(filter(is_whole_iteration, latest_first), None)


def iteration_of(optimiser: Path) -> int:
    """Return the number of the iteration that a file is of."""
    found = ITERATION.search(optimiser.name)
    return int(found.group(1)) if found else 0


def iteration_file(optimiser: Path, kind: str) -> Path:
    """Return another file of the same iteration: ``data.star``, ``class001.mrc``."""
    return optimiser.with_name(optimiser.name.replace("optimiser.star", kind))
