"""Parameters of ``etpicker evaluate``."""

from dataclasses import dataclass
from typing import Dict, Tuple

from etpicker_plugin.engine.config.checks import (
    put_in_order,
    require,
    require_diameters,
    require_in_bounds,
    require_kinds,
    require_positive,
    require_tomogram_lists,
    require_voxel_size,
)
from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.config.shared import kind_option, score_column_option


@dataclass(frozen=True)
class EvaluateConfig:
    """Picks, truth, and how near counts as found."""

    picks: Tuple[str, ...] = option(
        REQUIRED,
        "One CSV of picks per tomogram.",
        counts="content",
    )
    truth: Tuple[str, ...] = option(
        REQUIRED,
        "One CSV of true centres per tomogram, named like its picks.",
        counts="content",
    )
    diameter: Dict[str, float] = option(
        REQUIRED,
        "Each class to judge and its particle diameter.",
        label="Particle diameter",
        unit="Å",
        example="ribosome=323 proteasome=150",
        class_in="truth",
    )
    kind: Dict[str, str] = kind_option()
    voxel_size: float = option(
        REQUIRED, "Voxel size of the coordinates.", label="Voxel size", unit="Å"
    )
    out: str = option(
        REQUIRED,
        "Folder for metrics.json and the report.",
        counts="no",
    )
    score_column: str = score_column_option("the picks, where it is not 'score'")
    match_distance: float = option(
        0.5,
        "A pick is true when a particle lies within this share of its diameter.",
        label="Match distance",
        unit="diameters",
        advanced=True,
    )
    f_beta: float = option(
        4.0,
        "How much more recall counts than precision in F-beta.",
        label="Weight of recall (F-beta)",
        advanced=True,
    )

    def __post_init__(self) -> None:
        """Refuse contradictions before any file is opened."""
        require_tomogram_lists(self, "picks")
        put_in_order(self, "truth", of="picks")
        require_diameters(self.diameter)
        require_kinds(self.kind, self.diameter)
        require_voxel_size(self, "voxel_size")
        require_positive(self, "match_distance", "f_beta")
        require(
            self.match_distance <= 2.0,
            f"--match-distance: got {self.match_distance} diameters, expected 2 or "
            "less.",
        )
        require_in_bounds(self)
