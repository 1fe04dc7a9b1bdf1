"""The record of an extraction, which tells one run from another."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin import __version__
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.config.extract import ExtractConfig
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.result_files import (
    are_as_written,
    hash_results,
    noted_files,
    read_record,
)
from etpicker_plugin.engine.run_folder import Run, describe_run, hash_files
from etpicker_plugin.engine.subtomograms.inputs import Source

STAR = "particles.star"
WEDGE = "wedge.mrc"
LEFT_OUT = "left_out.csv"
RECORD = "particles.json"


def describe_extraction(config: ExtractConfig, sources: Sequence[Source]) -> Run:
    """Return what two extractions must have alike to be the same.

    Raises
    ------
    InputDataError
        If a file vanishes or changes meanwhile.
    """
    inputs: list[tuple[str, str]] = []
    for source in sources:
        tomogram = source.tomogram
        if tomogram.file is not None:
            inputs.append((f"tomogram {tomogram.tomogram_id}", tomogram.file.sha256()))
        what = f"coordinates of {tomogram.tomogram_id}"
        inputs += hash_files([(what, source.coordinates)])
    return describe_run(config, inputs)


def is_extracted(out_dir: Path) -> bool:
    """Tell whether the table of boxes is the one that the record speaks of."""
    return are_as_written(out_dir, noted_files(read_record(out_dir / RECORD), [STAR]))


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
        "files": hash_results(out_dir, [STAR]),
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
    with write_whole(path) as temporary:
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(("tomogram", "class", "x", "y", "z", "score", "reason"))
            for particles, reason in rows:
                for name, (z, y, x), score in zip_strict(
                    particles.class_names,
                    particles.positions_zyx,
                    particles.scores,
                ):
                    known = "" if np.isnan(score) else f"{score:.9g}"
                    place = [f"{value:.3f}" for value in (x, y, z)]
                    writer.writerow(
                        [particles.tomogram_id, name, *place, known, reason]
                    )
