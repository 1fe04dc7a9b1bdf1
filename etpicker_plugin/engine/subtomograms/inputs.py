"""What is extracted from what: tomograms and coordinates paired, checked, planned."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.config.extract import ExtractConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.checks import check_particles
from etpicker_plugin.engine.formats.coordinates_csv import csv_files, read_csv
from etpicker_plugin.engine.pairing import pair_files
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.volumes.mrc_cell import VOXEL_SIZE_TOLERANCE
from etpicker_plugin.engine.volumes.thickness import refuse_micrographs
from etpicker_plugin.engine.volumes.tomogram import (
    Tomogram,
    read_tomogram,
)

logger = logging.getLogger(__name__)

BOX_DIAMETERS = 1.5
ROOM_VOX = 2
"""A box is at least this much wider than the particle: the mask has a soft edge."""


@dataclass(frozen=True)
class Source:
    """A tomogram and the particles wanted from it, out of a file of coordinates."""

    tomogram: Tomogram
    particles: Particles
    coordinates: Path


def read_sources(config: ExtractConfig) -> list[Source]:
    """Open every tomogram and read its coordinates, before any box is cut.

    Raises
    ------
    ConfigError
        If tomograms and coordinates do not pair up by name, or no particle is of a
        wanted class.
    InputDataError
        If a tomogram or a file of coordinates cannot be used.
    """
    pairs = pair_coordinates(config)
    sources = [
        _read_source(Path(tomogram), path, config) for tomogram, path in pairs.items()
    ]
    for name in config.diameter:
        if not any((s.particles.class_names == name).any() for s in sources):
            raise ConfigError(
                f"--diameter {name}: no coordinates of this class. The files hold: "
                f"{', '.join(_all_classes(pairs.values())) or 'nothing'}."
            )
    return sources


def find_coordinate_files(given: Sequence[str]) -> list[Path]:
    """Return the files themselves, a folder's CSVs in its place.

    Raises
    ------
    InputDataError
        If a folder holds none.
    """
    files: list[Path] = []
    for path in map(Path, given):
        found = csv_files(path)
        if not found:
            raise InputDataError(
                f"Folder of coordinates {path}: no .csv in it. Expected NAME.csv for "
                "each tomogram NAME.mrc ('etpicker convert' makes them)."
            )
        files += found
    return files


def pair_coordinates(config: ExtractConfig) -> dict[str, Path]:
    """Return the coordinate file of each tomogram that has one.

    Raises
    ------
    ConfigError
        If files and tomograms do not pair up.
    InputDataError
        If a folder holds no file.
    """
    files = find_coordinate_files(config.coordinates)
    pairs = pair_files(
        config.tomogram,
        [str(file) for file in files],
        flag="--coordinates",
        every=False,
        by_order=not any(Path(given).is_dir() for given in config.coordinates),
    )
    without = [path for path in config.tomogram if path not in pairs]
    if without:
        logger.warning("Without coordinates, left out: %s", ", ".join(without))
    return {tomogram: Path(file) for tomogram, file in pairs.items()}


def choose_voxel_size(config: ExtractConfig, sources: Sequence[Source]) -> float:
    """Return the voxel size of the boxes in Å.

    Raises
    ------
    ConfigError
        If the tomograms differ and none is given, or a smaller one is given.
    """
    sizes = {s.tomogram.tomogram_id: s.tomogram.voxel_size for s in sources}
    largest = max(sizes.values())
    listed = ", ".join(f"{name} {size:g} Å" for name, size in sizes.items())
    if config.box_voxel_size is None:
        if largest - min(sizes.values()) > VOXEL_SIZE_TOLERANCE * largest:
            raise ConfigError(
                f"The tomograms have several voxel sizes: {listed}. Give "
                f"--box-voxel-size {largest:g} or larger, to which all are rescaled."
            )
        return largest
    if config.box_voxel_size < largest * (1 - VOXEL_SIZE_TOLERANCE):
        raise ConfigError(
            f"--box-voxel-size: got {config.box_voxel_size:g} Å, but the tomograms "
            f"have {listed}. Expected that or more: finer voxels hold nothing new."
        )
    return config.box_voxel_size


def choose_box(config: ExtractConfig, voxel_size: float) -> int:
    """Return the boxes' edge in voxels, even.

    Raises
    ------
    ConfigError
        If the particle does not fit in.
    """
    diameter = max(config.diameter.values())
    if config.box_size is None:
        return 2 * math.ceil(BOX_DIAMETERS * diameter / voxel_size / 2)
    least = 2 * math.ceil((diameter / voxel_size + ROOM_VOX) / 2)
    if config.box_size < least:
        raise ConfigError(
            f"--box-size: {config.box_size} voxels of {voxel_size:g} Å are "
            f"{config.box_size * voxel_size:g} Å, too small for a diameter of "
            f"{diameter:g} Å. Expected at least {least} voxels; 1.5 diameters are "
            "usual."
        )
    return config.box_size


def _read_source(tomogram: Path, path: Path, config: ExtractConfig) -> Source:
    volume = read_tomogram(
        tomogram, config.voxel_size, trust_voxel_size=config.trust_voxel_size
    )
    refuse_micrographs([volume], instead="extract particles with another program")
    particles = read_csv(path, tomogram_id=volume.tomogram_id)
    wanted = np.isin(particles.class_names, list(config.diameter))
    particles = check_particles(
        particles.select(wanted), shape_zyx=volume.shape_zyx, path=path
    )
    return Source(tomogram=volume, particles=particles, coordinates=path)


def _all_classes(files: Iterable[Path]) -> list[str]:
    names: set[str] = set()
    for path in files:
        names |= set(read_csv(path, tomogram_id="").class_names.tolist())
    return sorted(names)
