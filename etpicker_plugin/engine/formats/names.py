"""Which tomogram is meant, when programs name the same one differently."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from etpicker_plugin.engine.errors import InputDataError

TOMOGRAM_EXTENSIONS = (".mrc", ".mrcs", ".rec", ".map", ".st", ".tomostar")


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


def match_names(wanted: Sequence[str], known: Sequence[str]) -> NameMatch:
    """Match names to known ones: the same text, or the same file name in short.

    RELION's ``Tomograms/TS_01.mrc`` is ``TS_01`` (see ``short_name``).
    """
    pairs = {}
    for name in wanted:
        found = next((n for n in (name, short_name(name)) if n in known), None)
        if found is not None:
            pairs[name] = found
    used = set(pairs.values())
    return NameMatch(
        pairs=pairs,
        unmatched=tuple(name for name in wanted if name not in pairs),
        unused=tuple(name for name in known if name not in used),
    )


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


def number_classes(
    names: Sequence[str], *, order: Sequence[str] = ()
) -> dict[str, int]:
    """Number classes from 1: those of ``order`` first, then the others sorted."""
    present = sorted(set(names) - set(order))
    return {name: n for n, name in enumerate((*dict.fromkeys(order), *present), 1)}


def name_class(number: int, *, order: Sequence[str] = ()) -> str:
    """Return the name of a class of which only the number (from 1) is known."""
    return order[number - 1] if 1 <= number <= len(order) else f"class_{number}"
