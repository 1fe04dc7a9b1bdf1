"""Which input file belongs to which tomogram, and what is known of that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.catalogue import format_named
from etpicker_plugin.engine.formats.format import Format, Frames
from etpicker_plugin.engine.formats.names import match_names
from etpicker_plugin.engine.formats.tilt_series import TiltSeries, read_tilt_series
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.names import require_file_name
from etpicker_plugin.engine.volumes.tiff_file import is_tiff
from etpicker_plugin.engine.volumes.tomogram import read_tomogram


@dataclass(frozen=True)
class InputFile:
    """One file and the frames of its tomograms, of which most formats have one.

    ``class_name`` is what the file's name says of the class.
    """

    path: Path
    frames: Frames
    class_name: str | None = None


def pair_files(config: ConvertConfig) -> list[InputFile]:
    """Pair files with tomograms by name; a single pair needs no common name.

    Raises
    ------
    ConfigError
        If they do not pair up; the message lists what is left over.
    """
    read = format_named(config.input_format)
    paths = [Path(name) for name in config.input]
    return (
        [_joint_file(paths, read, config)]
        if read.is_joint
        else _pair(paths, read, config)
    )


def _joint_file(paths: list[Path], read: Format, config: ConvertConfig) -> InputFile:
    """Return the one file of all tomograms."""
    if len(paths) > 1:
        raise ConfigError(
            f"--input: {len(paths)} {read.name} files, expected one. "
            "Convert them one by one, each into its own folder."
        )
    (path,) = paths
    if config.tomogram:
        return InputFile(path, tomogram_frames(config))
    names = [
        require_file_name(name, what=f"{path}: tomogram")
        for name in read.names_in(path)
    ]
    return InputFile(path, _given_frames(names, config))


def _pair(paths: list[Path], read: Format, config: ConvertConfig) -> list[InputFile]:
    """Return each file of one tomogram with that."""
    given = tomogram_frames(config)
    frames = {read.spell_tomogram(name): frame for name, frame in given.items()}
    owners = {path: read.owner_of(path, list(frames)) for path in paths}
    names = {path: read.spell_tomogram(name) for path, (name, _) in owners.items()}
    if len(set(names.values())) != len(config.input) and not read.is_per_class:
        raise ConfigError(
            "--input: two files have the same name. Their outputs would overwrite "
            "each other: convert them into different folders."
        )
    if given:
        by_path = _match(names, frames)
    else:
        stated = _given_frames(names.values(), config)
        by_path = {path: stated[name] for path, name in names.items()}
    return [
        InputFile(path, {frame.tomogram_id: frame}, owners[path][1])
        for path, frame in by_path.items()
    ]


def tomogram_frames(config: ConvertConfig) -> dict[str, TomogramFrame]:
    """Return the frames of the given tomograms by name."""
    series = _tilt_series(config)
    frames = {}
    for name in config.tomogram:
        tomogram = read_tomogram(
            name, config.voxel_size, trust_voxel_size=config.trust_voxel_size
        )
        frame = TomogramFrame(
            tomogram_id=tomogram.tomogram_id,
            shape_zyx=tomogram.shape_zyx,
            voxel_size=tomogram.voxel_size,
            suffix=Path(name).suffix if is_tiff(name) else ".mrc",
        )
        frames[tomogram.tomogram_id] = series.described(frame, name)
    return frames


def _tilt_series(config: ConvertConfig) -> TiltSeries:
    return read_tilt_series(
        tomograms=config.tomograms,
        tilt_series_name=config.tilt_series_name,
        tilt_series_table=config.tilt_series_table,
        binning=config.binning,
    )


def _match(
    names: Mapping[Path, str], frames: Mapping[str, TomogramFrame]
) -> dict[Path, TomogramFrame]:
    """Return each file's frame."""
    wanted = list(dict.fromkeys(names.values()))
    if len(wanted) == len(frames) == 1:
        (frame,) = frames.values()
        return dict.fromkeys(names, frame)
    said = {name: frame.tilt_series for name, frame in frames.items()}
    match = match_names(wanted, list(frames), series=said)
    if match.unmatched or match.unused:
        raise ConfigError(
            "Coordinate files and tomograms do not pair up by name; "
            f"{match.describe()}. "
            "Name each coordinate file as its tomogram."
        )
    return {path: frames[match.pairs[name]] for path, name in names.items()}


def _given_frames(
    names: Iterable[str], config: ConvertConfig
) -> dict[str, TomogramFrame]:
    """Return the frames stated by --dimensions and --voxel-size."""
    x, y, z = (*config.dimensions, 1)[:3]  # A micrograph is one plane.
    if config.voxel_size is None:
        raise ConfigError("The voxel size is not known. Give --voxel-size in Å.")
    series = _tilt_series(config)
    frames = {}
    for name in names:
        frame = TomogramFrame(
            tomogram_id=name, shape_zyx=(z, y, x), voxel_size=config.voxel_size
        )
        frames[name] = series.described(frame, name)
    return frames
