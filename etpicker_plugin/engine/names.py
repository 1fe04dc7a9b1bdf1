"""What a class, a tomogram or a set may be called: one rule for every command.

A name goes into file names, CSV, JSON, STAR files, flags, plots and Scipion's labels,
and each of these holds less than any text. So there are three strengths:

* a *text* is any name that is only read: visible, not empty, not too long;
* a *file name* is a text that stays in the folder that it is put into;
* a *new name*, of a class to be learnt say, is one that every file holds as it is.

A STAR file holds words. Where a name is no word and cannot be changed, because it is a
raw file's or an older model's, ``star_word`` says what stands there instead.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from etpicker_plugin.engine.errors import ConfigError, InputDataError

logger = logging.getLogger(__name__)

LONGEST = 150
LONGEST_NEW = 60
LONGEST_OF_ALL = 225
"""Bytes. A disk takes 255; what an unfinished file is called besides needs the rest."""
INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's categories of control characters, marks that turn text over, halves of
characters, and ends of lines."""
ALPHABET = "LNM"
"""First letters of the categories of letters, digits, and marks upon letters."""
STAR_BREAKERS = "'\"#"
STAR_OPENINGS = ("_", "$", ";", "[", "]", "data_", "loop_", "save_", "stop_", "global_")
"""A word that begins so is taken for something else where it opens a line."""
NO_NAMES = ("nan", "na", "none", "null", "inf")
"""Readers of tables take these for missing values."""


def tomogram_id_of(path: Path | str) -> str:
    """Return the name that a tomogram's outputs carry."""
    return Path(path).stem


def is_hidden(path: Path | str) -> bool:
    """Tell whether a file is hidden: ``._TS_01.csv`` of macOS is no data."""
    name = Path(path).name
    return name.startswith(".") and name not in (".", "..")


def visible(paths: Iterable[Path]) -> list[Path]:
    """Return the paths found in a folder, sorted, without hidden files."""
    return sorted(path for path in paths if not is_hidden(path))


def printable(text: str) -> str:
    """Return a text with control characters and ends of lines as ``\\x1b``."""
    return "".join(
        repr(c)[1:-1] if unicodedata.category(c) in INVISIBLE else c for c in text
    )


def composed(name: str) -> str:
    """Return a name with letter and accent as one character, as keyboards give it."""
    return unicodedata.normalize("NFC", name)


def text_fault(name: str) -> str:
    """Return why a name cannot be used at all, or nothing."""
    if not name.strip():
        return "it is empty"
    if printable(name) != name:
        return "it holds control characters"
    size = len(name.encode())
    return f"it has {size} bytes, of {LONGEST} at most" if size > LONGEST else ""


def file_fault(name: str) -> str:
    """Return why a name cannot be a file's, in a folder of ours, or nothing."""
    if any(c in name for c in "/\\\0"):
        return "it holds a path separator"
    if name.startswith("."):
        return "it begins with a dot, as hidden files do"
    return text_fault(name)


def class_fault(name: str) -> str:
    """Return why a name cannot be a class's, in whatever file, or nothing."""
    if name != name.strip() and name.strip():
        return "it begins or ends with a blank"
    return text_fault(name)


def new_name_fault(name: str) -> str:
    """Return why a name cannot be given to something new, or nothing."""
    fault = file_fault(name)
    if fault:
        return fault
    if len(name.encode()) > LONGEST_NEW:
        return f"it has {len(name.encode())} bytes, of {LONGEST_NEW} at most"
    if name.lower() in NO_NAMES:
        return "tables take it for a missing value"
    if name != composed(name):
        return "its accents stand apart from their letters"
    if not _is_letter(name[0]):
        return "it does not begin with a letter or a digit"
    if name.startswith(STAR_OPENINGS):
        return "STAR files take it for a word of their own"
    odd = dict.fromkeys(c for c in name if not (_is_letter(c) or c in "-_.+"))
    return f"it holds {' '.join(map(repr, odd))}" if odd else ""


def suggest(name: str) -> str:
    """Return a new name like the one that is refused."""
    name = "".join(c if _is_letter(c) or c in "-_.+" else "_" for c in composed(name))
    name = re.sub("_{2,}", "_", name).strip("-_.+") or "particle"
    name = f"x_{name}" if name.startswith(STAR_OPENINGS) else name
    while len(name.encode()) > LONGEST_NEW:
        name = name[:-1]
    return f"{name}_1" if name.lower() in NO_NAMES else name


