"""Ten thousand damaged files: no traceback, no hang, no value that nobody wrote.

The suite draws the same ones every time. ``FUZZ_SECONDS`` goes on for so long with new
ones (``make fuzz``), drawn from ``FUZZ_SEED``; the message of a failure names the seed
that draws its input alone.
"""

import os
import random
import signal
import time
import warnings

import pytest

from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.tests.support.fuzz_targets import TARGETS

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
SEED = int(os.environ.get("FUZZ_SEED", str(time.time_ns() if SECONDS else 0)))
LONGEST_S = 5
"""Of the processor's time: other programs may take it away."""
LEAST_INPUTS = 10_000
MOST_SHOWN = 5


class HangError(Exception):
    """A reader took too long."""


@pytest.fixture(autouse=True)
def alarm():
    def stop(*_):
        raise HangError(f"more than {LONGEST_S} s")

    before = signal.signal(signal.SIGPROF, stop)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


def test_there_are_enough_inputs():
    assert sum(target.count for target in TARGETS) >= LEAST_INPUTS


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_damaged_files(target, tmp_path):
    folder = tmp_path / "sound"
    folder.mkdir()
    path = target.make(folder)
    data, before = path.read_bytes(), target.read(path)
    faults, tried = {}, 0
    end = time.monotonic() + SECONDS / len(TARGETS)
    while tried < target.count or time.monotonic() < end:
        seed = f"{SEED}-{target.name}-{tried}"
        words = fault_of(target, path, data, before, seed)
        path.write_bytes(data)
        if words:
            faults.setdefault(words.split("\n")[0][:80], f"{seed}: {words}")
        tried += 1

    shown = "\n".join(list(faults.values())[:MOST_SHOWN])
    assert not faults, f"{len(faults)} kinds of fault in {tried} inputs:\n{shown}"


def fault_of(target, path, data, before, seed):
    """Return what is wrong with how one damaged file is read, or nothing."""
    damaged = target.damage(data, random.Random(seed))
    path.write_bytes(damaged)
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            after = target.read(path)
    except EtPickerError as error:
        return "" if str(error) else "an error without a word"
    except Exception as error:  # noqa: BLE001 that is what is looked for
        return f"{type(error).__name__}: {error}"[:600]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return target.wrong(before, after, data, damaged)
