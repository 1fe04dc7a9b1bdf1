"""What the live picker is asked: one JSON object a line, checked."""

from dataclasses import dataclass

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.json_checks import (
    JsonFault,
    list_of,
    map_of,
    number,
    one_of,
    or_none,
    parse,
    record,
    text,
    whole,
)
from etpicker_plugin.engine.names import require_new_names
from etpicker_plugin.engine.negative import NEGATIVE

SOLVE, SAVE = "solve", "save"
KIND = record({"do": one_of(SOLVE, SAVE)}, others=True)
POSITION = list_of(number(-1e6, 1e6), 3)
CHECKS = {
    SOLVE: record(
        {
            "do": text,
            "number": whole(0),
            "classes": list_of(
                record({"name": text, "diameter_ang": number(0.01, 1e6)})
            ),
            "marks": map_of(map_of(list_of(POSITION))),
        },
        {"first": or_none(record({"tomogram": text, "z": number(-1e6, 1e6)}))},
    ),
    SAVE: record({"do": text, "path": text}),
}

Marks = dict[str, dict[str, FloatArray]]
"""Tomogram -> class, or negative -> ``(N, 3)`` zyx in voxels of the tomogram."""


@dataclass(frozen=True, kw_only=True)
class Solve:
    """Find what is like the marks.

    Attributes
    ----------
    diameters
        Of each class, Å.
    first
        The tomogram that is looked at, and the plane of it; empty if it is none.
    """

    number: int
    diameters: dict[str, float]
    marks: Marks
    first: str = ""
    first_z: float = 0.0

    def clicked_classes(self) -> list[str]:
        """Return the classes with a click in any tomogram, in their order."""
        return [
            name
            for name in self.diameters
            if any(len(of.get(name, ())) for of in self.marks.values())
        ]

    def has_marks(self, tomogram: str) -> bool:
        """Tell whether a tomogram has a mark, of a class or a negative."""
        return any(len(places) for places in self.marks.get(tomogram, {}).values())

    def places(self, tomogram: str, name: str) -> FloatArray:
        """Return the marks of a class in a tomogram, ``(N, 3)``."""
        return self.marks.get(tomogram, {}).get(name, np.zeros((0, 3)))


@dataclass(frozen=True)
class Save:
    """Write the model of the last solve."""

    path: str


Request = Solve | Save


def read_request(line: str) -> Request:
    """Return what a line asks for.

    Raises
    ------
    ConfigError
        If it is no request.
    """
    try:
        values = parse(line)
        kind = KIND(values, "request")["do"]
        values = CHECKS[kind](values, "request")
    except JsonFault as error:
        raise ConfigError(f"No request of the live picker: {error}.") from error
    if kind == SAVE:
        return Save(values["path"])
    diameters = {one["name"]: float(one["diameter_ang"]) for one in values["classes"]}
    require_new_names(diameters, what="classes")
    if NEGATIVE in diameters:
        raise ConfigError(
            f"'{NEGATIVE}' is no class: it marks places without a particle. Name the "
            "class otherwise."
        )
    first = values.get("first") or {"tomogram": "", "z": 0.0}
    return Solve(
        number=values["number"],
        diameters=diameters,
        marks={
            tomogram: {name: _zyx(places) for name, places in of.items()}
            for tomogram, of in values["marks"].items()
        },
        first=first["tomogram"],
        first_z=float(first["z"]),
    )


def _zyx(places: tuple[tuple[float, ...], ...]) -> FloatArray:
    return np.array(places, dtype=np.float64).reshape(-1, 3)[:, ::-1]
