"""Reading JSON that anybody may have written: what it may hold is said by small checks.

A check takes a value and the words for where it stands, and returns the value or
raises ``JsonFault``, which says what was got and what was expected. Each reader turns
that into its own error, or leaves its unfinished work and begins anew.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Callable

Check = Callable[[Any, str], Any]

SHOWN = 60
DEEPEST = 100
TOO_DEEP = "lists within lists, nested too deeply"
LARGEST_WHOLE = 2**53
"""Beyond, a program that reads numbers as floats would have another one."""


class JsonFault(ValueError):
    """What is wrong with a JSON text or with a value in it."""


# --------------------------- texts --------------------------------------------
def parse(text: str | bytes, *, finite: bool = True) -> Any:
    """Return what a JSON text holds.

    Parameters
    ----------
    finite
        Refuse NaN and infinities, which are no JSON though Python writes them.

    Raises
    ------
    JsonFault
        If it is none, is nested too deeply, or has a key twice.
    """
    constant = _refuse_constant if finite else float
    try:
        found = json.loads(
            text if isinstance(text, str) else text.decode("utf-8"),
            object_pairs_hook=_without_repetition,
            parse_constant=constant,
        )
    except JsonFault:
        raise
    except RecursionError:
        raise JsonFault(TOO_DEEP) from None
    except ValueError as error:
        raise JsonFault(f"no JSON: {error}") from error
    _refuse_depth(found)
    return found


def _refuse_depth(found: Any) -> None:
    """Refuse what the program that writes it again, or shows it, could not go down."""
    level = [found] if isinstance(found, (dict, list)) else []
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise JsonFault(TOO_DEEP)


def _refuse_constant(name: str) -> float:
    raise JsonFault(f"it holds {name}, which is no number in JSON")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise JsonFault(f"the key {_shown(twice)} stands twice in one object")
    return found


# --------------------------- values -------------------------------------------
def anything(value: Any, where: str) -> Any:
    """Let every value pass."""
    return value


def text(value: Any, where: str) -> str:
    """Let a text pass that UTF-8 can write."""
    if not isinstance(value, str):
        raise _fault(value, where, "a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _fault(value, where, "a text of whole characters") from None
    return value


def yes_or_no(value: Any, where: str) -> bool:
    """Let true and false pass."""
    if not isinstance(value, bool):
        raise _fault(value, where, "true or false")
    return value


def number(least: float = -math.inf, most: float = math.inf) -> Check:
    """Let a finite number pass that is neither below ``least`` nor above ``most``."""

    def check(value: Any, where: str) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _fault(value, where, "a number")
        if not _is_finite(value) or not least <= value <= most:
            raise _fault(value, where, _between("a finite number", least, most))
        return value

    return check


def whole(least: float = -LARGEST_WHOLE, most: float = LARGEST_WHOLE) -> Check:
    """Let a whole number pass that is neither below ``least`` nor above ``most``."""

    def check(value: Any, where: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _fault(value, where, "a whole number")
        if not least <= value <= most:
            raise _fault(value, where, _between("a whole number", least, most))
        return value

    return check


def one_of(*choices: str) -> Check:
    """Let one of some texts pass."""

    def check(value: Any, where: str) -> str:
        if value not in choices:
            raise _fault(value, where, f"one of: {', '.join(choices)}")
        return str(value)

    return check


# --------------------------- what holds values --------------------------------
def or_none(item: Check) -> Check:
    """Let null pass too."""
    return lambda value, where: None if value is None else item(value, where)


def list_of(item: Check, length: int | None = None, *, least: int = 0) -> Check:
    """Let a list pass, of so many values, each of which passes; it becomes a tuple."""

    def check(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise _fault(value, where, "a list")
        if len(value) < least or (length is not None and len(value) != length):
            wanted = f"{least} or more" if length is None else str(length)
            raise JsonFault(f"{where}: {len(value)} value(s), expected {wanted}")
        try:
            return tuple(item(v, where) for v in value)
        except JsonFault:  # Only now is it worth while to count them.
            return tuple(item(v, f"{where}[{n}]") for n, v in enumerate(value))

    return check


def map_of(item: Check) -> Check:
    """Let an object pass, each of whose values passes."""

    def check(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _fault(value, where, "an object")
        return {
            text(name, where): item(v, _inside(where, name))
            for name, v in value.items()
        }

    return check


def record(
    needed: Mapping[str, Check],
    optional: Mapping[str, Check] | None = None,
    *,
    others: bool = False,
) -> Check:
    """Let an object pass that has some keys and may have some.

    ``others``: keys that are not named pass as they are, else they are refused.
    """
    known = {**needed, **(optional or {})}

    def check(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _fault(value, where, "an object")
        missing = sorted(set(needed) - set(value))
        unknown = sorted(set(value) - set(known))
        if missing or (unknown and not others):
            words = [f"{_shown(n)} is missing" for n in missing]
            words += [] if others else [f"{_shown(n)} is not known" for n in unknown]
            raise JsonFault(f"{where}: {'; '.join(words[:4])}")
        return {
            name: known.get(name, anything)(v, _inside(where, name))
            for name, v in value.items()
        }

    return check


def _inside(where: str, name: str) -> str:
    return f"{where}.{name[:SHOWN]}" if where else name[:SHOWN]


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # A whole number larger than any float.
        return False


def _between(what: str, least: float, most: float) -> str:
    if most == math.inf:
        return what if least == -math.inf else f"{what} of {least:g} or more"
    return f"{what} from {least:g} to {most:g}"


def _fault(value: Any, where: str, expected: str) -> JsonFault:
    return JsonFault(f"{where}: got {_shown(value)}, expected {expected}")


def _shown(value: Any) -> str:
    if isinstance(value, (Mapping, list)):
        return "an object" if isinstance(value, Mapping) else "a list"
    if isinstance(value, int) and abs(value) > 10**SHOWN:
        return "a number of very many digits"
    words = repr(value)
    return words if len(words) <= SHOWN else f"{words[:SHOWN]}…"
