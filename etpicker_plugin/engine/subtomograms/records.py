"""The record of an extraction, which tells one run from another."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin import __version__
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.config.extract import ExtractConfig
from etpicker_plugin.engine.config.options import config_digest, config_to_values
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.subtomograms.inputs import Source

STAR = "particles.star"
WEDGE = "wedge.mrc"
LEFT_OUT = "left_out.csv"
RECORD = "particles.json"
BEGUN = ".extraction.digest"
"""Names the run whose boxes stand in the folder while it is unfinished."""

NOT_OF_THE_RESULT = ("out", "tomogram", "coordinates")


def digest_of(config: ExtractConfig, sources: Sequence[Source]) -> str:
    """Return what two runs must have alike to be the same."""
    inputs = {
        s.tomogram.tomogram_id: [
            file_sha256(s.tomogram.path),
            s.particles.positions_zyx.round(6).tolist(),
            s.particles.class_names.tolist(),
            np.nan_to_num(s.particles.scores, nan=-1e30).tolist(),
            _rounded(s.particles.rotations),
        ]
        for s in sources
    }
    parameters = config_digest(config, ignore=NOT_OF_THE_RESULT)
    return json.dumps([parameters, inputs], sort_keys=True)


def _rounded(rotations: NDArray[np.float64] | None) -> list[Any] | None:
    if rotations is None:
        return None
    return np.nan_to_num(rotations, nan=-9.0).round(6).tolist()


def begin(out_dir: Path, digest: str) -> None:
    """Claim a folder for a run, or go on with the same one.

    Raises
    ------
    ConfigError
        If boxes of another run stand there.
    """
    note = out_dir / BEGUN
    if note.is_file() and note.read_text(encoding="utf-8") == digest:
        return
    if note.exists() or (out_dir / "boxes").exists() or (out_dir / STAR).exists():
        raise ConfigError(
            f"{out_dir} holds boxes of other coordinates, tomograms or parameters. "
            "They are never overwritten: give another --out."
        )
    with write_whole(note) as temporary:
        temporary.write_text(digest, encoding="utf-8")


def write_record(
    config: ExtractConfig,
    out_dir: Path,
    *,
    box: int,
    voxel_size: float,
    counts: dict[str, int],
    left_out: int,
    better_wedge: str,
) -> None:
    """Write particles.json, the mark of a finished extraction."""
    record: dict[str, Any] = {
        "star": STAR,
        "wedge": WEDGE,
        "box_size": box,
        "voxel_size_ang": voxel_size,
        "diameters_ang": config.diameter,
        "tilt_range_deg": list(config.tilt_range),
        "tilt_axis": config.tilt_axis,
        "normalisation": config.normalisation,
        "inverted": config.invert,
        "extracted": counts,
        "left_out": left_out,
        "better_wedge": better_wedge,
        "frame": "rlnCoordinateX/Y/Z: 0-based voxels of the tomogram; the particle's "
        "centre is voxel box/2 of its box",
        "config": config_to_values(config),
        "code_version": __version__,
    }
    with write_whole(out_dir / RECORD) as temporary:
        temporary.write_text(
            json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def write_left_out(rows: Sequence[tuple[Particles, str]], path: Path) -> None:
    """Write tomogram,class,x,y,z,score,reason of the particles without a box."""
    with (
        write_whole(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("tomogram", "class", "x", "y", "z", "score", "reason"))
        for particles, reason in rows:
            for name, (z, y, x), score in zip(
                particles.class_names,
                particles.positions_zyx,
                particles.scores,
                strict=True,
            ):
                known = "" if np.isnan(score) else f"{score:.9g}"
                place = [f"{value:.3f}" for value in (x, y, z)]
                writer.writerow([particles.tomogram_id, name, *place, known, reason])
