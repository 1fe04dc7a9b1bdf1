"""Which input file belongs to which tomogram, and what is known of that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from etpicker_plugin.engine.config.convert import FILE_PER_CLASS, ConvertConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.copick_json import copick_run
from etpicker_plugin.engine.formats.dynamo_table import read_dynamo_names
from etpicker_plugin.engine.formats.eman2_json import SUFFIX, eman2_name
from etpicker_plugin.engine.formats.names import match_names, short_name, split_class
from etpicker_plugin.engine.formats.relion_star import read_particle_table
from etpicker_plugin.engine.formats.relion_versions import tomogram_column
from etpicker_plugin.engine.formats.warp_star import read_warp_names
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.volumes.tomogram import read_tomogram, tomogram_id_of


@dataclass(frozen=True)
class InputFile:
    """One file of one tomogram; ``class_name`` is what its name says of the class."""

    path: Path
    frame: TomogramFrame
    class_name: str | None = None


def relion_names(version: str) -> Callable[[Path], list[str]]:
    """Return the function that lists the tomograms in a version's STAR file."""

    def names(path: Path) -> list[str]:
        table, _ = read_particle_table(path, version=version)
        column = table[tomogram_column(version)].astype(str)
        return list(dict.fromkeys(short_name(name) for name in column))

    return names


TOMOGRAMS_IN: dict[str, Callable[[Path], list[str]]] = {
    "relion3": relion_names("relion3"),
    "relion4": relion_names("relion4"),
    "relion5": relion_names("relion5"),
    "warp": read_warp_names,
    "warp-normalised": read_warp_names,
    "dynamo": read_dynamo_names,
}
"""Formats with many tomograms in one file, and how to list them."""
TOMOGRAM_OF: dict[str, Callable[[Path], str]] = {
    "eman2": lambda path: eman2_name(path.stem.removesuffix(SUFFIX)),
    "copick": copick_run,
}
"""How a file names its tomogram, where not by its own name."""
SHORTENED: dict[str, Callable[[str], str]] = {"eman2": eman2_name}
"""What a program makes of a tomogram's name."""


def pair_files(config: ConvertConfig) -> list[InputFile]:
    """Pair files with tomograms by name; a single pair needs no common name.

    Raises
    ------
    ConfigError
        If they do not pair up; the message lists what is left over.
    """
    name_of = TOMOGRAM_OF.get(config.input_format, tomogram_id_of)
    names = {Path(file): name_of(Path(file)) for file in config.input}
    many = config.input_format in FILE_PER_CLASS
    if len(set(names.values())) != len(config.input) and not many:
        raise ConfigError(
            "--input: two files have the same name. Their outputs would overwrite "
            "each other: convert them into different folders."
        )
    if not config.tomogram:
        return [InputFile(p, _given_frame(name, config)) for p, name in names.items()]
    shorten = SHORTENED.get(config.input_format, str)
    frames = {shorten(n): frame for n, frame in tomogram_frames(config).items()}
    classes = dict.fromkeys(names)
    if config.input_format == "portal":
        split = {path: split_class(name, list(frames)) for path, name in names.items()}
        names = {path: name for path, (name, _) in split.items()}
        classes = {path: found for path, (_, found) in split.items()}
    owners = _match(names, frames)
    return [InputFile(path, owners[path], classes[path]) for path in names]


def joint_frames(path: Path, config: ConvertConfig) -> dict[str, TomogramFrame]:
    """Return the frames of the tomograms in a file of many, by name."""
    if config.tomogram:
        return tomogram_frames(config)
    names = TOMOGRAMS_IN[config.input_format](path)
    return {name: _given_frame(name, config) for name in names}


def tomogram_frames(config: ConvertConfig) -> dict[str, TomogramFrame]:
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


def _match(
    names: Mapping[Path, str], frames: Mapping[str, TomogramFrame]
) -> dict[Path, TomogramFrame]:
    """Return each file's frame."""
    wanted = list(dict.fromkeys(names.values()))
    if len(wanted) == len(frames) == 1:
        (frame,) = frames.values()
        return dict.fromkeys(names, frame)
    match = match_names(wanted, list(frames))
    if match.unmatched or match.unused:
        raise ConfigError(
            "Coordinate files and tomograms do not pair up by name; "
            f"{match.describe()}. "
            "Name each coordinate file as its tomogram."
        )
    return {path: frames[match.pairs[name]] for path, name in names.items()}


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
