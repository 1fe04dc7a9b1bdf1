"""Checks shared by the commands' parameters."""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Collection, Iterator
from typing import Any

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.kinds import KINDS
from etpicker_plugin.engine.names import (
    is_hidden,
    printable,
    require_classes,
    require_tomograms,
)
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.pairing import pair_files

logger = logging.getLogger(__name__)

VOXEL_SIZE_RANGE = (0.1, 1000.0)
"""Å; what lies outside is no voxel size of a tomogram."""

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
    "filament_step": 10**6,
    "filament_gap": 10**6,
    "filament_length": 10**6,
    "filament_radius": 10**9,
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
    "micrographs": 10**6,
    "shape": 10**5,
    "particles": 10**6,
    "snr": 10**6,
    "tilt_step": 90,
    "defocus": 100,
    "membranes": 10**5,
    "filaments": 10**5,
    "gold": 10**5,
    "defocus_range": 100,
    "dose": 10**4,
    "crystals": 10**4,
    "aggregates": 10**4,
    "hot_pixels": 10**6,
    "filament_species": 10**5,
    "vesicle_species": 10**5,
}
"""What a parameter may be at most, whatever the command: far beyond what makes sense,
and below what no machine could do."""


def require(condition: bool, message: str) -> None:
    """Raise ``ConfigError`` with the message unless the condition holds."""
    if not condition:
        raise ConfigError(message)


def require_kinds(kinds: dict[str, str], classes: Collection[str]) -> None:
    """Refuse kinds that do not exist, or of a class that is not asked for."""
    require_known_kinds(kinds)
    for name, kind in kinds.items():
        require(
            name in classes,
            f"--kind {name}={kind}: '{name}' is none of the classes with a diameter "
            f"({', '.join(classes) or 'none'}). Give its diameter too, or correct the "
            "name.",
        )


def require_known_kinds(kinds: dict[str, str]) -> None:
    """Refuse kinds that do not exist, and one of negatives."""
    for name, kind in kinds.items():
        require(
            name != NEGATIVE,
            f"--kind {name}={kind}: '{NEGATIVE}' is the class of places without a "
            "particle. Leave it out of --kind.",
        )
        require(
            kind in KINDS,
            f"--kind {name}={kind}: expected {', '.join(KINDS[:-1])} or {KINDS[-1]}.",
        )


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
    """Refuse parameters below 0; one that is not given is none."""
    for name in names:
        value = getattr(config, name)
        require(
            value is None or value >= 0,
            f"--{name.replace('_', '-')}: got {value}, expected 0 or more.",
        )


def pass_over_hidden(config: Any, *names: str) -> None:
    """Leave hidden files out of lists of files, with a warning; refuse a list of them.

    The lists are changed in the configuration, which no one has seen yet.
    """
    for name in names:
        paths = getattr(config, name)
        hidden = [path for path in paths if is_hidden(path)]
        if not hidden:
            continue
        shown = f"--{name.replace('_', '-')}: {printable(', '.join(hidden))}"
        require(
            len(hidden) < len(paths),
            f"{shown}: hidden files (macOS leaves them on shared disks) are no data. "
            "Give others.",
        )
        logger.warning("%s: hidden files are passed over.", shown)
        kept = tuple(path for path in paths if not is_hidden(path))
        object.__setattr__(config, name, kept)


def require_tomogram_lists(config: Any, *names: str) -> None:
    """Refuse tomograms of one name, or of names that no file of ours may have."""
    pass_over_hidden(config, *names)
    for name in names:
        require_tomograms(getattr(config, name), flag=f"--{name.replace('_', '-')}")


def put_in_order(config: Any, name: str, *, of: str) -> None:
    """Put a list of files in the order of those to which they belong, by name.

    So whoever has the configuration may take them one by one (see ``pairing``).
    """
    pass_over_hidden(config, name)
    flag, owner_flag = (f"--{n.replace('_', '-')}" for n in (name, of))
    pairs = pair_files(
        getattr(config, of), getattr(config, name), flag=flag, owner_flag=owner_flag
    )
    object.__setattr__(config, name, tuple(pairs.values()))


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


def require_diameters(diameters: dict[str, float]) -> None:
    """Refuse diameters that no particle has, one of negatives, and names of none."""
    require_classes(diameters, what="--diameter")
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
