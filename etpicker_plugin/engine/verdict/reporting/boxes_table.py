"""boxes.csv: every judged pick with its numbers, for plots and filters of one's own."""

import csv
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.verdict.reporting.result import Verdict

COLUMNS = (
    "tomogram",
    "x",
    "y",
    "z",
    "sets",
    "particle",
    "half",
    "llr",
    "ll",
    "best_probability",
    "shift_ang",
    "voxel_size",
    "thing",
)


def write_boxes_table(verdict: Verdict, path: Path) -> None:
    """Write one row per box; ``sets`` names all that have it, separated by spaces.

    ``thing`` numbers the filament or vesicle that it lies on; of particles it is empty.
    """
    candidates, boxes = verdict.candidates, verdict.boxes
    owners: list[list[str]] = [[] for _ in range(len(candidates))]
    for name, rows in candidates.rows.items():
        for row in rows:
            owners[row].append(name)
    shifts = np.linalg.norm(boxes.origins_vox, axis=1) * verdict.geometry.box_voxel_size
    with (
        write_whole(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row, (z, y, x) in enumerate(candidates.positions_zyx):
            writer.writerow(
                [
                    candidates.tomogram_ids[row],
                    *(f"{value:.3f}" for value in (x, y, z)),
                    " ".join(owners[row]),
                    candidates.particles[row],
                    candidates.half[row],
                    f"{boxes.ratio[row]:.3f}",
                    f"{boxes.log_likelihood[row]:.3f}",
                    f"{boxes.best_probability[row]:.4f}",
                    f"{shifts[row]:.2f}",
                    f"{verdict.geometry.voxel_size:g}",
                    "" if candidates.things is None else candidates.things[row],
                ]
            )
