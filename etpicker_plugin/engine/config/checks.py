"""Checks shared by the commands' parameters."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.negative import NEGATIVE

MOST = {
    "seed": 2**31 - 1,  # What RELION and torch both take.
    "threads": 4096,
    "ranks": 9999,
    # learning
    "steps": 10**7,
    "max_minutes": 10**6,
    "batch_size": 4096,
    "patch_size": 512,
    "learning_rate": 1,
    "patience": 10**6,
    "f_alpha": 100,
    "label_diameter": 5000,
    "exemplar_budget": 10**4,
    "replay_weight": 10**6,
    "distillation_weight": 10**6,
    "feature_weight": 10**6,
    "importance_weight": 10**6,
    # picking and judging
    "tile_size": 4096,
    "max_picks": 10**8,
    "border": 10**6,
    "min_distance": 10**6,
    "z_range": 10**6,
    "match_distance": 10**5,
    "f_beta": 100,
    "resamples": 10**6,
    "seeds": 1000,
    "max_particles": 10**6,
    # boxes and RELION
    "dimensions": 10**6,
    "binning": 1000,
    "box_size": 4096,
    "voltage": 10**4,
    "spherical_aberration": 1000,
    "iterations": 1000,
    "classes": 1000,
    "diameter": 5000,
    "initial_lowpass": 10**5,
    "offset_range": 10**5,
    "tau2_fudge": 1000,
    # simulation
    "tomograms": 10**5,
    "shape": 10**5,
    "particles": 10**6,
    "snr": 10**6,
    "tilt_step": 90,
    "defocus": 100,
    "membranes": 10**5,
    "filaments": 10**5,
    "gold": 10**5,
}
"""What a parameter may be at most, whatever the command: far beyond what makes sense,
and below what no machine could do."""


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


def require_not_negative(config: Any, *names: str) -> None:
    """Refuse parameters below 0."""
    for name in names:
        value = getattr(config, name)
        require(
            value >= 0,
            f"--{name.replace('_', '-')}: got {value}, expected 0 or more.",
        )


def require_in_bounds(config: Any) -> None:
    """Refuse numbers that are not finite, or larger than makes any sense."""
    for field in dataclasses.fields(config):
        most = MOST.get(field.name, math.inf)
        for value in _numbers_in(getattr(config, field.name)):
            finite = math.isfinite(value)
            wanted = f"{most:g} or less" if finite else "a finite number"
            require(
                finite and value <= most,
                f"--{field.name.replace('_', '-')}: got {value}, expected {wanted}.",
            )


def _numbers_in(value: Any) -> Iterator[float]:
    """Yield a number, or those of a list or of named ones; no text."""
    if isinstance(value, dict):
        value = tuple(value.values())
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, (int, float)) and not isinstance(item, bool):
            yield item


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
