"""The JSON beside a converted file: what it holds, of what, made from what."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import (
    FILAMENT,
    ROTATION,
    Column,
    Values,
    columns_of,
    declared,
)
from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.catalogue import format_named
from etpicker_plugin.engine.formats.format import Format, Item
from etpicker_plugin.engine.formats.groups import texts_of
from etpicker_plugin.engine.geometry import TomogramFrame, reverse_axes
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.json_checks import list_of, map_of, number, or_none, text
from etpicker_plugin.engine.json_checks import record as record_of
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.result_files import read_record

logger = logging.getLogger(__name__)

KEPT = map_of(
    record_of(
        {},
        {
            "class_names": list_of(text),
            "scores": list_of(or_none(number())),
            "positions_xyz": list_of(list_of(number(-1e6, 1e6), 3)),
        },
        others=True,
    )
)


def write_sidecar(
    items: Sequence[Item],
    path: Path,
    config: ConvertConfig,
    *,
    class_numbers: Mapping[str, int],
) -> None:
    """Write frame, voxel size, dimensions, source and losses beside a file.

    What is lost is kept here, and comes back when the unchanged file is read again.
    """
    written = format_named(config.output_format)
    not_held = what_is_lost(items, written)
    if not_held:
        kept_in = written.sidecar(path).name
        losses = ", ".join(not_held)
        logger.warning("%s does not hold: %s; %s keeps that.", path, losses, kept_in)
    record: dict[str, Any] = {
        "file": path.name,
        "sha256": file_sha256(path),
        "format": written.name,
        "positions": written.positions,
        "tomograms": [describe_frame(frame, len(p)) for p, frame in items],
        "class_numbers": dict(class_numbers),
        "not_held": not_held,
        "sources": [
            {"file": name, "sha256": file_sha256(Path(name))} for name in config.input
        ],
        "source_format": config.input_format,
        **written.heed(config.format_options),
    }
    source_options = format_named(config.input_format).heed(config.format_options)
    if source_options:
        record["source_options"] = source_options
    if config.mirror_z:
        record["mirrored_z"] = True
    if not_held:
        record["kept"] = {p.tomogram_id: _keep(p, not_held) for p, _ in items}
    with write_whole(written.sidecar(path)) as temporary:
        temporary.write_text(
            json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def restore(records: Sequence[Particles], sidecar: Path, path: Path) -> list[Particles]:
    """Return the particles of a file with what its sidecar keeps of them.

    A sidecar of a file that was changed since, or a JSON that is none, is not used.

    Raises
    ------
    InputDataError
        If the sidecar of this very file is damaged.
    """
    record = read_record(sidecar)
    if not record and sidecar.exists():
        logger.warning("%s cannot be read; %s is read without it.", sidecar, path)
    if "kept" not in record:
        return list(records)
    if record.get("sha256") != file_sha256(path):
        logger.warning("%s was changed; %s is not used.", path, sidecar)
        return list(records)
    try:
        kept = KEPT(record["kept"], "kept")
        return [_restored(p, kept.get(p.tomogram_id, {})) for p in records]
    except (TypeError, ValueError, OverflowError) as error:
        raise InputDataError(
            f"{sidecar} is damaged: {error}. Remove it to read {path.name} without it."
        ) from error


def describe_frame(frame: TomogramFrame, n_particles: int) -> dict[str, Any]:
    """Return a frame as JSON values."""
    return {
        "tomogram_id": frame.tomogram_id,
        "dimensions_xyz": list(frame.shape_zyx[::-1]),
        "voxel_size_ang": frame.voxel_size,
        "binning": frame.binning,
        **_of_relion(frame),
        "n_particles": n_particles,
    }


def _of_relion(frame: TomogramFrame) -> dict[str, Any]:
    """Return what was said of a frame's tilt series, as JSON values."""
    values: dict[str, Any] = {}
    if frame.tilt_series:
        values["tilt_series"] = frame.tilt_series
    if frame.unbinned_size_xyz is not None:
        values["unbinned_size_xyz"] = list(frame.unbinned_size_xyz)
        values["unbinned_pixel_size_ang"] = frame.tilt_series_pixel_size
    return values


def what_is_lost(items: Sequence[Item], written: Format) -> list[str]:
    """Return what these particles hold and the format cannot."""
    held = {
        "scores": any(np.isfinite(p.scores).any() for p, _ in items),
        "fractions of a voxel": any(
            (p.positions_zyx != np.rint(p.positions_zyx)).any() for p, _ in items
        ),
    }
    optional = {
        column.plural: any(column.name in p.optional for p, _ in items)
        for column in declared()
    }
    words = dict.fromkeys((*written.not_held, *_columns_not_held(items, written)))
    return [what for what in words if (held | optional).get(what, True)]


def _columns_not_held(items: Sequence[Item], written: Format) -> list[str]:
    """Return the optional columns, but orientations, that a format cannot hold."""
    if written.holds_every_column:
        return []
    held = set(written.holds_columns)
    if written.holds_filaments_alone and not _all_on_filaments(items):
        held.discard(FILAMENT.name)
    return [
        column.plural
        for column in declared()
        if column is not ROTATION and column.name not in held
    ]


def _all_on_filaments(items: Sequence[Item]) -> bool:
    return all((texts_of(FILAMENT, p) != FILAMENT.missing).all() for p, _ in items)


def _keep(particles: Particles, not_held: Sequence[str]) -> dict[str, Any]:
    """Return what is lost of each particle as JSON values."""
    kept: dict[str, Any] = {}
    if {"classes", "class names"} & set(not_held):
        kept["class_names"] = particles.class_names.tolist()
    if "scores" in not_held:
        kept["scores"] = [s if s == s else None for s in particles.scores.tolist()]
    for column in columns_of(particles.optional):
        if column.plural in not_held:
            values = particles.optional[column.name]
            kept["_".join(column.headers)] = _rows_of(column, values)
    if "fractions of a voxel" in not_held:
        xyz = reverse_axes(particles.positions_zyx)
        kept["positions_xyz"] = np.round(xyz, 4).tolist()
    return kept


def _rows_of(column: Column, values: Values) -> list[Any]:
    """Return the cells of each pick, ``None`` where the value is not known."""
    cells = column.cells(values)
    if column.decimals is not None:
        cells = np.round(cells, column.decimals)
    known = column.known(values).tolist()
    return [
        row if is_known else None
        for row, is_known in zip(cells.tolist(), known, strict=True)
    ]


def _values_of(column: Column, rows: Sequence[Any]) -> Values | None:
    unknown = [column.missing] * len(column.headers)
    cells = np.array([row or unknown for row in rows], dtype=column.dtype)
    return column.of_cells(cells.reshape(len(rows), len(column.headers)))


def _restored(particles: Particles, values: Mapping[str, Any]) -> Particles:
    """Return the particles with the values kept, if there are as many."""
    if any(len(found) != len(particles) for found in values.values()):
        return particles
    if "class_names" in values:
        names = np.array(values["class_names"], dtype=str)
        particles = replace(particles, class_names=names)
    if "scores" in values:
        scores = np.array(values["scores"], dtype=np.float64)
        particles = replace(particles, scores=scores)
    if "positions_xyz" in values:
        positions_zyx = reverse_axes(values["positions_xyz"])
        particles = replace(particles, positions_zyx=positions_zyx)
    keys = {"_".join(column.headers): column for column in declared()}
    return particles.having(
        {c.name: _values_of(c, values[key]) for key, c in keys.items() if key in values}
    )
