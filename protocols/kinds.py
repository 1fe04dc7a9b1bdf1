"""What a form's classes are: as typed, and as the sets of coordinates say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from etpicker_plugin.protocols.form import add_parameters, read_parameters

from etpicker_plugin.convert_kinds import CURVED, told_kind
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.kinds import KINDS


def add_kinds(form: Any, help_text: str = "") -> None:
    """Ask for the classes that are no particles, where their sets do not say it."""
    add_parameters(
        form,
        TrainConfig,
        ("kind",),
        help=help_text
        or "Classes that are no particles: NAME=filament or NAME=vesicle, separated by "
        "spaces. Empty, where the sets are of this plugin: they say it themselves. In "
        "a set of filaments the group ids number them, from 1 in each tomogram, and "
        "the points of one stand in order along it. The diameter of a filament is its "
        "width; that of a vesicle a usual one.",
    )


def typed_kinds(protocol: Any, names: Collection[str] | None = None) -> dict[str, str]:
    """Return what a form says of classes.

    Raises
    ------
    ConfigError
        If it cannot be read, or is of none of the ``names``.
    """
    typed = read_parameters(protocol, TrainConfig, ("kind",))["kind"]
    for name, kind in typed.items():
        if kind not in KINDS:
            raise ConfigError(
                f"--kind {name}={kind}: expected {', '.join(KINDS[:-1])} or "
                f"{KINDS[-1]}."
            )
        if names is not None and name not in names:
            raise ConfigError(
                f"--kind {name}={kind}: '{name}' is none of the classes "
                f"({', '.join(names) or 'none'}). Correct the name."
            )
    return typed


def kinds_of(sources: Any, typed: Mapping[str, str]) -> dict[str, str]:
    """Return the kind of each class that is no particle: as typed, or as its set says.

    ``sources`` are pairs of a set and a function from group id to class.

    Raises
    ------
    ConfigError
        If both say something else.
    """
    kinds = dict(typed)
    for item, class_of in sources:
        told, name = told_kind(item), class_of(1)
        if told not in CURVED or name is None:
            continue
        if kinds.setdefault(name, told) != told:
            raise ConfigError(
                f"--kind {name}={kinds[name]}, but the coordinates of '{name}' say "
                f"that they are of the kind '{told}'. Leave it out, or give other "
                "coordinates."
            )
    return kinds
