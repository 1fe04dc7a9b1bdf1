"""Which of RELION's files are whole: after a kill, or where the disk ran full.

RELION does not look whether what it writes arrives, and ends as if all were well.
"""

from __future__ import annotations

import struct
from pathlib import Path

HEADER_BYTES = 1024
EXTENDED_AT = 92
"""Offset of the length of an MRC file's extended header."""
VALUE_BYTES = {0: 1, 1: 2, 2: 4, 6: 2, 12: 2}
"""Of a voxel, by MRC's mode."""


HALVES = {"half1_", "half2_"}


def is_whole_iteration(optimiser: Path) -> bool:
    """Tell whether all that an iteration is continued from is there to its end.

    Before the first one RELION writes files too, but from these it cannot go on. Its
    maps are class001.mrc …, and 2D averages one stack, classes.mrcs.
    """
    root = optimiser.name[: -len("optimiser.star")]
    tables = [optimiser.with_name(f"{root}{n}.star") for n in ("data", "sampling")]
    models = _by_half(optimiser.parent, root, "model.star")
    maps = _by_half(optimiser.parent, root, "class*.mrc*")
    return (
        set(models.values()) in ({""}, HALVES)
        and set(maps.values()) == set(models.values())
        and all(map(is_whole_star, (optimiser, *tables, *models)))
        and all(map(is_whole_map, maps))
    )


def _by_half(folder: Path, root: str, end: str) -> dict[Path, str]:
    """Return an iteration's files of a kind, and of which half each is, if of one."""
    return {
        path: half
        for half in ("", *sorted(HALVES))
        for path in folder.glob(f"{root}{half}{end}")
    }


def is_whole_star(path: Path) -> bool:
    """Tell whether a table that RELION writes ends as it does: with an empty line."""
    try:
        end = path.read_bytes()[-4:]
    except OSError:
        return False
    return end.replace(b" ", b"").endswith(b"\n\n")


def is_whole_map(path: Path) -> bool:
    """Tell whether an MRC file is as long as its header says."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            header = stream.read(HEADER_BYTES)
        *shape, mode = struct.unpack_from("<4i", header)
        (extended,) = struct.unpack_from("<i", header, EXTENDED_AT)
    except (OSError, struct.error):
        return False
    x, y, z = shape
    wanted = HEADER_BYTES + extended + x * y * z * VALUE_BYTES.get(mode, 4)
    return min(shape) > 0 and size >= wanted
