"""Which coordinate files a user means, and which tomogram each belongs to."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tomo.convert.mdoc import normalizeTSId

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.catalogue import format_named
from etpicker_plugin.engine.formats.names import split_class
from etpicker_plugin.engine.names import visible

TS_LABEL = "{TS}"


@dataclass(frozen=True)
class CoordinateFiles:
    """The files at a path: a file, or those in a folder that a pattern fits.

    Without a pattern those that the format's own fits. ``kind`` is the format's name,
    ``ts_ids`` are the tomograms' names.
    """

    path: Path
    pattern: str
    kind: str
    ts_ids: tuple[str, ...]
    default_class: str = "particle"

    @property
    def format(self):
        """The format's record."""
        return format_named(self.kind)

    def find(self) -> list[Path]:
        """Return the files, without our sidecars.

        Raises
        ------
        ConfigError
            If there is none.
        """
        if self.path.is_file():
            return [self.path]
        pattern = self.pattern or self.format.glob
        pattern = pattern.replace(TS_LABEL, "*")
        try:
            found = {f for f in visible(self.path.glob(pattern)) if f.is_file()}
        except (ValueError, NotImplementedError) as error:
            raise ConfigError(
                f"Pattern '{pattern}': {error}. Check folder and pattern."
            ) from error
        files = sorted(found - {self.format.sidecar(f) for f in found})
        if not files:
            raise ConfigError(
                f"No file '{pattern}' in '{self.path}'. Check folder and pattern."
            )
        return files

    def by_name(self) -> dict[str, list[Path]]:
        """Return the files by the tsId that they give.

        Raises
        ------
        ConfigError
            If two files would be of one tomogram, or of one class of it.
        """
        found = defaultdict(list)
        for file in self.find():
            found[normalizeTSId(self._name_of(file))].append(file)
        for ts_id, files in found.items():
            links = {self.link_name(ts_id, file) for file in files}
            allowed = len(files) if self.format.is_per_class else 1
            if len(files) > allowed or len(links) < len(files):
                raise ConfigError(
                    f"{len(files)} files are of {ts_id}: "
                    f"{', '.join(str(f) for f in files[:4])}. Expected one: choose "
                    "them with the pattern."
                )
        return dict(found)

    def jobs(self) -> dict[str, tuple[Path, list[str]]]:
        """Return, for formats of many tomograms, file and tsIds by a job's name."""
        if not self.format.is_joint:
            return {}
        jobs = enumerate(self.find(), 1)
        return {f"file_{i}": (file, self._names_in(file)) for i, file in jobs}

    def link_name(self, ts_id: str, file: Path) -> str:
        """Return the name under which the engine knows whose the file is."""
        if self.format.class_in_name:
            return str(self.format.path_of(ts_id, self._class_of(ts_id, file)))
        if self.format.is_per_class:
            return str(self.format.path_of(ts_id).parent / file.name)
        return f"{ts_id}{file.suffix}"

    def link(self, folder: Path) -> None:
        """Link every file, and its sidecar, under its tomogram's name in a folder."""
        shutil.rmtree(folder, ignore_errors=True)
        for ts_id, files in self.by_name().items():
            for file in files:
                link = folder / self.link_name(ts_id, file)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(file.resolve())
                sidecar = self.format.sidecar(file)
                if sidecar.is_file():
                    self.format.sidecar(link).symlink_to(sidecar.resolve())

    def _names_in(self, file: Path) -> list[str]:
        """Return the tomograms that a file of many may name.

        Without the list that should lie beside it, it says no name but its own.
        """
        ts_id = normalizeTSId(self._name_of(file))
        beside = self.format.list_beside
        alone = beside and not file.with_suffix(beside).is_file()
        return [ts_id] if alone and ts_id in self.ts_ids else sorted(self.ts_ids)

    def _name_of(self, file: Path) -> str:
        """Return the tomogram that a file's name, or what lies in it, gives."""
        if TS_LABEL in self.pattern and self.path.is_dir():
            whole = "/" in self.pattern
            name = file.relative_to(self.path).as_posix() if whole else file.name
            return tomogram_name(name, self.pattern)
        if self.format.is_joint:
            return file.stem
        return self.format.owner_of(file, self.ts_ids)[0]

    def _class_of(self, ts_id: str, file: Path) -> str:
        """Return the class in the name of a file TOMOGRAM_CLASS."""
        if file.stem == ts_id:
            return self.default_class
        return split_class(file.stem, [ts_id])[1] or file.stem


def tomogram_name(file_name: str, pattern: str) -> str:
    """Return the tomogram's name in a file name, by ``{TS}`` in the pattern."""
    if TS_LABEL in pattern:
        before, after = (
            re.escape(part).replace(r"\*", ".*?") for part in pattern.split(TS_LABEL, 1)
        )
        match = re.fullmatch(f"{before}([^/]+){after}", file_name)
        if match:
            return match.group(1)
    return Path(file_name).stem
