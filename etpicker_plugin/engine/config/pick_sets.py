"""Parameters of the commands that judge several pickers' sets side by side."""

from typing import Any

from etpicker_plugin.engine.config.checks import (
    require,
    require_diameters,
    require_tomogram_lists,
)
from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.names import require_new_names

CONTROL = "control"
"""Name of the random-coordinate set; no picker may have it."""
MAX_SETS = 5
"""More sets would make 63 subsets and no diagram that one can read."""


def picks_option() -> Any:
    """Declare the sets."""
    return option(
        REQUIRED,
        "Each set's name and its folder, which holds one coordinate CSV per tomogram, "
        "named after it.",
        label="Picks",
        counts="content",
    )


def tomograms_option() -> Any:
    """Declare the tomograms that the sets belong to."""
    return option(
        REQUIRED,
        "Tomograms that were picked (MRC).",
        label="Tomograms",
        counts="content",
    )


def diameter_option() -> Any:
    """Declare the one class that is judged."""
    return option(
        REQUIRED,
        "The class to judge and its particle diameter; one class at a time.",
        label="Particle diameter",
        unit="Å",
        example="ribosome=323",
        class_in="picks",
    )


def match_distance_option() -> Any:
    """Declare how near two picks of one particle are."""
    return option(
        None,
        "Two picks at most this far apart are the same particle; without it, half "
        "the particle diameter.",
        label="Match distance",
        unit="Å",
        advanced=True,
    )


def require_pick_sets(config: Any, *, least: int) -> None:
    """Refuse names that cannot be told apart or written, and wrong numbers of sets."""
    names = list(config.picks)
    require(
        least <= len(names) <= MAX_SETS,
        f"--picks: got {len(names)} set(s), expected {least} to {MAX_SETS}. Give each "
        "as NAME=FOLDER.",
    )
    require_new_names(names, what="--picks")
    for name in names:
        require(
            name.lower() != CONTROL,
            f"--picks: '{name}' is the name of the random coordinates. Give the set "
            "another name.",
        )
    require_tomogram_lists(config, "tomogram")
    require(
        len(config.diameter) == 1,
        f"--diameter: got {len(config.diameter)} classes, expected one. Run the "
        "command once for each class.",
    )
    require_diameters(config.diameter)
