"""The JSON beside a converted file: what it holds, of what, made from what."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.io.atomic import write_whole
from etpicker_plugin.engine.io.particles import Particles

logger = logging.getLogger(__name__)

Item = tuple[Particles, TomogramFrame]

NOT_HELD = {
    "csv": (),
    "txt": ("classes", "scores"),
    "deepetpicker": ("fractions of a voxel", "scores", "class names"),
    "relion3": (),
    "relion4": (),
    "relion5": (),
}
POSITIONS = {
    "csv": "x y z, voxels from 0, voxel i centred at i",
    "txt": "x y z, voxels from 0, voxel i centred at i",
    "deepetpicker": "x y z, whole voxels from 0",
    "relion3": "x y z, voxels of the tomogram from 0",
    "relion4": "x y z, unbinned tilt-series pixels from 0",
    "relion5": "x y z, Å from the tomogram's centre",
}


def sidecar_of(path: Path) -> Path:
    """Return the name of the JSON that describes a converted file."""
    return path.with_name(path.name + ".json")


def write_sidecar(
    items: Sequence[Item],
    path: Path,
    config: ConvertConfig,
    *,
    class_numbers: Mapping[str, int],
) -> None:
    """Write frame, voxel size, dimensions, source and losses beside a file."""
    not_held = what_is_lost(items, config.output_format)
    if not_held:
        logger.warning("%s does not hold: %s", path, ", ".join(not_held))
    record: dict[str, Any] = {
        "file": path.name,
        "format": config.output_format,
        "positions": POSITIONS[config.output_format],
        "tomograms": [describe_frame(frame, len(p)) for p, frame in items],
        "class_numbers": dict(class_numbers),
        "not_held": not_held,
        "sources": [
            {"file": name, "sha256": _file_sha256(Path(name))} for name in config.input
        ],
        "source_format": config.input_format,
    }
    if "relion5" in (config.input_format, config.output_format):
        record["relion5_centre"] = config.relion5_centre
    with write_whole(sidecar_of(path)) as temporary:
        temporary.write_text(
            json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def describe_frame(frame: TomogramFrame, n_particles: int) -> dict[str, Any]:
    """Return a frame as JSON values."""
    return {
        "tomogram_id": frame.tomogram_id,
        "dimensions_xyz": list(frame.shape_zyx[::-1]),
        "voxel_size_ang": frame.voxel_size,
        "binning": frame.binning,
        "n_particles": n_particles,
    }


def what_is_lost(items: Sequence[Item], output_format: str) -> list[str]:
    """Return what these particles hold and the format cannot."""
    held = {
        "scores": any(np.isfinite(p.scores).any() for p, _ in items),
        "fractions of a voxel": any(
            (p.positions_zyx != np.rint(p.positions_zyx)).any() for p, _ in items
        ),
    }
    return [what for what in NOT_HELD[output_format] if held.get(what, True)]


def _file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
