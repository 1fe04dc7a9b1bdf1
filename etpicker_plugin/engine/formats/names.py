"""Which tomogram is meant, when programs name the same one differently."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import PurePosixPath
from typing import Callable, TypeVar

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.usual_names import usual_tilt_series
from etpicker_plugin.engine.names import star_word

MADE_OF_NUMBER = re.compile(r"class_([1-9]\d{0,5})")
KeyOf = Callable[[str], str]
Key = TypeVar("Key")
TOMOGRAM_EXTENSIONS = (
    *(".mrc", ".mrcs", ".rec", ".map", ".st", ".tomostar"),
    *(".tif", ".tiff"),
)


@dataclass(frozen=True)
class NameMatch:
    """``pairs`` maps wanted to known names; the rest found no partner."""

    pairs: dict[str, str]
    unmatched: tuple[str, ...]
    unused: tuple[str, ...]

    def describe(self) -> str:
        """Return the mismatch as a sentence for an error message."""
        return (
            f"without a tomogram: {', '.join(self.unmatched) or 'none'}; tomograms "
            f"without coordinates: {', '.join(self.unused) or 'none'}"
        )


def short_name(name: str) -> str:
    """Return a tomogram's name without folders and without a tomogram's extension.

    Another extension stays: ``TS_01.5`` and ``TS_01.6`` are two tomograms.
    """
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in TOMOGRAM_EXTENSIONS else path.name


def match_names(
    wanted: Sequence[str],
    known: Sequence[str],
    *,
    series: Mapping[str, str] | None = None,
) -> NameMatch:
    """Match names to known ones, the surest way first.

    The tilt series that a known tomogram was said to be of (``series``); the same
    text; the same file name in short, as RELION's ``Tomograms/TS_01.mrc`` is
    ``TS_01``; that name as a STAR file's word, as ``a_b`` is ``a b``; the same tilt
    series by its usual names, as ``rec_TS_01`` is of ``TS_01``. A name that fits
    several in one way, or several that fit one, have no partner.
    """
    said = series or {}
    ways: tuple[tuple[KeyOf, KeyOf], ...] = (
        (short_name, lambda name: said.get(name, "")),
        (str, str),
        (short_name, str),
        (short_name, star_word),
        (_usual, _usual),
    )
    pairs: dict[str, str] = {}
    left, free = list(dict.fromkeys(wanted)), list(dict.fromkeys(known))
    for wanted_key, known_key in ways:
        asked, offered = _by_key(left, wanted_key), _by_key(free, known_key)
        common = [(asked[key], offered[key]) for key in asked if key in offered]
        pairs.update((w[0], k[0]) for w, k in common if len(w) == len(k) == 1)
        left = [n for n in left if not any(n in w for w, _ in common)]
        free = [n for n in free if not any(n in k for _, k in common)]
    used = set(pairs.values())
    return NameMatch(
        pairs=pairs,
        unmatched=tuple(name for name in wanted if name not in pairs),
        unused=tuple(name for name in known if name not in used),
    )


def _usual(name: str) -> str:
    return usual_tilt_series(short_name(name))


def _by_key(names: Sequence[str], key_of: Callable[[str], str]) -> dict[str, list[str]]:
    """Group names by a key; those without one are left out."""
    groups: dict[str, list[str]] = {}
    for name in names:
        if key_of(name):
            groups.setdefault(key_of(name), []).append(name)
    return groups


def check_names(names: Sequence[str], *, kind: str = "STAR file") -> None:
    """Refuse names that end a word, a string or a line of a file of words.

    Raises
    ------
    InputDataError
        If there is one.
    """
    for name in names:
        if not name or any(c.isspace() or c in "'\"#" for c in name):
            raise InputDataError(
                f"The name '{name}' cannot stand in a {kind}. Rename it without "
                "spaces, quotes and '#'."
            )


def split_class(name: str, known: Sequence[str]) -> tuple[str, str | None]:
    """Split ``TOMOGRAM_CLASS`` (or with a dash) by the known tomograms' names.

    The longest that fits is taken; a name that is one of them, or fits none, has no
    class.
    """
    fitting = [k for k in known if name.startswith((f"{k}_", f"{k}-"))]
    if name in known or not fitting:
        return name, None
    tomogram = max(fitting, key=len)
    return tomogram, name[len(tomogram) + 1 :] or None


def number_in_order(names: Iterable[Key]) -> dict[Key, int]:
    """Number names from 1, as they come."""
    return {name: n for n, name in enumerate(dict.fromkeys(names), 1)}


def number_classes(
    names: Sequence[str], *, order: Sequence[str] = ()
) -> dict[str, int]:
    """Number classes from 1: those of ``order`` first, then the others sorted.

    ``class_7``, which ``name_class`` made of a number, is 7 again if that is free.
    """
    numbers = number_in_order(order)
    others = sorted(set(names) - set(numbers))
    for name in others:
        made_of = MADE_OF_NUMBER.fullmatch(name)
        if made_of and int(made_of[1]) not in numbers.values():
            numbers[name] = int(made_of[1])
    free = (n for n in count(1) if n not in numbers.values())
    for name in others:
        if name not in numbers:
            numbers[name] = next(free)
    return numbers


def name_class(number: int, *, order: Sequence[str] = ()) -> str:
    """Return the name of a class of which only the number (from 1) is known."""
    return order[number - 1] if 1 <= number <= len(order) else f"class_{number}"


def order_of(numbers: Mapping[str, int]) -> tuple[str, ...]:
    """Return the order that gives classes their numbers; unused ones are filled in."""
    names = {number: name for name, number in numbers.items()}
    return tuple(
        names.get(n, name_class(n)) for n in range(1, max(names, default=0) + 1)
    )
