"""3D classification: a map and a table for each class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from etpicker_plugin.engine.averaging.job import (
    Job,
    iteration_file,
    latest_optimiser,
)
from etpicker_plugin.engine.config.average import AverageConfig
from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.relion.plans import Search, class3d
from etpicker_plugin.engine.relion.read import read_tables
from etpicker_plugin.engine.volumes.tomogram import copy_map

ITERATIONS = 10
ROOT = "classify/run"


@dataclass(frozen=True)
class ClassAverage:
    """One class: its map's file, its share of the boxes, RELION's resolution (Å).

    That resolution comes from the reference's own signal-to-noise ratio, not from
    independent halves: it says which class is better, not how good one is. It is
    ``None`` where RELION has none, as of a class that has lost its boxes.
    """

    number: int
    file: str
    share: float
    resolution_ang: float | None


def classify(
    job: Job,
    reference: str,
    *,
    config: AverageConfig,
    search: Search,
    voxel_size: float,
) -> tuple[str, list[ClassAverage]]:
    """Classify with alignment; write class001.mrc …

    Returns
    -------
    table, classes
        The last iteration's ``data.star``, from the job's folder, and its classes.
    """
    (job.folder / ROOT).parent.mkdir(exist_ok=True)
    total = config.iterations or ITERATIONS
    plan = class3d(
        "input.star",
        ROOT,
        reference=reference,
        search=search,
        classes=config.classes,
        iterations=total,
        tau2_fudge=config.tau2_fudge,
    )
    job.run_iterations("classify", plan, root=ROOT, search=search, total=total)
    last = latest_optimiser(job.folder, ROOT)
    if last is None:
        raise ExternalProgramError(
            f"The classification left no iteration in {job.folder / ROOT}. Its log: "
            f"{job.folder / 'logs' / 'classify.log'}"
        )
    classes = read_classes(iteration_file(last, "model.star"))
    for item in classes:
        source = iteration_file(last, f"class{item.number:03d}.mrc")
        copy_map(source, job.folder / item.file, voxel_size)
    return str(iteration_file(last, "data.star").relative_to(job.folder)), classes


def read_classes(model: Path) -> list[ClassAverage]:
    """Return the classes of a ``model.star``."""
    table = read_tables(model)["model_classes"]
    table = table if isinstance(table, pd.DataFrame) else pd.DataFrame([table])
    return [
        ClassAverage(
            number=number,
            file=f"class{number:03d}.mrc",
            share=float(row["rlnClassDistribution"]),
            resolution_ang=_finite(float(row["rlnEstimatedResolution"])),
        )
        for number, row in enumerate(table.to_dict("records"), 1)
    ]


def _finite(resolution_ang: float) -> float | None:
    """Return a resolution; ``None`` for the inf that RELION writes for none."""
    return resolution_ang if math.isfinite(resolution_ang) else None
