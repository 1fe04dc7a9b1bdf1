"""An annotation folder: its tomograms, the picks of each, and one window at a time.

For a tomogram NAME the folder holds ``NAME.start.csv`` (the picks that it began with),
``NAME.journal.jsonl`` (every edit since) and, whenever it is saved, ``NAME.csv``.
``classes.json`` holds the classes of all.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.config.assignments import ONLY_CLASS
from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.disk import open_own
from etpicker_plugin.engine.errors import ConfigError, ResourceError
from etpicker_plugin.engine.formats.checks import refuse_outside
from etpicker_plugin.engine.formats.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.names import require_new_names
from etpicker_plugin.engine.pairing import pair_files
from etpicker_plugin.engine.particles import Particles, make_particles
from etpicker_plugin.engine.volumes.region_mask import open_mask
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.class_changes import declare_classes
from etpicker_plugin.window.document.counts import (
    Count,
    count_picks,
    describe,
    total,
    write_saved,
)
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.journal import Journal
from etpicker_plugin.window.document.settings import Classes
from etpicker_plugin.window.document.volume import VolumeFile, open_volume

logger = logging.getLogger(__name__)

LOCK_FILE = ".window.lock"
CLASSES_FILE = "classes.json"
START_SUFFIX = ".start.csv"
LIVE_MODEL = "live_model"
"""The live picker's model, and with a number those of later windows."""
LIVE_PICKS = "live_picks"
"""Folder of what goes with the last of them: ``NAME.csv`` of each tomogram."""


class Session:
    """The open folder; ``close`` lets another window have it."""

    def __init__(self, config: ViewConfig, folder: Path) -> None:
        """Open or continue the annotation in ``folder``.

        Raises
        ------
        ConfigError
            If files and tomograms do not pair up, or the folder holds another
            annotation.
        InputDataError
            If a file cannot be used.
        ResourceError
            If the folder is open in another window, or cannot be written.
        """
        self.folder = folder
        _check_new_classes(config, folder)
        self._lock = _lock(folder)
        self.classes = Classes(folder / CLASSES_FILE, {})
        self.documents = [
            self._open(path, config, inputs)
            for path, inputs in _pair_inputs(config).items()
        ]
        declare_classes(self, config)

    def has_scores(self) -> bool:
        """Return whether any pick has a score, so that there is something to judge."""
        return any(np.isfinite(d.annotation.scores).any() for d in self.documents)

    def save(self) -> None:
        """Write the picks of every tomogram that count to ``NAME.csv``."""
        for document in self.documents:
            self.save_one(document)
        write_saved(self.folder, self._saved())

    def saved_words(self) -> str:
        """Return how much was saved, and what was not, in words."""
        lone = self._lone_points()
        left_out = f"; {lone} filament(s) of one point left out" if lone else ""
        return describe(self._saved()) + left_out

    def _saved(self) -> Count:
        count = total(count_picks(self.documents, self.classes))
        count.add(-self._lone_points(), -self._lone_points())
        return count

    def _lone_points(self) -> int:
        return sum(len(d.unfinished(self.classes)) for d in self.documents)

    def save_one(self, document: Document) -> None:
        """Write the picks of one tomogram that count; a lone point is no filament."""
        for pick in document.unfinished(self.classes):
            z, y, x = document.annotation.positions_zyx[pick]
            logger.warning(
                "%s: the filament at x y z %.1f %.1f %.1f has one point and is not "
                "saved. Mark its course, or delete the point; it is kept in the "
                "annotation.",
                *(document.name, x, y, z),
            )
        particles = document.annotation.to_particles(document.saved(self.classes))
        flat = document.volume.tomogram.is_flat
        write_csv(particles, self.folder / f"{document.name}.csv", flat=flat)

    def close(self) -> None:
        """Save, and let the folder go, even if saving fails: the journals hold all.

        Raises
        ------
        ResourceError
            If the picks could not be saved; the folder is free nevertheless.
        """
        try:
            self.save()
        finally:
            for document in self.documents:
                document.journal.close()
            self._lock.close()

    def _open(
        self, path: str, config: ViewConfig, inputs: dict[str, str | None]
    ) -> Document:
        volume = open_volume(
            path, config.voxel_size, trust_voxel_size=config.trust_voxel_size
        )
        first, digest = self._first_picks(volume, inputs["coordinates"])
        compare, mask = inputs["compare"], inputs["mask"]
        journal = Journal(
            self.folder / f"{volume.tomogram_id}.journal.jsonl",
            Annotation(first),
            header={
                "tomogram": volume.tomogram_id,
                "shape_zyx": list(volume.shape_zyx),
                "voxel_size_ang": round(volume.voxel_size, 4),
                "first_picks": digest,
            },
        )
        return Document(
            volume=volume,
            journal=journal,
            other=_read_picks(Path(compare), volume) if compare else None,
            probability=_open_map(inputs["probability"], volume),
            mask=open_mask(mask, volume.shape_zyx) if mask else None,
        )

    def _first_picks(
        self, volume: VolumeFile, given: str | None
    ) -> tuple[Particles, str]:
        """Return the picks that the annotation began with, and their file's digest.

        When it begins, the given file is copied, once it is known to be usable.

        Raises
        ------
        ConfigError
            If the annotation began with other picks, or a file is in the way.
        """
        name = volume.tomogram_id
        start = self.folder / f"{name}{START_SUFFIX}"
        if (self.folder / f"{name}.journal.jsonl").exists():
            if given and _digest(Path(given)) != _digest(start):
                raise ConfigError(
                    f"The annotation in {self.folder} began with other picks of {name} "
                    f"than {given}. Leave out --coordinates to go on with it, or give "
                    "another folder (--out)."
                )
            return _read_picks(start, volume), _digest(start)
        if (self.folder / f"{name}.csv").exists():
            raise ConfigError(
                f"{self.folder} holds a {name}.csv that is not of an annotation, and "
                "it is not overwritten. Give another folder (--out)."
            )
        if given is None:
            start.unlink(missing_ok=True)  # Of a window that was killed while opening.
            return make_particles(name, []), ""
        particles = _read_picks(Path(given), volume)
        with write_whole(start) as temporary:
            shutil.copyfile(given, temporary)
        return particles, _digest(start)


