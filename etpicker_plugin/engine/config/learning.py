"""What ``train`` and ``update`` have in common: parameters and their checks."""

from typing import Any

from etpicker_plugin.engine.config.checks import (
    put_in_order,
    require,
    require_diameters,
    require_given_if_trusted,
    require_not_negative,
    require_positive,
    require_tomogram_lists,
)
from etpicker_plugin.engine.config.options import option


def mask_option() -> Any:
    """Declare where not to learn."""
    return option(
        (),
        "One region mask (MRC) per tomogram, named after it: voxels that are 0 are "
        "not learnt from.",
        label="Region masks",
        counts="content",
        of="tomogram",
    )


def max_minutes_option() -> Any:
    """Declare how long learning may take."""
    return option(
        None,
        "Stop after this wall time, with the learning rate annealed to it. An "
        "unfinished training goes on with another limit where it was.",
        label="Time limit",
        unit="min",
        counts="no",
    )


def patch_size_option() -> Any:
    """Declare the size of a training patch."""
    return option(
        64,
        "Edge of a training patch, at the working voxel size; a multiple of 8.",
        label="Patch size",
        unit="voxels",
        advanced=True,
    )


def learning_rate_option(*, more: str = "") -> Any:
    """Declare the learning rate; ``more`` is added to its help."""
    return option(
        3e-3,
        f"Peak of the one-cycle schedule.{more}",
        label="Learning rate",
        advanced=True,
    )


def validation_fraction_option() -> Any:
    """Declare how much of each tomogram is held out."""
    return option(
        0.2,
        "Share of each tomogram held out when no validation tomogram is given.",
        label="Validation share",
        advanced=True,
    )


def f_alpha_option() -> Any:
    """Declare the validation score."""
    return option(
        3.0,
        "Weight of recall in the validation score 2·P·R^α/(P+R^α). Where annotation is "
        "sparse no precision is known, and the score is the average precision.",
        label="Weight of recall (F-alpha)",
        advanced=True,
    )


def patience_option() -> Any:
    """Declare when to stop early."""
    return option(
        6,
        "Stop after this many validations without a better score.",
        label="Patience",
        unit="validations",
        advanced=True,
    )


def seed_option() -> Any:
    """Declare the seed."""
    return option(0, "Seed of every random choice.", label="Seed", advanced=True)


def check_learning(config: Any) -> None:
    """Refuse contradictions before any file is opened.

    Raises
    ------
    ConfigError
        Naming the parameter, what was given, and what is expected.
    """
    require_tomogram_lists(config, "tomogram", "validation_tomogram")
    if config.coordinates:
        put_in_order(config, "coordinates", of="tomogram")
    if config.mask:
        put_in_order(config, "mask", of="tomogram")
    put_in_order(config, "validation_coordinates", of="validation_tomogram")
    require_given_if_trusted(config)
    require_positive(config, "max_minutes", "steps", "batch_size")
    require_positive(config, "learning_rate", "f_alpha", "patience", "exemplar_budget")
    require_not_negative(config, "seed", "threads")
    require_diameters(config.diameter)
    require(
        config.patch_size >= 16 and config.patch_size % 8 == 0,
        f"--patch-size: got {config.patch_size}, expected a multiple of 8, 16 or more.",
    )
    require(
        0.05 <= config.validation_fraction <= 0.5,
        f"--validation-fraction: got {config.validation_fraction}, expected 0.05 to "
        "0.5.",
    )
