"""Which of torchrun's processes this is; without torchrun there is one."""

import os


def is_launched() -> bool:
    """Tell whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def rank() -> int:
    """Return this process's number among all."""
    return int(os.environ["RANK"]) if is_launched() else 0


def local_rank() -> int:
    """Return this process's number on its machine, hence that of its GPU."""
    return int(os.environ["LOCAL_RANK"]) if is_launched() else 0


def local_size() -> int:
    """Return the number of processes on this machine."""
    return int(os.environ["LOCAL_WORLD_SIZE"]) if is_launched() else 1
