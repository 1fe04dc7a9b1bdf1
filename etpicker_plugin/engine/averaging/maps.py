"""The maps that an averaging run leaves: copies, mask, FSC, local resolution."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.averaging.inputs import refuse_other_axes
from etpicker_plugin.engine.averaging.job import Job
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.relion.plans import (
    Search,
    local_resolution,
    mask_create,
    postprocess,
)
from etpicker_plugin.engine.relion.read import PostProcess, read_postprocess
from etpicker_plugin.engine.volumes.tomogram import (
    copy_map,
    read_map,
    read_whole,
    write_volume,
)

logger = logging.getLogger(__name__)

MASK_LOWPASS_DIAMETERS = 1 / 6
HISTOGRAM_BINS = 256
LEAST_MASK_SHARE, MOST_MASK_SHARE = 0.03, 0.9
RANDOMISE_FROM = 2.0
"""Local resolution: phases are random from this many times the resolution on."""


def find_threshold(
    volume: NDArray[np.floating], *, radius_vox: float
) -> tuple[float, float]:
    """Return the grey value that best parts particle from solvent, by Otsu's method.

    Otsu (1979), IEEE Trans. Syst. Man Cybern. 9, 62: the variance between the two
    parts of the histogram is greatest there.

    Parameters
    ----------
    volume
        ``(N, N, N)``, particle bright.
    radius_vox
        Only voxels within that sphere are looked at.

    Returns
    -------
    threshold, share
        The grey value, and the share of the sphere's voxels above it.
    """
    steps = np.arange(volume.shape[0]) - volume.shape[0] // 2
    r2 = steps[:, None, None] ** 2 + steps[:, None] ** 2 + steps**2
    values = volume[r2 <= radius_vox**2].astype(np.float64)
    counts, edges = np.histogram(values, HISTOGRAM_BINS)
    centres = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)[:-1]
    above = len(values) - below
    mass = np.cumsum(counts * centres)
    mean_below = mass[:-1] / np.maximum(below, 1)
    mean_above = (mass[-1] - mass[:-1]) / np.maximum(above, 1)
    best = int(np.argmax(below * above * (mean_above - mean_below) ** 2))
    threshold = float(edges[best + 1])
    return threshold, float((values > threshold).mean())


def make_mask(job: Job, volume: str, *, search: Search, voxel_size: float) -> str:
    """Make mask.mrc around a map; a soft sphere where the map shows no body."""
    path = job.folder / volume
    data = np.asarray(read_whole(read_map(path, voxel_size)), dtype=np.float32)
    radius = search.diameter_ang / voxel_size / 2
    threshold, share = find_threshold(data, radius_vox=radius)
    if LEAST_MASK_SHARE <= share <= MOST_MASK_SHARE:
        lowpass = max(search.diameter_ang * MASK_LOWPASS_DIAMETERS, 2.5 * voxel_size)
        plan = mask_create(
            volume,
            "mask.mrc",
            voxel_size=voxel_size,
            threshold=threshold,
            lowpass_ang=lowpass,
            is_helix=search.priors is not None and search.priors.helix is not None,
        )
        job.run("mask", plan)
        return "mask.mrc"
    logger.warning(
        "The average shows no body to put a mask around (%.1f %% of the sphere are "
        "above its threshold): the mask is a sphere.",
        100 * share,
    )
    sphere = soft_sphere(data.shape[0], radius_vox=radius)
    with write_whole(job.folder / "mask.mrc") as temporary:
        write_volume(temporary, sphere, voxel_size)
    return "mask.mrc"


def soft_sphere(
    box: int, *, radius_vox: float, edge_vox: float = 3.0
) -> NDArray[np.float32]:
    """Return ``(box, box, box)``: 1 within a sphere, 0 outside, a cosine edge."""
    steps = np.arange(box) - box // 2
    radius = np.sqrt(steps[:, None, None] ** 2 + steps[:, None] ** 2 + steps**2)
    way = np.clip((radius - radius_vox) / edge_vox, 0, 1)
    return (0.5 + 0.5 * np.cos(np.pi * way)).astype(np.float32)


def check_mask(path: str, *, box: int, voxel_size: float) -> None:
    """Refuse a mask of another grid, or with values beyond 0 to 1.

    Raises
    ------
    InputDataError
        If it does not fit.
    """
    mask = read_map(path, voxel_size)
    refuse_other_axes(mask, f"Mask {path}")
    data = np.asarray(read_whole(mask), dtype=np.float32)
    if mask.shape_zyx != (box,) * 3:
        raise InputDataError(
            f"Mask {path}: size {mask.shape_zyx}, but the boxes have {(box,) * 3}. "
            "Make it on a map of these boxes."
        )
    if data.min() < -1e-4 or data.max() > 1 + 1e-4 or data.max() <= 0:
        raise InputDataError(
            f"Mask {path}: values {data.min():g} to {data.max():g}, expected 0 to 1."
        )


def measure_fsc(job: Job, half: str, *, mask: str, voxel_size: float) -> PostProcess:
    """Run the post-processing of two halves; leave average.mrc, fsc.csv, fsc.json."""
    (job.folder / "postprocess").mkdir(exist_ok=True)
    plan = postprocess(half, "postprocess/post", mask=mask, voxel_size=voxel_size)
    job.run("postprocess", plan)
    result = read_postprocess(job.folder / "postprocess" / "post.star")
    post = job.folder / "postprocess" / "post.mrc"
    copy_map(post, job.folder / "average.mrc", voxel_size)
    write_fsc(result, job.folder, voxel_size=voxel_size)
    return result


def is_at_nyquist(result: PostProcess, voxel_size: float) -> bool:
    """Tell whether the FSC never falls below 0.143: the voxels are the limit."""
    return result.resolution_ang <= 2 * voxel_size * 1.02


def write_fsc(result: PostProcess, folder: Path, *, voxel_size: float) -> None:
    """Write the curve as CSV and JSON; an infinite resolution is empty, or null."""
    table = result.fsc.replace([np.inf, -np.inf], np.nan)
    table.insert(0, "frequency_per_ang", (1 / table["resolution_ang"]).fillna(0.0))
    with write_whole(folder / "fsc.csv") as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")
    columns = {
        name: [None if np.isnan(v) else float(v) for v in values]
        for name, values in table.items()
    }
    record = {
        "resolution_ang": result.resolution_ang,
        "criterion": 0.143,
        "at_nyquist": is_at_nyquist(result, voxel_size),
        "voxel_size_ang": voxel_size,
        "curve": columns,
    }
    with write_whole(folder / "fsc.json") as temporary:
        temporary.write_text(
            json.dumps(record, indent=1, allow_nan=False), encoding="utf-8"
        )


def map_local_resolution(
    job: Job, half: str, *, mask: str, voxel_size: float, result: PostProcess
) -> None:
    """Write local_resolution.mrc, Å in each voxel of the mask and 0 outside."""
    (job.folder / "local_resolution").mkdir(exist_ok=True)
    plan = local_resolution(
        half,
        "local_resolution/run",
        mask=mask,
        voxel_size=voxel_size,
        sampling_ang=3 * voxel_size,
        randomize_at_ang=RANDOMISE_FROM * result.resolution_ang,
    )
    job.run("local_resolution", plan)
    made = job.folder / "local_resolution" / "run_locres.mrc"
    copy_map(made, job.folder / "local_resolution.mrc", voxel_size)