def require_new_names(names: Iterable[str], *, what: str) -> None:
    """Refuse names that not every file holds.

    Parameters
    ----------
    what
        What is called so, ``--diameter`` or ``class`` say.

    Raises
    ------
    ConfigError
        Saying why, and what to call it.
    """
    names = list(names)
    for name in names:
        fault = new_name_fault(name)
        if fault:
            raise ConfigError(
                f"{what}: the name '{_short(name)}' cannot be used: {fault}. Expected "
                f"letters, digits, '-', '_', '.' and '+', {LONGEST_NEW} bytes at most. "
                f"Rename it, for example {suggest(name)}."
            )
    if len({name.casefold() for name in names}) < len(names):
        raise ConfigError(
            f"{what}: the names {', '.join(names)} differ in case only. Rename one."
        )


def require_classes(names: Iterable[str], *, what: str) -> None:
    """Refuse classes that can be none.

    Raises
    ------
    ConfigError
        Saying why, and what to call it.
    """
    for name in names:
        fault = class_fault(name)
        if fault:
            raise ConfigError(
                f"{what}: the name '{_short(name)}' cannot be used: {fault}. "
                f"Rename it, for example {suggest(name)}."
            )


def require_class_in_file(name: str, *, what: str) -> None:
    """Refuse a class in a file that can be none.

    Raises
    ------
    InputDataError
        Saying why, and what to call it.
    """
    fault = class_fault(name)
    if fault:
        raise InputDataError(
            f"{what}: the name '{_short(name)}' cannot be used: {fault}. "
            f"Rename it, for example {suggest(name)}."
        )


def require_tomograms(paths: Sequence[str], *, flag: str = "--tomogram") -> None:
    """Refuse tomograms that are not told apart by name, or whose names are no files'.

    Raises
    ------
    ConfigError
        Naming them.
    """
    names = [composed(tomogram_id_of(path)) for path in paths]
    for path in paths:
        name = tomogram_id_of(path)
        fault = file_fault(name)
        if fault:
            raise ConfigError(
                f"{flag}: the tomogram's name '{_short(name)}' cannot be used: "
                f"{fault}. Rename the file, for example "
                f"{suggest(name)}{Path(path).suffix}, or give a link of that name."
            )
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise ConfigError(
            f"{flag}: Several tomograms are named {', '.join(double)}; what is made of "
            "them would have one name. Rename them or give links of other names, or "
            "run the command once for each."
        )


def require_file_name(name: str, *, what: str) -> str:
    """Return a name that comes from a file, if a file of ours may have it.

    Raises
    ------
    InputDataError
        If it would lie outside its folder, be hidden, or be none.
    """
    fault = file_fault(name)
    if fault:
        raise InputDataError(
            f"{what}: the name '{_short(name)}' cannot be a file's: {fault}. "
            f"Rename it, for example {suggest(name)}."
        )
    return name


def require_path(path: Path) -> Path:
    """Return the path of a file of ours, if each of its names is short enough.

    Raises
    ------
    InputDataError
        If a name made of several is too long for a disk.
    """
    for part in path.parts:
        size = len(part.encode())
        if size > LONGEST_OF_ALL:
            raise InputDataError(
                f"The file {_short(part)} would have a name of {size} bytes, of "
                f"{LONGEST_OF_ALL} at most. Shorten the tomogram's or the class's."
            )
    return path


def image_word(is_flat: bool) -> str:
    """Return what one image is called: a micrograph, if it is one slice thick."""
    return "micrograph" if is_flat else "tomogram"


def star_word(name: str) -> str:
    """Return what stands for a name in a STAR file: itself, or with ``_``."""
    word = "".join(
        "_" if c.isspace() or c in STAR_BREAKERS or printable(c) != c else c
        for c in name
    )
    return f"x{word}" if not word or word.startswith(STAR_OPENINGS) else word


def warn_star_words(names: Iterable[str], *, what: str) -> None:
    """Say which names stand otherwise in STAR files.

    Raises
    ------
    ConfigError
        If two would be one word.
    """
    words = {name: star_word(name) for name in names}
    for word in set(words.values()):
        same = [name for name, own in words.items() if own == word]
        if len(same) > 1:
            raise ConfigError(
                f"{what}: the names {', '.join(map(_short, same))} would both be "
                f"{word} in a STAR file, which holds words. Rename one."
            )
    changed = [f"'{_short(n)}' is {w}" for n, w in words.items() if n != w]
    if changed:
        logger.warning(
            "%s: STAR files hold words, so there %s; CSV and JSON keep the name.",
            what,
            ", ".join(changed),
        )


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in ALPHABET


def _short(name: str) -> str:
    """Return a name as it can be shown."""
    shown = printable(name)
    return shown if len(shown) <= LONGEST else f"{shown[:40]}…"
