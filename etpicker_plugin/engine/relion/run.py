"""Running a RELION program: its log kept, its failure told in its own words."""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from etpicker_plugin.engine.disk import cannot_write
from etpicker_plugin.engine.errors import ExternalProgramError, ResourceError
from etpicker_plugin.engine.relion.find import Relion
from etpicker_plugin.engine.relion.plans import RelionCommand

logger = logging.getLogger(__name__)

POLL_S = 0.2
FULL_BYTES = 2_000_000
"""So little room that RELION failed for want of it: it does not always say so."""
PR_SET_PDEATHSIG = 1
"""Of Linux's prctl: the signal that a process gets when what started it dies."""
END_TIMEOUT_S = 30.0
SHOWN_LINES = 12
MPI_TEST_TIMEOUT_S = 60.0
OPEN_MPI = (
    *("--oversubscribe", "--bind-to", "none"),
    *("--mca", "btl", "self,vader"),
    *("--mca", "btl_vader_single_copy_mechanism", "none"),
    *("--mca", "mpi_yield_when_idle", "1"),
)
"""RELION's leader rank only waits, so more ranks than cores are no harm."""


def run_relion(
    command: RelionCommand,
    relion: Relion,
    *,
    folder: Path,
    log: Path,
    mpi: Sequence[str] = (),
    on_poll: Callable[[], None] | None = None,
) -> None:
    """Run a command in a folder and wait; its output goes to the log.

    Parameters
    ----------
    mpi
        Words that start an MPI program, from ``mpi_words``; with one rank not used.
    on_poll
        Called several times a second while the program runs.

    Raises
    ------
    ExternalProgramError
        If it fails, or does not make its file; with its last lines and the log.
    ResourceError
        If it ends, in whatever way, where the disk is full: its files may be cut short.
    """
    words = command_words(command, relion, mpi=mpi)
    logger.info("%s", shlex.join(words))
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as stream:
        # A stopped program may have left half a line.
        stream.write("\n" if stream.tell() else "")
        stream.write(f"$ {shlex.join(words)}\n")
        stream.flush()
        code = _wait(words, relion, folder, stream.fileno(), on_poll)
    if shutil.disk_usage(folder).free < FULL_BYTES:
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        name = f"What {program_name(command)} of RELION {relion.version} makes"
        raise cannot_write(name, folder / command.makes, full) from full
    if code != 0:
        raise ExternalProgramError(
            f"{program_name(command)} of RELION {relion.version} failed with exit code "
            f"{code}. Its last lines:\n{last_lines(log)}\nThe whole log: {log}"
        )
    if not (folder / command.makes).exists():
        raise ExternalProgramError(
            f"{program_name(command)} of RELION {relion.version} ended, but did not "
            f"write {folder / command.makes}. Its last lines:\n{last_lines(log)}\n"
            f"The whole log: {log}"
        )


def command_words(
    command: RelionCommand, relion: Relion, *, mpi: Sequence[str] = ()
) -> list[str]:
    """Return the words of the process to start."""
    program = str(relion.program(program_name(command)))
    if command.ranks == 1:
        return [program, *command.arguments]
    start = [*(mpi or mpi_words()), "-n", str(command.ranks)]
    return [*start, program, *command.arguments]


def program_name(command: RelionCommand) -> str:
    """Return the program's name; with several ranks its MPI form's."""
    return command.program if command.ranks == 1 else f"{command.program}_mpi"


def mpi_words(given: str = "") -> list[str]:
    """Return the words that start MPI programs, before ``-n RANKS``.

    Without any given, mpirun's; Open MPI's with the flags that containers and
    machines of few cores need.

    Raises
    ------
    ResourceError
        If there is no such program.
    """
    words = shlex.split(given) or ["mpirun"]
    if shutil.which(words[0]) is None:
        raise ResourceError(
            f"Several MPI ranks are asked for, but there is no {words[0]} on the PATH. "
            "Install MPI (Debian and Ubuntu: apt-get install openmpi-bin), or give "
            "the command that starts MPI programs (--mpi-command)."
        )
    if given:
        return words
    said = subprocess.run(
        [words[0], "--version"], capture_output=True, text=True, check=False
    ).stdout
    return [*words, *OPEN_MPI] if "Open MPI" in said else words


def check_mpi(
    mpi: Sequence[str], *, ranks: int, timeout_s: float = MPI_TEST_TIMEOUT_S
) -> None:
    """See that so many ranks start at all, before a long run does not.

    Raises
    ------
    ResourceError
        With what MPI says.
    """
    words = [*mpi, "-n", str(ranks), "true"]
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env=relion_environment(None),
        )
        said, failed = done.stdout + done.stderr, done.returncode != 0
    except subprocess.TimeoutExpired:
        said, failed = f"no answer within {timeout_s:g} s", True
    if failed:
        # MPI says first what is wrong, then at length what slots are.
        shown = "\n".join(clean_lines(said)[:SHOWN_LINES])
        raise ResourceError(
            f"MPI does not start {ranks} processes:\n{shown}\nIt was tried with: "
            f"{shlex.join(words)}. Ask for fewer ranks (a refinement needs 3), get "
            "more slots from the queue, or give another --mpi-command."
        )


def relion_environment(relion: Relion | None) -> dict[str, str]:
    """Return the environment of RELION's processes."""
    environment = {
        **os.environ,
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMP_NUM_THREADS": "1",  # RELION has its own threads, --j.
        # mpirun looks for GPUs through the display, and dies when that closes.
        "HWLOC_COMPONENTS": os.environ.get("HWLOC_COMPONENTS", "-gl"),
    }
    if relion is not None:
        parts = {"PATH": relion.folder, "LD_LIBRARY_PATH": relion.folder.parent / "lib"}
        for name, path in parts.items():
            older = environment.get(name)
            environment[name] = f"{path}{os.pathsep}{older}" if older else str(path)
    return environment


def last_lines(log: Path, count: int = SHOWN_LINES) -> str:
    """Return a log's last lines without progress bars and backtrace."""
    text = log.read_text(encoding="utf-8", errors="replace")
    return "\n".join(clean_lines(text)[-count:])


def clean_lines(text: str) -> list[str]:
    """Return lines that say something: what was drawn over is dropped."""
    text = re.sub(r"=== Backtrace  ===.*?={10,}", "", text, flags=re.DOTALL)
    lines = text.replace("\r\n", "\n").split("\n")
    lines = [line.rsplit("\r", 1)[-1].rstrip() for line in lines]
    return [line for line in lines if line and "~~(,_," not in line]


def _wait(
    words: Sequence[str],
    relion: Relion,
    folder: Path,
    output: int,
    on_poll: Callable[[], None] | None,
) -> int:
    with _stopped_by_sigterm():
        process = subprocess.Popen(
            words,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=relion_environment(relion),
            preexec_fn=_ends_with_parent(),
        )
        try:
            while process.poll() is None:
                time.sleep(POLL_S)
                if on_poll is not None:
                    on_poll()
        finally:
            _end(process)
    return process.returncode


def _ends_with_parent() -> Callable[[], None] | None:
    """Return what lets a process end with this one, even where this one is killed.

    An orphan would write into a run that goes on later. Linux alone can do it.
    """
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def end_with_parent() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # It is dead already.
            os._exit(1)

    return end_with_parent


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program that still runs: stopped by the user, or by an error of ours."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C: an orphan would write into a run that goes on later."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
