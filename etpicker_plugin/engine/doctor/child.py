"""Processes with a time limit: what hangs or crashes there does no harm here.

torch may crash on a broken driver, and Qt ends its process where it finds no screen.
So what tries them is a module with a function ``look`` that yields what it finds, as
dictionaries; ``ask`` runs it in a Python of its own, and what it had found before a
crash is kept.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HERE = __name__
ANSWER = (
    # Of this process's paths alone: the working directory may hold a random.py.
    f"import sys; sys.path[:] = sys.argv[1].split({os.pathsep!r}); "
    f"from {HERE} import answer; answer(*sys.argv[2:])"
)
SHOWN_LINES = 3


@dataclass(frozen=True)
class Ended:
    """How a program ended: ``code`` is negative for a signal, None for the limit's."""

    code: int | None
    output: str
    errors: str
    limit_s: float

    def fault(self) -> str:
        """Return what went wrong in words, or nothing."""
        if self.code == 0:
            return ""
        if self.code is None:
            return f"no answer within {self.limit_s:g} s"
        lines = [line.strip() for line in self.errors.splitlines() if line.strip()]
        if self.code < 0:
            crash = f"it was ended by {signal.Signals(-self.code).name}"
            return " ".join((f"{crash}:" if lines else crash, *lines[-SHOWN_LINES:]))
        return lines[-1] if lines else f"exit code {self.code} without a word"


@dataclass(frozen=True)
class Told:
    """What a module's ``look`` found, and how its process ended."""

    values: dict[str, Any]
    ended: Ended


def run(
    words: Sequence[str],
    *,
    limit_s: float,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Run a program, and end it with all its children when its time is over.

    Raises
    ------
    OSError
        If it cannot be started.
    """
    process = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        return Ended(None, output, errors, limit_s)
    except BaseException:  # Ctrl-C does not reach a session of its own.
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return Ended(process.returncode, output, errors, limit_s)


def ask(module: str, *words: str, limit_s: float) -> Told:
    """Return what a module's ``look`` finds in a process of its own."""
    path = os.pathsep.join(sys.path)
    ended = run([sys.executable, "-c", ANSWER, path, module, *words], limit_s=limit_s)
    values: dict[str, Any] = {}
    for line in ended.output.splitlines():
        # Libraries print too.
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            values.update(found if isinstance(found, dict) else {})
    return Told(values, ended)


def answer(module: str, *words: str) -> None:
    """Write down what a module's ``look`` finds, at once: the next thing may crash."""
    for found in importlib.import_module(module).look(*words):
        sys.stdout.write(f"\n{json.dumps(found)}\n")
        sys.stdout.flush()
