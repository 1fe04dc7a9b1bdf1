"""Parameters of ``etpicker evaluate``."""

from dataclasses import dataclass

from etpicker_plugin.engine.config.checks import (
    require,
    require_diameters,
    require_positive,
    require_same_number,
)
from etpicker_plugin.engine.config.options import REQUIRED, option


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Picks, truth, and how near counts as found."""

    picks: tuple[str, ...] = option(
        REQUIRED,
        "One CSV of picks per tomogram.",
        counts="content",
    )
    truth: tuple[str, ...] = option(
        REQUIRED,
        "One CSV of true centres per tomogram, in the same order.",
        counts="content",
    )
    diameter: dict[str, float] = option(
        REQUIRED,
        "Each class to judge and its particle diameter.",
        label="Particle diameter",
        unit="Å",
        class_in="truth",
    )
    voxel_size: float = option(
        REQUIRED, "Voxel size of the coordinates.", label="Voxel size", unit="Å"
    )
    out: str = option(
        REQUIRED,
        "Folder for metrics.json and the report.",
        counts="no",
    )
    match_distance: float = option(
        0.5,
        "A pick is true when a particle lies within this share of its diameter.",
        label="Match distance",
        unit="diameters",
        advanced=True,
    )
    f_beta: float = option(
        4.0, "Weight of recall in F-beta.", label="F-beta", advanced=True
    )

    def __post_init__(self) -> None:
        """Refuse contradictions before any file is opened."""
        require_same_number(self.picks, self.truth, "picks", "truth")
        require_diameters(self.diameter)
        require_positive(self, "voxel_size", "match_distance", "f_beta")
        require(
            self.match_distance <= 2.0,
            f"--match-distance: got {self.match_distance} diameters, expected 2 or "
            "less.",
        )
