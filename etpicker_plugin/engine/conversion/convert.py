"""``etpicker convert``: coordinates from one program's format to another's."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import columns_of
from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.conversion.class_numbers import (
    class_names_in,
    class_numbers_of,
    class_order,
)
from etpicker_plugin.engine.conversion.dimensions import refuse_other_images
from etpicker_plugin.engine.conversion.pairing import pair_files
from etpicker_plugin.engine.conversion.sidecar import restore, write_sidecar
from etpicker_plugin.engine.conversion.vesicles import (
    mask_path,
    on_membranes,
    write_masks,
)
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.filaments.marks import doubts_of
from etpicker_plugin.engine.formats.catalogue import format_named
from etpicker_plugin.engine.formats.checks import refuse_outside
from etpicker_plugin.engine.formats.format import Format, Item
from etpicker_plugin.engine.formats.star_words import in_star_words
from etpicker_plugin.engine.geometry import TomogramFrame, mirror_z
from etpicker_plugin.engine.names import (
    require_class_in_file,
    star_word,
    warn_star_words,
)
from etpicker_plugin.engine.particles import Particles, join_particles
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.result_files import keeping_edits, read_record
from etpicker_plugin.engine.run_folder import (
    describe_run,
    hash_files,
    run_from_values,
    run_values,
)
from etpicker_plugin.engine.volumes.mrc_cell import VOXEL_SIZE_TOLERANCE

logger = logging.getLogger(__name__)

UNFINISHED = ".convert.json"
"""In the output folder as long as a conversion has not ended."""


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
    written_format = format_named(config.output_format)
    _warn_without_tomograms(config)
    items = read_items(config)
    check_classes(items)
    for doubt in (doubt for particles, _ in items for doubt in doubts_of(particles)):
        logger.warning("%s", doubt)
    order = class_order(config)
    if written_format.holds_words:
        items, order = in_words(items), tuple(map(star_word, order))
    vesicles = items
    if config.surface_step is not None:
        items = on_membranes(vesicles, step_ang=config.surface_step)
    plan = plan_outputs(items, out_dir, written_format)
    frames = [frame for _, frame in items] if config.instance_masks else []
    masks = [mask_path(out_dir, frame) for frame in frames]
    _begin(config, [*plan, *masks], out_dir)
    if masks:
        write_masks(vesicles, out_dir)
    numbers = class_numbers_of(items, order=order)
    for done, (path, written) in enumerate(plan.items(), 1):
        path.parent.mkdir(parents=True, exist_ok=True)
        if written_format.arranged:
            written = [(written_format.arranged(p, numbers), f) for p, f in written]
        with keeping_edits(path):
            written_format.write(written, path, config.format_options, numbers)
        write_sidecar(written, path, config, class_numbers=numbers)
        on_progress(ProgressEvent("convert", done, len(plan)))
    (out_dir / UNFINISHED).unlink(missing_ok=True)
    return [*plan, *masks]


def _begin(config: ConvertConfig, paths: Sequence[Path], out_dir: Path) -> None:
    """Refuse outputs that exist, unless this very conversion was killed among them.

    Raises
    ------
    ConfigError
        If one of them exists.
    """
    files = [f"{n}: {name}" for n, name in enumerate(config.input)]
    run = describe_run(config, hash_files(zip(files, config.input, strict=True)))
    note = out_dir / UNFINISHED
    if run_from_values(read_record(note)) == run:
        logger.info("Going on with the same conversion, which was stopped here.")
        return
    refuse_existing(paths, format_named(config.output_format))
    with write_whole(note) as temporary:
        temporary.write_text(json.dumps(run_values(run)), encoding="utf-8")


def read_items(config: ConvertConfig) -> list[Item]:
    """Read every particle of the input, one record per tomogram with its frame.

    What a sidecar of ours keeps for a file comes back with it.
    """
    parts = _read(config)
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


def check_classes(items: Sequence[Item]) -> None:
    """Refuse classes whose names are none, or would break a line.

    Raises
    ------
    InputDataError
        If a file holds one.
    """
    for name in class_names_in(items):
        require_class_in_file(name, what="Class")


def in_words(items: Sequence[Item]) -> list[Item]:
    """Return the particles under names that a file of words can hold.

    Raises
    ------
    ConfigError
        If two names would be one.
    """
    warn_star_words([frame.tomogram_id for _, frame in items], what="Tomograms")
    warn_star_words(sorted(class_names_in(items)), what="Classes")
    return [in_star_words(*item) for item in items]


def plan_outputs(
    items: Sequence[Item], out_dir: Path, written: Format
) -> dict[Path, list[Item]]:
    """Return which particles go to which file: all to one, one per tomogram or class.

    Raises
    ------
    InputDataError
        If there is nothing to write, or two would go to one file.
    """
    if written.is_joint:
        refuse_voxel_sizes(items, written)
        return {out_dir / written.path_of(): list(items)}
    if written.is_per_class:
        planned = [
            (written.path_of(f.tomogram_id, c), (p.of_class(c), f))
            for p, f in items
            for c in dict.fromkeys(p.class_names.tolist())
        ]
    else:
        planned = [(written.path_of(f.tomogram_id), (p, f)) for p, f in items]
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


def refuse_voxel_sizes(items: Sequence[Item], written: Format) -> None:
    """Refuse tomograms of several voxel sizes in a file that is read with one.

    Raises
    ------
    ConfigError
        Naming the sizes.
    """
    sizes = {frame.tomogram_id: frame.voxel_size for _, frame in items}
    least, most = min(sizes.values(), default=1.0), max(sizes.values(), default=1.0)
    if written.one_voxel_size and most - least > VOXEL_SIZE_TOLERANCE * most:
        listed = ", ".join(f"{name} {size:g} Å" for name, size in sizes.items())
        raise ConfigError(
            f"The tomograms have several voxel sizes ({listed}), and "
            f"{written.one_voxel_size}. Convert those of each voxel size into a folder "
            "of their own."
        )


def refuse_existing(paths: Sequence[Path], written: Format) -> None:
    """Refuse to overwrite an output or what is written beside it.

    Raises
    ------
    ConfigError
        If one of them exists.
    """
    beside = [other for path in paths for other in written.companions(path)]
    for path in (*paths, *beside):
        if path.exists():
            raise ConfigError(
                f"{path} exists and is not overwritten. Give another --out folder or "
                "move the file away."
            )


def _warn_without_tomograms(config: ConvertConfig) -> None:
    """Tell what is taken in the place of what RELION would say."""
    names = (config.input_format, config.output_format)
    notes = [format_named(name).without_tomograms for name in names]
    known = bool(config.tomograms) or config.binning == 1
    for note in dict.fromkeys(filter(None, [] if known else notes)):
        logger.warning("%s", note)


def _read(config: ConvertConfig) -> list[tuple[Path, Particles, TomogramFrame]]:
    """Return path, particles and frame of each tomogram of each file."""
    known = format_named(config.input_format)
    both = (known, format_named(config.output_format))
    parts = []
    for file in pair_files(config):
        refuse_other_images(file.frames.values(), both, mirror_z=config.mirror_z)
        options = config.format_options
        if file.class_name:
            options = replace(options, class_names=(file.class_name,))
        records = known.read(file.path, file.frames, options)
        frames = {frame.tomogram_id: frame for frame in file.frames.values()}
        parts += [
            (file.path, particles, frames[particles.tomogram_id])
            for particles in restore(records, known.sidecar(file.path), file.path)
        ]
    return parts


def _mirrored(
    particles: Particles, frame: TomogramFrame, config: ConvertConfig
) -> Particles:
    """Return the particles with z counted from the other end, if asked for."""
    if not config.mirror_z:
        return particles
    names = (config.input_format, config.output_format)
    at_centre = any(format_named(name).mirrors_at_centre for name in names)
    return replace(
        particles,
        positions_zyx=np.asarray(
            mirror_z(particles.positions_zyx, frame, about_eman2_centre=at_centre)
        ),
        optional={
            column.name: column.mirrored(particles.optional[column.name])
            for column in columns_of(particles.optional)
        },
    )
