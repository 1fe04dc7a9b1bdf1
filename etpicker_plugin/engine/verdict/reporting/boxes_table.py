"""boxes.csv: every judged pick with its numbers, for plots and filters of one's own."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.reporting.result import Verdict

COLUMNS = ("tomogram", "x", "y", "z", "sets", "particle", "half")
"""Of every box; then come its numbers, and the voxel size."""


def write_boxes_table(verdict: Verdict, path: Path) -> None:
    """Write one row per box with what the joint refinement found of it.

    Of filaments and vesicles, ``thing`` numbers the one that it lies on.
    """
    boxes, things = verdict.boxes, verdict.candidates.things
    shifts = np.linalg.norm(boxes.origins_vox, axis=1) * verdict.geometry.box_voxel_size
    numbers = {
        "llr": [f"{value:.3f}" for value in boxes.ratio],
        "ll": [f"{value:.3f}" for value in boxes.log_likelihood],
        "best_probability": [f"{value:.4f}" for value in boxes.best_probability],
        "shift_ang": [f"{value:.2f}" for value in shifts],
        **({} if things is None else {"thing": [str(thing) for thing in things]}),
    }
    write_rows(
        path, verdict.candidates, numbers, voxel_size=verdict.geometry.voxel_size
    )


def write_rows(
    path: Path,
    candidates: Candidates,
    numbers: Mapping[str, Sequence[str]],
    *,
    voxel_size: float,
) -> None:
    """Write one row per box; ``sets`` names all that have it, separated by spaces."""
    owners: list[list[str]] = [[] for _ in range(len(candidates))]
    for name, rows in candidates.rows.items():
        for row in rows:
            owners[row].append(name)
    with (
        write_whole(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*COLUMNS, *numbers, "voxel_size"])
        for row, (z, y, x) in enumerate(candidates.positions_zyx):
            writer.writerow(
                [
                    candidates.tomogram_ids[row],
                    *(f"{value:.3f}" for value in (x, y, z)),
                    " ".join(owners[row]),
                    candidates.particles[row],
                    candidates.half[row],
                    *(column[row] for column in numbers.values()),
                    f"{voxel_size:g}",
                ]
            )
