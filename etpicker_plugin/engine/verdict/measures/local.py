"""The averages as files, and their local resolution by RELION."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.relion.find import Relion
from etpicker_plugin.engine.relion.plans import local_resolution
from etpicker_plugin.engine.relion.run import run_relion
from etpicker_plugin.engine.verdict.alignment.likelihood import soft_sphere
from etpicker_plugin.engine.verdict.measures.measures import MASK_EDGE_VOX, Average
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry
from etpicker_plugin.engine.volumes.tomogram import (
    read_map,
    read_whole,
    write_volume,
)

logger = logging.getLogger(__name__)

MASK = "mask.mrc"
LOCAL = "local"


def write_averages(
    averages: Mapping[str, Average], folder: Path, *, geometry: BoxGeometry
) -> None:
    """Write every group's average and half maps, named as RELION wants halves."""
    folder.mkdir(exist_ok=True)
    mask = soft_sphere(
        geometry.box, radius_vox=geometry.radius_vox, edge_vox=MASK_EDGE_VOX
    )
    volumes = {MASK: mask.astype(np.float32)}
    for name, average in averages.items():
        stem = name.replace("∩", "_and_").replace(" ", "_")
        volumes[f"{stem}.mrc"] = average.volume
        for number, half in enumerate(average.halves, 1):
            volumes[f"{stem}_half{number}_unfil.mrc"] = half
    for file_name, volume in volumes.items():
        with write_whole(folder / file_name) as temporary:
            write_volume(temporary, volume, geometry.box_voxel_size)


def local_resolutions(
    names: Sequence[str], folder: Path, *, geometry: BoxGeometry, relion: Relion
) -> dict[str, float | None]:
    """Return the median local resolution within the particle of each set, Å.

    A failure is told and leaves ``None``: it takes nothing from the verdict.
    """
    found: dict[str, float | None] = {}
    for name in names:
        try:
            found[name] = _local_resolution(
                name, folder, geometry=geometry, relion=relion
            )
        except ExternalProgramError as error:
            logger.warning("No local resolution of %s. %s", name, error)
            found[name] = None
    return found


def _local_resolution(
    name: str, folder: Path, *, geometry: BoxGeometry, relion: Relion
) -> float | None:
    command = local_resolution(
        f"{name}_half1_unfil.mrc",
        f"{LOCAL}/{name}",
        mask=MASK,
        voxel_size=geometry.box_voxel_size,
        sampling_ang=max(geometry.diameter_ang / 6, 2 * geometry.box_voxel_size),
        randomize_at_ang=geometry.join_ang,
    )
    (folder / LOCAL).mkdir(exist_ok=True)
    run_relion(command, relion, folder=folder, log=folder / "relion.log")
    volume = np.asarray(
        read_whole(read_map(folder / LOCAL / f"{name}_locres.mrc")), dtype=np.float32
    )
    inside = soft_sphere(
        geometry.box, radius_vox=0.8 * geometry.radius_vox, edge_vox=0.01
    )
    values = volume[(inside > 0.5) & (volume > 0)]
    return float(np.median(values)) if len(values) else None
