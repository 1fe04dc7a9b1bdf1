"""A share of a list, so that several processes work on it without talking."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from etpicker_plugin.engine.config.checks import require
from etpicker_plugin.engine.errors import ConfigError

SLURM = "slurm"
SLURM_ARRAY = tuple(
    f"SLURM_ARRAY_TASK_{key}" for key in ("ID", "MIN", "MAX", "STEP", "COUNT")
)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Part:
    """The ``number``-th, from 1, of ``total`` parts."""

    number: int
    total: int

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"

    def take(self, items: Sequence[Item]) -> tuple[Item, ...]:
        """Return this part's items: every ``total``-th, so that sizes mix."""
        return tuple(items[self.number - 1 :: self.total])


def read_part(text: str, environment: Mapping[str, str] = os.environ) -> Part:
    """Read ``K/N``, ``slurm`` (the array task that runs this), or nothing: all.

    Raises
    ------
    ConfigError
        If it is none of these, or SLURM's array has gaps or is not there.
    """
    if text == SLURM:
        return _slurm_part(environment)
    if not text:
        return Part(1, 1)
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if match is None:
        raise ConfigError(
            f"--part: got '{text}', expected K/N (2/8 is the second of eight parts) or "
            f"'{SLURM}'."
        )
    part = Part(int(match[1]), int(match[2]))
    require(
        1 <= part.number <= part.total,
        f"--part: got {text}, expected a part from 1/{part.total} to "
        f"{part.total}/{part.total}.",
    )
    return part


def _slurm_part(environment: Mapping[str, str]) -> Part:
    """Return the part of a task in a regular array (0-7, 1-8, 0-14:2).

    Of an array with gaps (1,3,7) a task cannot know its place: it sees least, greatest
    and number.
    """
    values = [environment.get(key, "") for key in SLURM_ARRAY]
    if not all(re.fullmatch(r"\d+", value) for value in values):
        raise ConfigError(
            f"--part {SLURM}: this is no task of a SLURM array "
            f"({SLURM_ARRAY[0]} and its like are not set). Submit it with "
            "sbatch --array=1-8, or give --part K/N."
        )
    task, least, greatest, step, total = map(int, values)
    # SLURM gives an array of one task the step 0 or 1.
    step = max(step, 1)
    require(
        greatest - least == (total - 1) * step,
        f"--part {SLURM}: the array has gaps ({total} tasks from {least} to "
        f"{greatest}), so that a task does not know its place. Submit a whole range, "
        "as --array=1-8 (what is finished is not redone), or give --part K/N.",
    )
    return Part((task - least) // step + 1, total)
