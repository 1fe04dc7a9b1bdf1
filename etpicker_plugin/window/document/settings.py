"""The classes of an annotation: names, diameters and thresholds, kept in its folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.config.checks import require_diameters
from etpicker_plugin.engine.errors import EtPickerError, InputDataError
from etpicker_plugin.engine.json_checks import (
    JsonFault,
    anything,
    list_of,
    map_of,
    number,
    one_of,
    parse,
    record,
    text,
    whole,
    yes_or_no,
)
from etpicker_plugin.engine.kinds import KINDS, PARTICLE
from etpicker_plugin.engine.negative import NEGATIVE

FORMAT = 1
SETTINGS = record(
    {
        "classes": list_of(
            record(
                {"name": text, "diameter_ang": number(10, 5000)},
                {
                    "threshold": number(),
                    "guessed": yes_or_no,
                    "model_threshold": number(),
                    "kind": one_of(*KINDS),
                },
            )
        )
    },
    {"format": whole(1), "pending": map_of(anything)},
)
DEFAULT_CLASS = "particle"
UNKNOWN_DIAMETER_ANG = 200.0
"""Drawn, and said to be a guess, for a class whose diameter nobody gave."""


@dataclass(frozen=True)
class ParticleClass:
    """A class of an annotation.

    Attributes
    ----------
    diameter_ang
        As given or measured, or a guess.
    threshold
        The lowest score kept, 0 for all.
    guessed
        Whether nobody has said what the diameter is.
    model_threshold
        The threshold of the model that made the picks, if it is known.
    kind
        ``particle``, ``filament`` or ``vesicle``; ``None`` while nobody has said it.
    """

    name: str
    diameter_ang: float
    threshold: float = 0.0
    guessed: bool = False
    model_threshold: float | None = None
    kind: str | None = None


class Classes:
    """The classes in the order of their keys; every change is written at once."""

    def __init__(self, path: Path, given: Mapping[str, float]) -> None:
        """Read them from ``path``, and add the given names and diameters (Å).

        Raises
        ------
        ConfigError
            If a diameter is impossible, or a name is the one of negatives.
        InputDataError
            If the file cannot be read.
        """
        self.path = path
        self._written, self.pending = _read(path)
        self._classes = {item.name: item for item in self._written}
        for name, diameter in given.items():
            self.change(name, diameter_ang=diameter)

    def __iter__(self) -> Iterator[ParticleClass]:
        """Iterate over the classes, without that of negatives."""
        return iter(self._classes.values())

    def __len__(self) -> int:
        """Return their number."""
        return len(self._classes)

    def names(self) -> list[str]:
        """Return the names, in order."""
        return list(self._classes)

    def __getitem__(self, name: str) -> ParticleClass:
        """Return a class; one not declared has the unknown diameter."""
        return self._classes.get(name) or ParticleClass(
            name=name, diameter_ang=self.largest_diameter(), guessed=True
        )

    def largest_diameter(self) -> float:
        """Return the largest diameter in Å."""
        known = [item.diameter_ang for item in self]
        return max(known, default=UNKNOWN_DIAMETER_ANG)

    def kind_of(self, name: str) -> str:
        """Return the kind of a class: a particle unless something else is said."""
        return self[name].kind or PARTICLE

    def guessed(self) -> list[str]:
        """Return the classes whose diameter nobody has said."""
        return [item.name for item in self if item.guessed]

    def add_missing(self, names: Iterable[str]) -> None:
        """Declare classes that picks have, and one if there is none at all."""
        wanted = [name for name in names if name not in (*self._classes, NEGATIVE)]
        if not wanted and not self._classes:
            wanted = [DEFAULT_CLASS]
        for name in wanted:
            self.change(name)

    def change(self, name: str, *, keep: bool = True, **values: Any) -> None:
        """Declare a class or change a value of it; a diameter given is no guess.

        ``keep`` writes it down; a slider that is still moving need not.
        """
        if "diameter_ang" in values:
            require_diameters({name: values["diameter_ang"]})
            values["guessed"] = False
        changed = replace(self[name], **values)
        self._classes[name] = changed
        if keep and self._written != list(self):
            self._write()

    def put(self, items: Iterable[ParticleClass], *, pending: dict[str, Any]) -> None:
        """Have these classes instead, in this order, and note why.

        ``pending`` are JSON values of a change that the journals do not hold yet; if
        the window is killed before they do, the next one finishes it.
        """
        before = self._classes
        self._classes, self.pending = {item.name: item for item in items}, pending
        try:
            self._write()
        except EtPickerError:
            self._classes, self.pending = before, None
            raise

    def finish(self) -> None:
        """Note that nothing is pending any more."""
        self.pending = None
        self._write()

    def _write(self) -> None:
        settings = {"format": FORMAT, "classes": [_to_values(item) for item in self]}
        if self.pending is not None:
            settings["pending"] = self.pending
        with write_whole(self.path) as temporary:
            temporary.write_text(
                json.dumps(settings, indent=1, ensure_ascii=False), encoding="utf-8"
            )
        self._written = list(self)


def _to_values(item: ParticleClass) -> dict[str, Any]:
    """Return a class as JSON values, without what is not known of it."""
    return {k: v for k, v in asdict(item).items() if v is not None and v is not False}


def _read(path: Path) -> tuple[list[ParticleClass], dict[str, Any] | None]:
    """Return the classes, and the change that a killed window did not finish."""
    if not path.exists():
        return [], None
    try:
        found = SETTINGS(parse(path.read_bytes()), "classes.json")
        names = [values["name"] for values in found["classes"]]
        if len(set(names)) < len(names):
            raise JsonFault("a class stands in it twice")
    except (OSError, JsonFault) as error:
        raise InputDataError(
            f"{path} cannot be read as the classes of an annotation: {error}. Move "
            "it away; the picks do not depend on it."
        ) from error
    return [ParticleClass(**v) for v in found["classes"]], found.get("pending")
