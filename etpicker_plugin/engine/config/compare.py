"""Parameters of ``etpicker compare``."""

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from etpicker_plugin.engine.config.checks import (
    require,
    require_given_if_trusted,
    require_in_bounds,
    require_not_negative,
    require_positive,
)
from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.config.pick_sets import (
    diameter_option,
    match_distance_option,
    picks_option,
    require_pick_sets,
    tomograms_option,
)
from etpicker_plugin.engine.config.shared import (
    score_column_option,
    trust_voxel_size_option,
    voxel_size_option,
)


@dataclass(frozen=True)
class CompareConfig:
    """Which pickers' sets, how near counts as the same, and perhaps a truth."""

    picks: Dict[str, str] = picks_option()
    tomogram: Tuple[str, ...] = tomograms_option()
    diameter: Dict[str, float] = diameter_option()
    out: str = option(
        REQUIRED,
        "Folder for compare.json, the report and the coordinates of every subset.",
        label="Output folder",
        counts="no",
    )
    truth: Optional[str] = option(
        None,
        "Folder of true centres, one CSV per tomogram; every set is then scored too.",
        label="True centres",
        counts="content",
    )
    score_column: Dict[str, str] = score_column_option(
        "each set whose files call it otherwise than 'score': the set's name and the "
        "column",
        default={},
    )
    voxel_size: Optional[float] = voxel_size_option()
    trust_voxel_size: bool = trust_voxel_size_option()
    match_distance: Optional[float] = match_distance_option()
    f_beta: float = option(
        4.0,
        "How much more recall counts than precision in F-beta.",
        label="Weight of recall (F-beta)",
        advanced=True,
    )
    resamples: int = option(
        1000,
        "Bootstrap samples of the tomograms for the 95 % intervals.",
        label="Bootstrap samples",
        advanced=True,
    )
    seed: int = option(0, "Seed of the bootstrap.", label="Seed", advanced=True)

    def __post_init__(self) -> None:
        """Refuse contradictions before any file is opened."""
        require_pick_sets(self, least=2)
        require_given_if_trusted(self)
        require_positive(self, "match_distance", "f_beta")
        require_not_negative(self, "seed")
        unknown = ", ".join(sorted(set(self.score_column) - set(self.picks)))
        require(
            not unknown,
            f"--score-column: there is no set {unknown}. The sets are "
            f"{', '.join(self.picks)}.",
        )
        require(
            self.resamples >= 100,
            f"--resamples: got {self.resamples}, expected 100 or more.",
        )
        require_in_bounds(self)
