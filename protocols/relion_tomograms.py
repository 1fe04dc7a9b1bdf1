"""RELION's tomograms.star, where it lies by the tomograms of a set.

RELION reconstructs ``JOB/tomograms/rec_NAME.mrc`` and lists them in
``JOB/tomograms.star``; so does Scipion's protocol that runs it, and tomograms that were
imported are links to RELION's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from etpicker_plugin.protocols.words import in_form_words
from pyworkflow.object import String

from etpicker_plugin.convert import tomogram_file
from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.format import Format
from etpicker_plugin.engine.formats.tilt_series import read_tilt_series
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.volumes.tomogram import read_tomogram

TOMOGRAMS_STAR = "tomograms.star"


def find_tomograms_star(tomograms: Mapping[str, Any]) -> str:
    """Return the file of RELION that lists all these tomograms, by tsId.

    It is nothing where there is none, or where one of them is not as it stands there:
    cut, of another voxel size. One that cannot be read says nothing.
    """
    files = {ts_id: tomogram_file(t) for ts_id, t in tomograms.items()}
    folders = {Path(file).resolve().parent.parent for file in files.values()}
    found = [f / TOMOGRAMS_STAR for f in folders if (f / TOMOGRAMS_STAR).is_file()]
    if len(folders) != 1 or not found:
        return ""
    try:
        series = read_tilt_series(tomograms=str(found[0]))
        for ts_id, tomogram in tomograms.items():
            frame = _frame_of(ts_id, files[ts_id], tomogram.getSamplingRate())
            if frame is not None:
                series.described(frame, files[ts_id])
    except (ConfigError, InputDataError):
        return ""
    return str(found[0])


def _frame_of(ts_id: str, file: str, rate: float) -> TomogramFrame | None:
    """Return what the engine will see of a tomogram; nothing if that is a fault."""
    try:
        opened = read_tomogram(file, rate, trust_voxel_size=True)
    except InputDataError:
        return None
    return TomogramFrame(tomogram_id=ts_id, shape_zyx=opened.shape_zyx, voxel_size=rate)


class TomogramsStar:
    """What a protocol that converts does with it: a mixin; takes it, and tells it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.tomogramsStar = String()

    def _chooseStar(self, kind: Format, given: str | None, tomograms) -> str:
        """Return the file that the form names, or that lies by the tomograms."""
        if given or not kind.heeds_tomograms:
            return given or ""
        return find_tomograms_star(tomograms)

    def _keepStar(self, star: str) -> None:
        """Note what a run has taken, for its Summary."""
        self.tomogramsStar.set(star)
        self._store(self.tomogramsStar)

    def _starLines(self, kind: Format) -> list[str]:
        """Return where names and positions come from, for a Summary."""
        star = self.tomogramsStar.get()
        if kind.heeds_tomograms and star:
            return [f"Names, sizes and pixel sizes are RELION's own, of {star}."]
        if kind.without_tomograms:
            return [in_form_words(kind.without_tomograms, ConvertConfig)]
        return []
