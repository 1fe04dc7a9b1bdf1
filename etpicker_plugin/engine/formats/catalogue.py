"""Every coordinate format by its name: how to read it, write it and name its files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.formats.artiax_list import read_artiax, write_artiax
from etpicker_plugin.engine.formats.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.formats.coordinates_txt import read_txt, write_txt
from etpicker_plugin.engine.formats.copick_json import (
    copick_path,
    read_copick,
    write_copick,
)
from etpicker_plugin.engine.formats.deepetpicker_coords import read_coords, write_coords
from etpicker_plugin.engine.formats.dynamo_table import read_dynamo, write_dynamo
from etpicker_plugin.engine.formats.eman2_json import (
    SUFFIX,
    eman2_name,
    read_eman2,
    write_eman2,
)
from etpicker_plugin.engine.formats.imod_points import read_imod, write_imod
from etpicker_plugin.engine.formats.pairing import InputFile
from etpicker_plugin.engine.formats.portal_ndjson import (
    portal_path,
    read_portal,
    write_portal,
)
from etpicker_plugin.engine.formats.relion_star import read_star, write_star
from etpicker_plugin.engine.formats.sidecar import Item
from etpicker_plugin.engine.formats.warp_star import read_warp, write_warp
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.particles import Particles

Frames = Mapping[str, TomogramFrame]
Numbers = Mapping[str, int]


def _read_relion(path: Path, frames: Frames, config: ConvertConfig) -> list[Particles]:
    return read_star(
        path,
        frames=frames,
        version=config.input_format,
        relion5_centre=config.relion5_centre,
        class_order=config.class_name,
    )


def _read_warp(path: Path, frames: Frames, config: ConvertConfig) -> list[Particles]:
    return read_warp(
        path,
        frames=frames,
        normalised=config.input_format == "warp-normalised",
        class_order=config.class_name,
    )


def _read_dynamo(path: Path, frames: Frames, config: ConvertConfig) -> list[Particles]:
    return read_dynamo(
        path,
        frames=frames,
        class_order=config.class_name,
        first_voxel=int(config.dynamo_first_voxel),
    )


def _write_relion(
    items: Sequence[Item], path: Path, config: ConvertConfig, numbers: Numbers
) -> None:
    write_star(
        items,
        path,
        version=config.output_format,
        relion5_centre=config.relion5_centre,
        class_order=tuple(numbers),
    )


def _write_warp(
    items: Sequence[Item], path: Path, config: ConvertConfig, numbers: Numbers
) -> None:
    normalised = config.output_format == "warp-normalised"
    write_warp(items, path, normalised=normalised, class_order=tuple(numbers))


def _write_dynamo(
    items: Sequence[Item], path: Path, config: ConvertConfig, numbers: Numbers
) -> None:
    first_voxel = int(config.dynamo_first_voxel)
    write_dynamo(items, path, class_numbers=numbers, first_voxel=first_voxel)


READ_JOINT: dict[str, Callable[[Path, Frames, ConvertConfig], list[Particles]]] = {
    "relion3": _read_relion,
    "relion4": _read_relion,
    "relion5": _read_relion,
    "warp": _read_warp,
    "warp-normalised": _read_warp,
    "dynamo": _read_dynamo,
}
"""Formats with many tomograms in one file."""
READ: dict[str, Callable[[InputFile, ConvertConfig], Particles]] = {
    "csv": lambda file, _: read_csv(file.path, tomogram_id=file.frame.tomogram_id),
    "txt": lambda file, config: read_txt(
        file.path,
        tomogram_id=file.frame.tomogram_id,
        class_name=config.class_name[0],
    ),
    "deepetpicker": lambda file, config: read_coords(
        file.path, tomogram_id=file.frame.tomogram_id, class_order=config.class_name
    ),
    "imod": lambda file, config: read_imod(
        file.path, tomogram_id=file.frame.tomogram_id, class_order=config.class_name
    ),
    "eman2": lambda file, config: read_eman2(
        file.path,
        frame=file.frame,
        class_order=config.class_name,
        binning_is_known=config.binning is not None,
    ),
    "copick": lambda file, _: read_copick(file.path, frame=file.frame),
    "portal": lambda file, config: read_portal(
        file.path,
        tomogram_id=file.frame.tomogram_id,
        class_name=file.class_name or config.class_name[0],
    ),
    "artiax": lambda file, config: read_artiax(
        file.path, tomogram_id=file.frame.tomogram_id, class_order=config.class_name
    ),
}
"""Formats with one file for each tomogram, or for each of its classes."""
READ["artiax-coords"] = READ["txt"]

WRITE_JOINT: dict[
    str, Callable[[Sequence[Item], Path, ConvertConfig, Numbers], None]
] = {
    "relion3": _write_relion,
    "relion4": _write_relion,
    "relion5": _write_relion,
    "warp": _write_warp,
    "warp-normalised": _write_warp,
    "dynamo": _write_dynamo,
}
WRITE: dict[str, Callable[[Particles, TomogramFrame, Path, Numbers], None]] = {
    "csv": lambda particles, _, path, __: write_csv(particles, path),
    "txt": lambda particles, _, path, __: write_txt(particles, path),
    "artiax-coords": lambda particles, _, path, __: write_txt(particles, path),
    "deepetpicker": lambda particles, _, path, numbers: write_coords(
        particles, path, class_numbers=numbers
    ),
    "imod": lambda particles, _, path, numbers: write_imod(
        particles, path, class_numbers=numbers
    ),
    "eman2": lambda particles, frame, path, numbers: write_eman2(
        particles, path, frame=frame, class_numbers=numbers
    ),
    "copick": lambda particles, frame, path, _: write_copick(
        particles, path, frame=frame
    ),
    "portal": lambda particles, _, path, __: write_portal(particles, path),
    "artiax": lambda particles, _, path, numbers: write_artiax(
        particles, path, class_numbers=numbers
    ),
}

JOINT_FILE = {name: Path("particles.star") for name in WRITE_JOINT}
JOINT_FILE["dynamo"] = Path("particles.tbl")
FILE_OF_TOMOGRAM: dict[str, Callable[[str], Path]] = {
    "csv": lambda name: Path(f"{name}.csv"),
    "txt": lambda name: Path(f"{name}.txt"),
    "deepetpicker": lambda name: Path(f"{name}.coords"),
    "imod": lambda name: Path(f"{name}.pts"),
    "eman2": lambda name: Path(f"{eman2_name(name)}{SUFFIX}.json"),
    "artiax": lambda name: Path(f"{name}.tsv"),
    "artiax-coords": lambda name: Path(f"{name}.coords"),
}
FILE_OF_CLASS: dict[str, Callable[[str, str], Path]] = {
    "copick": copick_path,
    "portal": portal_path,
}
