"""``etpicker convert``: coordinates from one program's format to another's."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.columns import columns_of
from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.catalogue import (
    FILE_OF_CLASS,
    FILE_OF_TOMOGRAM,
    JOINT_FILE,
    READ,
    READ_JOINT,
    WRITE,
    WRITE_JOINT,
)
from etpicker_plugin.engine.formats.coordinates_csv import refuse_outside
from etpicker_plugin.engine.formats.dynamo_table import table_map_of
from etpicker_plugin.engine.formats.names import number_classes
from etpicker_plugin.engine.formats.pairing import joint_frames, pair_files
from etpicker_plugin.engine.formats.sidecar import (
    Item,
    restore,
    sidecar_of,
    write_sidecar,
)
from etpicker_plugin.engine.geometry import TomogramFrame, mirror_z
from etpicker_plugin.engine.particles import Particles, join_particles
from etpicker_plugin.engine.progress import Progress, ProgressEvent

logger = logging.getLogger(__name__)


def convert(
    config: ConvertConfig, out_dir: Path, *, on_progress: Progress
) -> list[Path]:
    """Convert coordinate files; return the files written, without the sidecars.

    Raises
    ------
    ConfigError
        If an output exists, or files and tomograms do not pair up.
    InputDataError
        If a file cannot be read, or a particle lies outside its tomogram.
    """
    if config.binning is None and "relion5" in (
        config.input_format,
        config.output_format,
    ):
        logger.warning(
            "--binning is not given: the tilt-series pixel size is taken to be the "
            "tomogram's voxel size. RELION 5 positions in Å do not depend on it."
        )
    items = read_items(config)
    plan = plan_outputs(items, out_dir, output_format=config.output_format)
    refuse_existing(list(plan))
    numbers = class_numbers_of(items, order=config.class_name)
    for done, (path, written) in enumerate(plan.items(), 1):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_items(written, path, config, class_numbers=numbers)
        write_sidecar(written, path, config, class_numbers=numbers)
        on_progress(ProgressEvent("convert", done, len(plan)))
    return list(plan)


def read_items(config: ConvertConfig) -> list[Item]:
    """Read every particle of the input, one record per tomogram with its frame.

    What a sidecar of ours keeps for a file comes back with it.
    """
    parts = _read_joint(config) if config.input_format in READ_JOINT else _read(config)
    for path, particles, frame in parts:
        refuse_outside(particles, shape_zyx=frame.shape_zyx, path=path)
    frames = {frame.tomogram_id: frame for _, _, frame in parts}
    items = []
    for name, frame in frames.items():
        found = [
            particles for _, particles, _ in parts if particles.tomogram_id == name
        ]
        particles = found[0] if len(found) == 1 else join_particles(name, found)
        items.append((_mirrored(particles, frame, config), frame))
    return items


def class_numbers_of(items: Sequence[Item], *, order: Sequence[str]) -> dict[str, int]:
    """Number all classes from 1, the same in every file of one conversion.

    ``order`` is followed if the particles have any of its classes.
    """
    names = {str(name) for particles, _ in items for name in particles.class_names}
    return number_classes(sorted(names), order=order if names & set(order) else ())


def plan_outputs(
    items: Sequence[Item], out_dir: Path, *, output_format: str
) -> dict[Path, list[Item]]:
    """Return which particles go to which file: all to one, or one per tomogram.

    copick and the portal have a file for each class of a tomogram.

    Raises
    ------
    InputDataError
        If there is nothing to write, or two would go to one file.
    """
    if output_format in JOINT_FILE:
        return {out_dir / JOINT_FILE[output_format]: list(items)}
    if output_format in FILE_OF_TOMOGRAM:
        name = FILE_OF_TOMOGRAM[output_format]
        planned = [(name(f.tomogram_id), (p, f)) for p, f in items]
    else:
        name_of_class = FILE_OF_CLASS[output_format]
        planned = [
            (name_of_class(f.tomogram_id, c), (p.of_class(c), f))
            for p, f in items
            for c in dict.fromkeys(p.class_names.tolist())
        ]
    plan = {out_dir / path: [item] for path, item in planned}
    if not plan or len(plan) < len(planned):
        raise InputDataError(
            "There are no particles to write."
            if not plan
            else f"Two tomograms or classes would both be written to one file; the "
            f"files are {', '.join(sorted({str(path) for path, _ in planned}))}. "
            "Rename a tomogram or a class."
        )
    return plan


def refuse_existing(paths: Sequence[Path]) -> None:
    """Refuse to overwrite an output or what is written beside it.

    Raises
    ------
    ConfigError
        If one of them exists.
    """
    tables = [table_map_of(path) for path in paths if path.suffix == ".tbl"]
    for path in (*paths, *tables, *map(sidecar_of, paths)):
        if path.exists():
            raise ConfigError(
                f"{path} exists and is not overwritten. Give another --out folder or "
                "move the file away."
            )


def write_items(
    items: Sequence[Item],
    path: Path,
    config: ConvertConfig,
    *,
    class_numbers: Mapping[str, int],
) -> None:
    """Write particles in the output format."""
    if config.output_format in WRITE_JOINT:
        WRITE_JOINT[config.output_format](items, path, config, class_numbers)
        return
    ((particles, frame),) = items
    WRITE[config.output_format](particles, frame, path, class_numbers)


def _read_joint(config: ConvertConfig) -> list[tuple[Path, Particles, TomogramFrame]]:
    """Return path, particles and frame of each tomogram in one file of many."""
    if len(config.input) > 1:
        raise ConfigError(
            f"--input: {len(config.input)} {_noun(config)} files, expected one. "
            "Convert them one by one, each into its own folder."
        )
    path = Path(config.input[0])
    frames = joint_frames(path, config)
    records = READ_JOINT[config.input_format](path, frames, config)
    by_id = {frame.tomogram_id: frame for frame in frames.values()}
    return [
        (path, restored, by_id[restored.tomogram_id])
        for restored in restore(records, path)
    ]


def _read(config: ConvertConfig) -> list[tuple[Path, Particles, TomogramFrame]]:
    """Return path, particles and frame of each file."""
    parts = []
    for file in pair_files(config):
        (particles,) = restore([READ[config.input_format](file, config)], file.path)
        parts.append((file.path, particles, file.frame))
    return parts


def _noun(config: ConvertConfig) -> str:
    return "table" if config.input_format == "dynamo" else "STAR"


def _mirrored(
    particles: Particles, frame: TomogramFrame, config: ConvertConfig
) -> Particles:
    """Return the particles with z counted from the other end, if asked for."""
    if not config.mirror_z:
        return particles
    about_eman2_centre = "eman2" in (config.input_format, config.output_format)
    return replace(
        particles,
        positions_zyx=np.asarray(
            mirror_z(
                particles.positions_zyx, frame, about_eman2_centre=about_eman2_centre
            )
        ),
        optional={
            column.name: column.mirrored(particles.optional[column.name])
            for column in columns_of(particles.optional)
        },
    )
