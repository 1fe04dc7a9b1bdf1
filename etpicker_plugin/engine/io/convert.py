"""``etpicker convert``: coordinates from one program's format to another's."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.io.coordinates_csv import (
    read_csv,
    refuse_outside,
    write_csv,
)
from etpicker_plugin.engine.io.coordinates_txt import read_txt, write_txt
from etpicker_plugin.engine.io.deepetpicker_coords import read_coords, write_coords
from etpicker_plugin.engine.io.names import match_names, number_classes, short_name
from etpicker_plugin.engine.io.particles import Particles
from etpicker_plugin.engine.io.relion_star import (
    read_star,
    read_tables,
    tomogram_column,
    write_star,
)
from etpicker_plugin.engine.io.relion_versions import VERSIONS as STAR_FORMATS
from etpicker_plugin.engine.io.sidecar import Item, sidecar_of, write_sidecar
from etpicker_plugin.engine.io.tomogram import read_tomogram, tomogram_id_of
from etpicker_plugin.engine.progress import Progress, ProgressEvent

logger = logging.getLogger(__name__)

EXTENSIONS = {"csv": ".csv", "txt": ".txt", "deepetpicker": ".coords"}


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
        write_items(written, path, config, class_numbers=numbers)
        write_sidecar(written, path, config, class_numbers=numbers)
        on_progress(ProgressEvent("convert", done, len(plan)))
    return list(plan)


def read_items(config: ConvertConfig) -> list[Item]:
    """Read every particle of the input, each with its tomogram's frame."""
    if config.input_format not in STAR_FORMATS:
        return [
            (_read_one(path, frame, config), frame)
            for path, frame in _pair_files(config)
        ]
    if len(config.input) > 1:
        raise ConfigError(
            f"--input: {len(config.input)} STAR files, expected one. Convert them one "
            "by one, each into its own folder."
        )
    path = Path(config.input[0])
    frames = {frame.tomogram_id: frame for frame in _star_frames(path, config)}
    records = read_star(
        path,
        frames=frames,
        version=config.input_format,
        relion5_centre=config.relion5_centre,
        class_order=config.class_name,
    )
    for particles in records:
        shape_zyx = frames[particles.tomogram_id].shape_zyx
        refuse_outside(particles, shape_zyx=shape_zyx, path=path)
    return [(particles, frames[particles.tomogram_id]) for particles in records]


def class_numbers_of(items: Sequence[Item], *, order: Sequence[str]) -> dict[str, int]:
    """Number all classes from 1, the same in every file of one conversion.

    ``order`` is followed if the particles have any of its classes.
    """
    names = {str(name) for particles, _ in items for name in particles.class_names}
    return number_classes(sorted(names), order=order if names & set(order) else ())


def plan_outputs(
    items: Sequence[Item], out_dir: Path, *, output_format: str
) -> dict[Path, list[Item]]:
    """Return which particles go to which file: STAR holds all, others one each."""
    if output_format in STAR_FORMATS:
        return {out_dir / "particles.star": list(items)}
    extension = EXTENSIONS[output_format]
    return {
        out_dir / f"{frame.tomogram_id}{extension}": [(particles, frame)]
        for particles, frame in items
    }


def refuse_existing(paths: Sequence[Path]) -> None:
    """Refuse to overwrite an output or its sidecar.

    Raises
    ------
    ConfigError
        If one of them exists.
    """
    for path in (p for output in paths for p in (output, sidecar_of(output))):
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
    if config.output_format in STAR_FORMATS:
        write_star(
            items,
            path,
            version=config.output_format,
            relion5_centre=config.relion5_centre,
            class_order=tuple(class_numbers),
        )
        return
    ((particles, _),) = items
    if config.output_format == "csv":
        write_csv(particles, path)
    elif config.output_format == "txt":
        write_txt(particles, path)
    else:
        write_coords(particles, path, class_numbers=class_numbers)


def _read_one(path: Path, frame: TomogramFrame, config: ConvertConfig) -> Particles:
    name = frame.tomogram_id
    if config.input_format == "csv":
        particles = read_csv(path, tomogram_id=name)
    elif config.input_format == "txt":
        particles = read_txt(path, tomogram_id=name, class_name=config.class_name[0])
    else:
        particles = read_coords(path, tomogram_id=name, class_order=config.class_name)
    refuse_outside(particles, shape_zyx=frame.shape_zyx, path=path)
    return particles


def _pair_files(config: ConvertConfig) -> list[tuple[Path, TomogramFrame]]:
    """Pair files with tomograms by name; a single pair needs no common name."""
    paths = {tomogram_id_of(name): Path(name) for name in config.input}
    if len(paths) != len(config.input):
        raise ConfigError(
            "--input: two files have the same name. Their outputs would overwrite "
            "each other: convert them into different folders."
        )
    if not config.tomogram:
        return [(path, _given_frame(name, config)) for name, path in paths.items()]
    frames = _tomogram_frames(config)
    if len(paths) == len(frames) == 1:
        return list(zip(paths.values(), frames.values(), strict=True))
    match = match_names(list(paths), list(frames))
    if match.unmatched or match.unused:
        raise ConfigError(
            "Coordinate files and tomograms do not pair up by name; "
            f"{match.describe()}. "
            "Name each coordinate file as its tomogram."
        )
    return [(path, frames[match.pairs[name]]) for name, path in paths.items()]


def _star_frames(path: Path, config: ConvertConfig) -> list[TomogramFrame]:
    if config.tomogram:
        return list(_tomogram_frames(config).values())
    table, _ = read_tables(path, version=config.input_format)
    names = table[tomogram_column(config.input_format)].astype(str)
    return [
        _given_frame(name, config)
        for name in dict.fromkeys(short_name(name) for name in names)
    ]


def _tomogram_frames(config: ConvertConfig) -> dict[str, TomogramFrame]:
    """Return the frames of the given tomograms by name."""
    frames = {}
    for name in config.tomogram:
        tomogram = read_tomogram(name, config.voxel_size)
        frames[tomogram.tomogram_id] = TomogramFrame(
            tomogram_id=tomogram.tomogram_id,
            shape_zyx=tomogram.shape_zyx,
            voxel_size=tomogram.voxel_size,
            binning=config.binning or 1.0,
        )
    return frames


def _given_frame(name: str, config: ConvertConfig) -> TomogramFrame:
    """Return the frame stated by --dimensions and --voxel-size."""
    x, y, z = config.dimensions
    if config.voxel_size is None:
        raise ConfigError("The voxel size is not known. Give --voxel-size in Å.")
    return TomogramFrame(
        tomogram_id=name,
        shape_zyx=(z, y, x),
        voxel_size=config.voxel_size,
        binning=config.binning or 1.0,
    )
