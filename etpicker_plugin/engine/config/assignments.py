"""``NAME=VALUE`` words of flags and forms."""

from collections.abc import Sequence

from etpicker_plugin.engine.errors import ConfigError

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
    if alone and len(texts) == 1 and _is_number(texts[0]):
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


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


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
