"""What RELION found for every box: likelihood, ratio, orientation and shift."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.relion.poses import ANGLES, rotation_of
from etpicker_plugin.engine.relion.read import IMAGE, read_particles, read_tables
from etpicker_plugin.engine.verdict.alignment.joint import BOXES, JointRun
from etpicker_plugin.engine.verdict.alignment.likelihood import (
    Noise,
    null_log_likelihood,
    translate_whole,
)
from etpicker_plugin.engine.verdict.places.cutting import read_box

ORIGINS_ZYX = ["rlnOriginZAngst", "rlnOriginYAngst", "rlnOriginXAngst"]
LIKELIHOOD = "rlnLogLikeliContribution"
BEST_PROBABILITY = "rlnMaxValueProbDistribution"
GROUPS = ("model_group_", "model_optics_group_")
"""Tables of noise spectra: per tomogram in RELION 3.1, per optics group since."""


@dataclass(frozen=True, kw_only=True)
class AlignedBoxes:
    """One row for each candidate, in their order.

    Attributes
    ----------
    log_likelihood, ratio
        ``(N,)``: RELION's contribution, and less that of noise alone.
    best_probability
        ``(N,)``: of the most probable orientation and shift.
    matrices
        ``(N, 3, 3)`` (see ``alignment``).
    origins_vox
        ``(N, 3)`` zyx, box voxels.
    current_size
        Fourier voxels compared, edge.
    """

    log_likelihood: FloatArray
    ratio: FloatArray
    best_probability: FloatArray
    matrices: FloatArray
    origins_vox: FloatArray
    current_size: int


def read_alignment(run: JointRun, iteration: int) -> AlignedBoxes:
    """Read the last iteration and compute every box's ratio.

    The likelihood of iteration i was computed with the noise of iteration i - 1, on
    boxes moved by the shifts of iteration i - 1.

    Raises
    ------
    ExternalProgramError
        If RELION left no likelihoods.
    """
    table = _sorted_particles(run.data_star(iteration))
    former = _sorted_particles(run.data_star(iteration - 1))
    noise = {h: _read_noise(run, iteration, h) for h in (1, 2)}
    voxel_size = run.geometry.box_voxel_size
    null = [
        null_log_likelihood(
            translate_whole(
                read_box(run.folder / BOXES, row), former_origin / voxel_size
            ),
            noise=_noise_of(noise[half], group),
            radius_vox=run.geometry.radius_vox,
        )
        for row, (former_origin, half, group) in enumerate(
            zip(
                former[ORIGINS_ZYX].to_numpy(float),
                table["rlnRandomSubset"],
                _group_numbers(table),
                strict=True,
            )
        )
    ]
    likelihood = table[LIKELIHOOD].to_numpy(float)
    return AlignedBoxes(
        log_likelihood=likelihood,
        ratio=likelihood - np.array(null),
        best_probability=table[BEST_PROBABILITY].to_numpy(float),
        matrices=rotation_of(table[list(ANGLES)].to_numpy(float)),
        origins_vox=table[ORIGINS_ZYX].to_numpy(float) / voxel_size,
        current_size=next(iter(noise[1].values())).current_size,
    )


def _sorted_particles(path: Path) -> pd.DataFrame:
    """Return the rows in the candidates' order: RELION sorts them by tomogram."""
    table, _ = read_particles(path)
    missing = {LIKELIHOOD, BEST_PROBABILITY, *ORIGINS_ZYX} - set(table.columns)
    if missing:
        raise ExternalProgramError(
            f"{path} has no {', '.join(sorted(missing))}: this RELION does not write "
            "what a verdict needs. Use RELION 3.1 to 5."
        )
    return table.sort_values(IMAGE).reset_index(drop=True)


def _group_numbers(table: pd.DataFrame) -> NDArray[np.intp]:
    return np.asarray(table["rlnGroupNumber"].to_numpy(int), dtype=np.intp)


def _read_noise(run: JointRun, iteration: int, half: int) -> dict[int, Noise]:
    """Return a half set's noise by group; 0 is for a group that is not listed."""
    general: Mapping[str, Any] = read_tables(run.model_star(iteration, half))[
        "model_general"
    ]
    size = int(general["rlnCurrentImageSize"])
    tables = read_tables(run.model_star(iteration - 1, half))
    found: dict[int, Noise] = {}
    for name, frame in tables.items():
        prefix = next((p for p in GROUPS if name.startswith(p)), None)
        if prefix is not None:
            sigma2 = frame["rlnSigma2Noise"].to_numpy(float)
            found[int(name[len(prefix) :])] = Noise(sigma2=sigma2, current_size=size)
    if not found:
        raise ExternalProgramError(
            f"{run.model_star(iteration - 1, half)} has no noise spectra "
            "(rlnSigma2Noise). Use RELION 3.1 to 5."
        )
    return found


def _noise_of(noise: dict[int, Noise], group: int) -> Noise:
    """Return a group's noise; RELION 5 has one for all groups of an optics group."""
    return noise.get(int(group), next(iter(noise.values())))
