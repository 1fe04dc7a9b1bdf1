"""One joint 2D classification of all sets and the control, by RELION."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from etpicker_plugin.engine.averaging.job import (
    Job,
    iteration_file,
    latest_optimiser,
)
from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.geometry import reverse_axes
from etpicker_plugin.engine.names import star_word
from etpicker_plugin.engine.relion.class2d import class2d
from etpicker_plugin.engine.relion.plans import Search
from etpicker_plugin.engine.relion.read import IMAGE, read_particles, read_tables
from etpicker_plugin.engine.subtomograms.star import write_tables
from etpicker_plugin.engine.verdict.flat.classes import ModelClass
from etpicker_plugin.engine.verdict.flat.stacks import Images, image_names, read_stack
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry

BOXES = "boxes"
STAR = "particles.star"
ROOT = "classes/run"
STEP = "classify"
UNKNOWN = 999.0
"""What RELION writes for an accuracy that it has not."""


@dataclass(frozen=True, kw_only=True)
class Classification:
    """What RELION made of all boxes.

    Attributes
    ----------
    classes
        ``(N,)`` the class of every candidate, from 0, in the candidates' order.
    probability
        ``(N,)`` of its best class, rotation and shift.
    models, averages
        Every class's numbers, and its average ``(K, B, B)``.
    """

    classes: IndexArray
    probability: np.ndarray[Any, np.dtype[np.float64]]
    models: list[ModelClass]
    averages: Images
    iteration: int


def choose_classes(n_boxes: int) -> int:
    """Return how many classes: one for each 60 boxes, 5 to 20.

    A class needs ten to twenty picks to be told from chance, and junk wants classes of
    its own.
    """
    return int(np.clip(n_boxes // 60, 5, 20))


def write_inputs(folder: Path, candidates: Candidates, geometry: BoxGeometry) -> None:
    """Write the table of boxes for RELION.

    They are one group, or each micrograph would have noise of its own, of a box or two.
    """
    optics = pd.DataFrame(
        {
            "rlnOpticsGroupName": ["opticsGroup1"],
            "rlnOpticsGroup": [1],
            "rlnSphericalAberration": [2.7],
            "rlnVoltage": [300.0],
            "rlnImagePixelSize": [geometry.box_voxel_size],
            "rlnImageSize": [geometry.box],
            "rlnImageDimensionality": [2],
        }
    )
    x, y, _ = reverse_axes(candidates.positions_zyx).T
    names = [f"{star_word(t)}.mrc" for t in candidates.tomogram_ids]
    particles = pd.DataFrame(
        {
            "rlnMicrographName": names,
            "rlnCoordinateX": x,
            "rlnCoordinateY": y,
            "rlnGroupName": np.full(len(candidates), "all", dtype=object),
            IMAGE: image_names(candidates, BOXES),
            "rlnOpticsGroup": np.ones(len(candidates), dtype=int),
        }
    )
    write_tables({"optics": optics, "particles": particles}, folder / STAR)


def classify(
    job: Job,
    candidates: Candidates,
    *,
    geometry: BoxGeometry,
    classes: int,
    iterations: int,
    threads: int,
    seed: int,
) -> Classification:
    """Classify all boxes, or what is left to do of it.

    Raises
    ------
    ExternalProgramError
        If RELION fails.
    """
    (job.folder / ROOT).parent.mkdir(exist_ok=True)
    search = Search(
        diameter_ang=geometry.diameter_ang,
        initial_lowpass_ang=geometry.diameter_ang / 2,
        offset_range_vox=geometry.search_ang / geometry.box_voxel_size,
        offset_step_vox=geometry.search_step_vox,
        threads=threads,
        seed=seed + 1,
    )
    command = class2d(STAR, ROOT, search=search, classes=classes, iterations=iterations)
    job.run_iterations(STEP, command, root=ROOT, search=search, total=iterations)
    last = latest_optimiser(job.folder, ROOT)
    if last is None:
        raise ExternalProgramError(
            f"The classification left no iteration in {job.folder / ROOT}. Its log: "
            f"{job.folder / 'logs'}"
        )
    return read_classification(last, candidates, iterations)


def read_classification(
    optimiser: Path, candidates: Candidates, iteration: int
) -> Classification:
    """Read an iteration; RELION sorts its rows by micrograph, so by image name.

    Raises
    ------
    ExternalProgramError
        If boxes are missing in it.
    """
    path = iteration_file(optimiser, "data.star")
    table = read_particles(path)[0].set_index(IMAGE)
    names = image_names(candidates, BOXES)
    if set(names) - set(table.index):
        raise ExternalProgramError(
            f"{path} lacks some of the boxes that were classified. Remove the output "
            "folder and repeat the command."
        )
    rows = table.loc[names]
    return Classification(
        classes=rows["rlnClassNumber"].to_numpy(int) - 1,
        probability=rows["rlnMaxValueProbDistribution"].to_numpy(float),
        models=read_models(iteration_file(optimiser, "model.star")),
        averages=read_stack(iteration_file(optimiser, "classes.mrcs")),
        iteration=iteration,
    )


def read_models(path: Path) -> list[ModelClass]:
    """Return the classes of a ``model.star``."""
    table = read_tables(path)["model_classes"]
    table = table if isinstance(table, pd.DataFrame) else pd.DataFrame([table])
    return [
        ModelClass(
            share=float(row["rlnClassDistribution"]),
            resolution_ang=_known(row["rlnEstimatedResolution"], math.inf),
            accuracy_deg=_known(row["rlnAccuracyRotations"], UNKNOWN),
            accuracy_ang=_known(row["rlnAccuracyTranslationsAngst"], UNKNOWN),
        )
        for row in table.to_dict("records")
    ]


def _known(value: Any, unknown: float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) and number < unknown else None
