"""Which coordinate files a user means, and which tomogram each belongs to."""

import re
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tomo.convert.mdoc import normalizeTSId

from etpicker_plugin.engine.config.convert import FILE_PER_CLASS, JOINT_FORMATS
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.copick_json import PICKS, copick_run
from etpicker_plugin.engine.formats.dynamo_table import table_map_of
from etpicker_plugin.engine.formats.eman2_json import SUFFIX as EMAN2_SUFFIX
from etpicker_plugin.engine.formats.names import split_class
from etpicker_plugin.engine.formats.portal_ndjson import portal_path
from etpicker_plugin.engine.formats.sidecar import sidecar_of

TS_LABEL = "{TS}"
PATTERNS = {
    "copick": f"**/{PICKS}/*.json",
    "eman2": f"*{EMAN2_SUFFIX}.json",
    "portal": "*.ndjson",
    "dynamo": "*.tbl",
    "relion3": "*.star",
    "relion4": "*.star",
    "relion5": "*.star",
    "warp": "*.star",
    "warp-normalised": "*.star",
}
"""The files in a folder where no pattern is given; all files for other formats."""


@dataclass(frozen=True, kw_only=True)
class CoordinateFiles:
    """The files at a path: a file, or those in a folder that a pattern fits.

    ``kind`` is the format, ``ts_ids`` are the tomograms' names.
    """

    path: Path
    pattern: str
    kind: str
    ts_ids: tuple[str, ...]
    default_class: str = "particle"

    def find(self) -> list[Path]:
        """Return the files, without our sidecars.

        Raises
        ------
        ConfigError
            If there is none.
        """
        if self.path.is_file():
            return [self.path]
        pattern = self.pattern or PATTERNS.get(self.kind, "*")
        pattern = pattern.replace(TS_LABEL, "*")
        found = {f for f in self.path.glob(pattern) if f.is_file()}
        files = sorted(found - {sidecar_of(f) for f in found})
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
            allowed = len(files) if self.kind in FILE_PER_CLASS else 1
            if len(files) > allowed or len(links) < len(files):
                raise ConfigError(
                    f"{len(files)} files are of {ts_id}: "
                    f"{', '.join(str(f) for f in files[:4])}. Expected one: choose "
                    "them with the pattern."
                )
        return dict(found)

    def jobs(self) -> dict[str, tuple[Path, list[str]]]:
        """Return, for formats of many tomograms, file and tsIds by a job's name."""
        if self.kind not in JOINT_FORMATS:
            return {}
        jobs = enumerate(self.find(), 1)
        return {f"file_{i}": (file, self._names_in(file)) for i, file in jobs}

    def link_name(self, ts_id: str, file: Path) -> str:
        """Return the name under which the engine knows whose the file is."""
        if self.kind == "copick":
            return f"{ts_id}/{PICKS}/{file.name}"
        if self.kind == "portal":
            return portal_path(ts_id, self._class_of(ts_id, file)).name
        return f"{ts_id}{file.suffix}"

    def link(self, folder: Path) -> None:
        """Link every file, and its sidecar, under its tomogram's name in a folder."""
        shutil.rmtree(folder, ignore_errors=True)
        for ts_id, files in self.by_name().items():
            for file in files:
                link = folder / self.link_name(ts_id, file)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(file.resolve())
                if sidecar_of(file).is_file() and self.kind != "copick":
                    sidecar_of(link).symlink_to(sidecar_of(file).resolve())

    def _names_in(self, file: Path) -> list[str]:
        """Return the tomograms that a file of many may name.

        A Dynamo table without its ``.doc`` says no name but its own.
        """
        ts_id = normalizeTSId(self._name_of(file))
        alone = self.kind == "dynamo" and not table_map_of(file).is_file()
        return [ts_id] if alone and ts_id in self.ts_ids else sorted(self.ts_ids)

    def _name_of(self, file: Path) -> str:
        """Return the tomogram that a file's name, or what lies in it, gives."""
        if TS_LABEL in self.pattern and self.path.is_dir():
            whole = "/" in self.pattern
            name = file.relative_to(self.path).as_posix() if whole else file.name
            return tomogram_name(name, self.pattern)
        if self.kind == "copick":
            return copick_run(file)
        if self.kind == "eman2":
            return file.stem.removesuffix(EMAN2_SUFFIX)
        if self.kind == "portal":
            return split_class(file.stem, self.ts_ids)[0]
        return file.stem

    def _class_of(self, ts_id: str, file: Path) -> str:
        """Return the class in the name of a file of the portal."""
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