def _check_new_classes(config: ViewConfig, folder: Path) -> None:
    """Refuse classes to mark that no model could learn; those of picks are as they are.

    Raises
    ------
    ConfigError
        Naming the first, and a name like it.
    """
    if not (config.coordinates or config.compare or (folder / CLASSES_FILE).exists()):
        named = [name for name in config.diameter if name != ONLY_CLASS]
        require_new_names(named, what="--diameter")
        require_new_names(config.kind, what="--kind")


def _lock(folder: Path):
    """Take the folder for this process; the system frees it even after a kill."""
    stream = None
    try:
        path = folder / LOCK_FILE
        stream = os.fdopen(open_own(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), "a")
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        stream.close()
        raise ResourceError(
            f"The annotation {folder} is open in another window. Close that one, or "
            "give another folder (--out)."
        ) from error
    except OSError as error:
        raise ResourceError(
            f"The annotation folder {folder} cannot be used: {error}. Give another "
            "(--out)."
        ) from error
    return stream


def _pair_inputs(config: ViewConfig) -> dict[str, dict[str, str | None]]:
    """Return for each tomogram the files of the other lists that belong to it."""
    lists = {
        "coordinates": config.coordinates,
        "compare": config.compare,
        "probability": config.probability,
        "mask": config.mask,
    }
    pairs = {
        name: pair_files(config.tomogram, files, flag=f"--{name}", every=False)
        for name, files in lists.items()
    }
    return {
        path: {name: found.get(path) for name, found in pairs.items()}
        for path in config.tomogram
    }


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file; nothing for one that is not there."""
    return file_sha256(path) if path.is_file() else ""


def _read_picks(path: Path, volume: VolumeFile) -> Particles:
    """Read picks that lie in the volume; an annotation may begin without a file."""
    if not path.exists() and path.name.endswith(START_SUFFIX):
        return make_particles(volume.tomogram_id, [])
    flat = volume.tomogram.is_flat
    particles = read_csv(path, tomogram_id=volume.tomogram_id, flat=flat)
    refuse_outside(particles, shape_zyx=volume.shape_zyx, path=path)
    return particles


def _open_map(path: str | None, volume: VolumeFile) -> VolumeFile | None:
    """Open a probability map, of the tomogram's size, that lies over it."""
    if path is None:
        return None
    over = open_volume(path, volume.voxel_size)
    if over.shape_zyx != volume.shape_zyx:
        raise ConfigError(
            f"{path}: size (z, y, x) {over.shape_zyx}, but its tomogram's is "
            f"{volume.shape_zyx}. Give a map made on that tomogram."
        )
    return over
