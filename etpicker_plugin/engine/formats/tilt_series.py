"""What is known of tomograms' tilt series: from a user, and from RELION itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.relion_tomograms import (
    BINNING_TOLERANCE,
    RelionTomogram,
    as_relion_has_it,
    find_tomogram,
    read_tomograms_star,
)
from etpicker_plugin.engine.formats.tilt_series_names import (
    SeriesNames,
    read_series_table,
)
from etpicker_plugin.engine.geometry import TomogramFrame


@dataclass(frozen=True)
class TiltSeries:
    """Names that a user gave, and RELION's tomograms by name.

    Attributes
    ----------
    binning
        As the user gave it; ``None`` if it was not given.
    source
        Where RELION's tomograms were read; ``None`` if they were not.
    """

    names: SeriesNames = field(default_factory=SeriesNames)
    relion: Mapping[str, RelionTomogram] = field(default_factory=dict)
    source: Path | None = None
    binning: float | None = None

    def described(self, frame: TomogramFrame, path: Path | str) -> TomogramFrame:
        """Return the frame of the tomogram in a file with what is known beside it.

        Raises
        ------
        ConfigError
            If no pattern fits its name, or RELION has another binning than was given.
        InputDataError
            If RELION does not know it, or has another binning or size.
        """
        series = self.names.said_of(frame.tomogram_id)
        if self.source is None:
            return replace(frame, tilt_series=series, binning=self.binning or 1.0)
        tomogram = find_tomogram(
            frame.tomogram_id,
            Path(path),
            self.relion,
            series=series,
            source=self.source,
        )
        known = as_relion_has_it(frame, tomogram, source=self.source)
        self._check_binning(known)
        return known

    def _check_binning(self, frame: TomogramFrame) -> None:
        given = frame.binning if self.binning is None else self.binning
        if abs(given - frame.binning) > BINNING_TOLERANCE * frame.binning:
            raise ConfigError(
                f"--binning: got {given:g}, but tomogram {frame.tomogram_id} has "
                f"{frame.binning:g} in {self.source}. Leave out --binning: RELION "
                "says it."
            )


def read_tilt_series(
    *,
    tomograms: str = "",
    tilt_series_name: Sequence[str] = (),
    tilt_series_table: str = "",
    binning: float | None = None,
) -> TiltSeries:
    """Read what a command's parameters of these names say.

    Raises
    ------
    ConfigError, InputDataError
        If a pattern, the table or RELION's file cannot be used.
    """
    table = read_series_table(Path(tilt_series_table)) if tilt_series_table else {}
    return TiltSeries(
        names=SeriesNames(patterns=tuple(tilt_series_name), table=table),
        relion=read_tomograms_star(Path(tomograms)) if tomograms else {},
        source=Path(tomograms) if tomograms else None,
        binning=binning,
    )
