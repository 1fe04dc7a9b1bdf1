"""Reading several pickers' sets of the same tomograms."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.checks import check_particles
from etpicker_plugin.engine.formats.coordinates_csv import csv_files, read_csv
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.pairing import owners_by_name
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.volumes.mrc_cell import VOXEL_SIZE_TOLERANCE
from etpicker_plugin.engine.volumes.tomogram import (
    Tomogram,
    read_tomogram,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PickSets:
    """Sets of picks of one class in the same tomograms.

    Attributes
    ----------
    tomograms
        By name; those that every set covers.
    voxel_size
        Å, of all of them.
    picks
        Per set, per tomogram.
    left_out
        Tomograms that a set does not cover.
    files
        The CSV of every set and tomogram.
    """

    tomograms: dict[str, Tomogram]
    voxel_size: float
    picks: dict[str, dict[str, Particles]]
    left_out: tuple[str, ...]
    files: dict[str, dict[str, Path]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sets, in the order given."""
        return tuple(self.picks)

    @property
    def are_flat(self) -> bool:
        """Whether the picks are of micrographs."""
        return any(tomogram.is_flat for tomogram in self.tomograms.values())

    def count(self, name: str) -> int:
        """Return the number of picks of a set."""
        return sum(len(particles) for particles in self.picks[name].values())

    def named_files(self) -> list[tuple[str, Path]]:
        """Return each file of picks, in words and with its path."""
        return [
            (f"picks {name} of {t}", path)
            for name, files in self.files.items()
            for t, path in files.items()
        ]

    def positions_of(self, tomogram_id: str) -> list[NDArray[np.float64]]:
        """Return ``(N, 3)`` zyx voxels of every set in one tomogram."""
        return [self.picks[name][tomogram_id].positions_zyx for name in self.names]


def read_pick_sets(
    folders: Mapping[str, str],
    tomograms: Sequence[str],
    *,
    class_name: str,
    voxel_size: float | None,
    trust_voxel_size: bool = False,
    score_columns: Mapping[str, str] | None = None,
) -> PickSets:
    """Read one class of every set, in the tomograms that all sets cover.

    ``score_columns`` are those of the sets where they are not called ``score``.
    A tomogram in which a set's file holds no row was picked and nothing found; one
    without a file was not picked, so it is left out of every set.

    Raises
    ------
    InputDataError
        If a folder, a file or a tomogram cannot be used, voxel sizes differ, no
        tomogram is covered by all, or a set is empty.
    """
    opened = open_tomograms(tomograms, voxel_size, trusted=trust_voxel_size)
    columns = score_columns or {}
    files = {name: find_files(name, Path(f), opened) for name, f in folders.items()}
    common = [t for t in opened if all(t in found for found in files.values())]
    if not common:
        covered = "; ".join(f"{n}: {', '.join(f)}" for n, f in files.items())
        raise InputDataError(
            f"No tomogram is covered by all sets ({covered}). Sets can be compared "
            "only where all were picked: give an empty CSV (header alone) for a "
            "tomogram in which nothing was found."
        )
    files = {name: {t: found[t] for t in common} for name, found in files.items()}
    left_out = tuple(t for t in opened if t not in common)
    if left_out:
        logger.warning("Left out, not in all sets: %s.", ", ".join(left_out))
    return PickSets(
        tomograms={t: opened[t] for t in common},
        voxel_size=next(iter(opened.values())).voxel_size,
        picks={
            name: _read_set(
                name, found, opened, class_name, score_column=columns.get(name, "")
            )
            for name, found in files.items()
        },
        files=files,
        left_out=left_out,
    )


