"""``NAME=VALUE`` words of flags and forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.plain_numbers import is_any_number

ONLY_CLASS = "*"
"""Name of a number that is given alone: for the one class that there is."""


def parse_assignments(
    texts: Sequence[str], *, flag: str, alone: bool = False
) -> dict[str, float]:
    """Parse ``NAME=VALUE`` words into a dictionary of numbers.

    With ``alone`` a single number is taken too: its name is ``ONLY_CLASS``.

    Raises
    ------
    ConfigError
        If a word has no ``=``, a name repeats, or a value is not a number.
    """
    if alone and len(texts) == 1 and is_any_number(texts[0]):
        return {ONLY_CLASS: float(texts[0])}
    parsed: dict[str, float] = {}
    for name, value in parse_named_texts(texts, flag=flag).items():
        try:
            parsed[name] = float(value)
        except ValueError as error:
            raise ConfigError(
                f"{flag}: got '{value}' for '{name}', expected a number."
            ) from error
    return parsed


def parse_named_texts(texts: Sequence[str], *, flag: str) -> dict[str, str]:
    """Parse ``NAME=TEXT`` words into a dictionary; blanks around ``=`` are nothing.

    Raises
    ------
    ConfigError
        If a word has no ``=``, or a name repeats.
    """
    parsed: dict[str, str] = {}
    for text in join_blanks(texts):
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise ConfigError(f"{flag}: got '{text}', expected NAME=VALUE.")
        if name in parsed:
            raise ConfigError(f"{flag}: '{name}' is given twice. Give it once.")
        parsed[name] = value
    return parsed


def join_blanks(words: Sequence[str]) -> list[str]:
    """Return words without blanks about their ``=``: of ``a =``, ``1`` one, ``a=1``."""
    joined: list[str] = []
    for word in words:
        name, sign, value = (part.strip() for part in word.partition("="))
        text = f"{name}{sign}{value}"
        before = joined[-1] if joined else ""
        ends = before.endswith("=") and before.count("=") == 1 and not sign
        begins = text.startswith("=") and before and "=" not in before
        if ends or begins:
            joined[-1] = before + text
        else:
            joined.append(text)
    return joined


def name_only_class(
    number: float, given: Mapping[str, str] | Iterable[str], *, label: str
) -> dict[str, float]:
    """Give a number that stands alone to the only class of coordinates.

    ``given`` are their CSV files or folders of them, or such by any names.

    Raises
    ------
    ConfigError
        If there are several classes, or none.
    InputDataError
        If a file cannot be read.
    """
    # Numbers that stand alone are rare, and NumPy takes a while.
    from etpicker_plugin.engine.formats.coordinates_csv import csv_files, read_csv

    paths = given.values() if isinstance(given, Mapping) else given
    found = {
        str(name)
        for path in map(Path, paths)
        for file in csv_files(path)
        for name in set(read_csv(file, tomogram_id="", flat=True).class_names.tolist())
    }
    return only_of(number, found, label=label)


def only_of(number: float, names: Iterable[str], *, label: str) -> dict[str, float]:
    """Return the number by the only name there is, beside that of negatives.

    Raises
    ------
    ConfigError
        If there are several names, or none.
    """
    classes = sorted(set(names) - {NEGATIVE})
    if len(classes) != 1:
        example = next(iter(classes), "NAME")
        raise ConfigError(
            f"{label}: got {number:g} alone, which is for one class, but there are "
            f"{len(classes)} ({', '.join(classes) or 'none'}). Write NAME=VALUE, "
            f"{example}={number:g} say, for each that is meant."
        )
    return {classes[0]: number}
