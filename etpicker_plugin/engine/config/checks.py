"""Checks shared by the commands' parameters."""

import math
from typing import Any

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.negative import NEGATIVE

VOXEL_SIZE_RANGE = (0.1, 1000.0)
"""Å; what lies outside is no voxel size of a tomogram."""


def require(condition: bool, message: str) -> None:
    """Raise ``ConfigError`` with the message unless the condition holds."""
    if not condition:
        raise ConfigError(message)


def require_positive(config: Any, *names: str) -> None:
    """Refuse parameters that are given and are not finite positive numbers."""
    for name in names:
        value = getattr(config, name)
        require(
            value is None or (math.isfinite(value) and value > 0),
            f"--{name.replace('_', '-')}: got {value}, expected a number above 0.",
        )


def require_voxel_size(config: Any, *names: str) -> None:
    """Refuse voxel sizes that are given and that no tomogram has."""
    low, high = VOXEL_SIZE_RANGE
    for name in names:
        value = getattr(config, name)
        require(
            value is None or low <= value <= high,
            f"--{name.replace('_', '-')}: got {value}, expected a number of {low:g} "
            f"to {high:g} Å: the edge of a voxel.",
        )


def require_given_if_trusted(config: Any) -> None:
    """Refuse trust in a voxel size that is not given, and one that none can have."""
    require_voxel_size(config, "voxel_size")
    require(
        not config.trust_voxel_size or config.voxel_size is not None,
        "--trust-voxel-size is given without --voxel-size. Give the voxel size that is "
        "right.",
    )


def require_not_negative(config: Any, *names: str) -> None:
    """Refuse parameters below 0."""
    for name in names:
        value = getattr(config, name)
        require(
            value >= 0,
            f"--{name.replace('_', '-')}: got {value}, expected 0 or more.",
        )


def require_same_number(
    first: tuple[str, ...], second: tuple[str, ...], name: str, other: str
) -> None:
    """Refuse lists that do not pair up."""
    require(
        len(first) == len(second),
        f"--{name} names {len(first)} file(s) and --{other} {len(second)}. "
        "Give one for each, in the same order.",
    )


def require_diameters(diameters: dict[str, float]) -> None:
    """Refuse diameters that no particle has, and one of negatives."""
    for name, value in diameters.items():
        require(
            name != NEGATIVE,
            f"--diameter {name}={value:g}: '{NEGATIVE}' is the class of places without "
            "a particle, which has no diameter. Leave it out of --diameter.",
        )
        require(
            10.0 <= value <= 5000.0,
            f"--diameter {name}={value:g}: expected a particle diameter of 10 to "
            "5000 Å. Diameters are given in Å, not in voxels.",
        )