def open_tomograms(
    paths: Sequence[str], voxel_size: float | None, *, trusted: bool = False
) -> dict[str, Tomogram]:
    """Open tomograms by name; refuse different voxel sizes.

    Raises
    ------
    InputDataError
        If one cannot be used with the others.
    """
    opened: dict[str, Tomogram] = {}
    for path in paths:
        tomogram = read_tomogram(path, voxel_size, trust_voxel_size=trusted)
        opened[tomogram.tomogram_id] = tomogram
    first = next(iter(opened.values()))
    for tomogram in opened.values():
        ratio = tomogram.voxel_size / first.voxel_size
        if abs(ratio - 1) > VOXEL_SIZE_TOLERANCE:
            raise InputDataError(
                f"Tomograms {first.tomogram_id} and {tomogram.tomogram_id} have voxels "
                f"of {first.voxel_size:g} and {tomogram.voxel_size:g} Å. Expected one "
                "voxel size: rescale one, or run the command once for each."
            )
    return opened


def find_files(
    name: str, folder: Path, tomogram_ids: Mapping[str, object]
) -> dict[str, Path]:
    """Return a set's coordinate files by tomogram.

    Raises
    ------
    InputDataError
        If there is no such folder, or none of its files is named after a tomogram.
    """
    if not folder.is_dir():
        raise InputDataError(
            f"Set {name}: {folder} is no folder. Give the folder that holds one CSV "
            "per tomogram."
        )
    present = {file.stem: file for file in csv_files(folder)}
    found = _files_by_name(present, list(tomogram_ids))
    if not found:
        raise InputDataError(
            f"Set {name}: no CSV in {folder} is named after a tomogram. It holds "
            f"{', '.join(present) or 'no CSV at all'}; the tomograms are "
            f"{', '.join(tomogram_ids)}. Rename the files."
        )
    others = [f"{file.name} for {t}" for t, file in found.items() if file.stem != t]
    if others:
        logger.warning("Set %s: taken by their names: %s.", name, ", ".join(others))
    unused = [stem for stem, file in present.items() if file not in found.values()]
    if unused:
        logger.warning("Set %s: no tomogram for %s.", name, ", ".join(unused))
    return found


def _files_by_name(
    present: Mapping[str, Path], tomogram_ids: Sequence[str]
) -> dict[str, Path]:
    """Return each tomogram's file: of its very name, or else the one that holds it."""
    found = {t: present[t] for t in tomogram_ids if t in present}
    left = [t for t in tomogram_ids if t not in found]
    stems = [stem for stem in present if stem not in found]
    owners = owners_by_name(tomogram_ids, stems)
    for tomogram in left:
        own = [stems[i] for i, o in owners.items() if tomogram_ids[o] == tomogram]
        if len(own) == 1:
            found[tomogram] = present[own[0]]
    return {t: found[t] for t in tomogram_ids if t in found}


def _read_set(
    name: str,
    files: Mapping[str, Path],
    tomograms: Mapping[str, Tomogram],
    class_name: str,
    *,
    score_column: str,
) -> dict[str, Particles]:
    """Read a set; its only class is taken whatever its name, as pickers name freely."""
    read = {
        t: read_csv(
            path,
            tomogram_id=t,
            score_column=score_column,
            flat=tomograms[t].is_flat,
        )
        for t, path in files.items()
    }
    names = {str(n) for p in read.values() for n in p.class_names}
    present = sorted(names - {NEGATIVE})
    chosen = class_name
    if present and class_name not in present:
        if len(present) > 1:
            raise InputDataError(
                f"Set {name}: no particle of class {class_name}; it holds the classes "
                f"{', '.join(present)}. Give one of them in --diameter."
            )
        chosen = present[0]
        logger.warning("Set %s: its class %s is %s.", name, chosen, class_name)
    if not present:
        raise InputDataError(
            f"Set {name}: not one pick in {', '.join(files)}. An empty set cannot be "
            "judged: leave it out."
        )
    return {
        t: check_particles(
            particles.of_class(chosen),
            shape_zyx=tomograms[t].shape_zyx,
            path=files[t],
        )
        for t, particles in read.items()
    }
