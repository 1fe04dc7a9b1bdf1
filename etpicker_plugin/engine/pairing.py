"""Which file of a list belongs to which of another: one rule for every command.

Files go by name where their names agree, whatever their order, and by their order only
where no name says anything. Where some agree and others do not, nobody can know: that
is refused.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.names import composed

logger = logging.getLogger(__name__)

BETWEEN_WORDS = re.compile(r"[\W_]+")
MOST_SHOWN = 4


def pair_files(
    owners: Sequence[str],
    files: Sequence[str],
    *,
    flag: str,
    owner_flag: str = "--tomogram",
    every: bool = True,
    by_order: bool = True,
) -> dict[str, str]:
    """Return the file of each owner (a tomogram, mostly), in the owners' order.

    A file's name agrees with its owner's if it is the same or holds it, word by word
    (``TS_1_mask``, ``mask_TS_1``, not ``TS_10``), or is held by it; or if what tells
    the names of one list apart is what tells those of the other (``picks_1``). One file
    and one owner belong together whatever their names.

    Parameters
    ----------
    every
        Refuse an owner without a file.
    by_order
        Whether files whose names say nothing go by their order; not where they were
        found in a folder.

    Raises
    ------
    ConfigError
        If they do not pair up, or two files are of one owner.
    """
    if every and len(files) != len(owners):
        raise ConfigError(
            f"{owner_flag} names {len(owners)} file(s) and {flag} {len(files)}. Give "
            "one for each, named after it or in the same order."
        )
    if not files:
        return {}
    if len(files) == len(owners) == 1:
        return {owners[0]: files[0]}
    found = owners_by_name(_stems(owners), _stems(files))
    if len(found) < len(files):
        found = found or _owners_by_folder(owners, files)
        found = found or _owners_by_difference(_stems(owners), _stems(files))
    if not found and by_order and len(files) == len(owners):
        _warn_order(owners, files, flag=flag, owner_flag=owner_flag)
        found = {i: i for i in range(len(files))}
    if len(found) < len(files) or len(set(found.values())) < len(files):
        raise ConfigError(
            f"{flag}: {_describe(found, owners, files, owner_flag[2:])}. Name each "
            f"after its {owner_flag[2:]}, or none and give them in the same order."
        )
    file_of = {owner: file for file, owner in found.items()}
    return {owners[o]: files[file_of[o]] for o in sorted(file_of)}


def owners_by_name(owners: Sequence[str], names: Sequence[str]) -> dict[int, int]:
    """Return each name's owner, both by index, as far as names agree.

    The same text goes first.
    """
    same = {composed(owner): index for index, owner in enumerate(owners)}
    words = [_words(owner) for owner in owners]
    found = {}
    for index, name in enumerate(map(composed, names)):
        owner = same.get(name)
        owner = _nearest(_words(name), words) if owner is None else owner
        if owner is not None:
            found[index] = owner
    return found


def _nearest(name: tuple[str, ...], owners: Sequence[tuple[str, ...]]) -> int | None:
    """Return the longest of the owners that a name holds, or the one that holds it."""
    held = [i for i, owner in enumerate(owners) if _holds(name, owner)]
    longest = max((len(owners[i]) for i in held), default=0)
    fitting = [i for i in held if len(owners[i]) == longest]
    fitting = fitting or [i for i, owner in enumerate(owners) if _holds(owner, name)]
    return fitting[0] if len(fitting) == 1 else None


def _holds(whole: tuple[str, ...], part: tuple[str, ...]) -> bool:
    """Tell whether words stand in others, one after the other."""
    places = range(len(whole) - len(part) + 1)
    return bool(part) and any(whole[i : i + len(part)] == part for i in places)


def _owners_by_folder(owners: Sequence[str], files: Sequence[str]) -> dict[int, int]:
    """Return whose each file is by its folder, ``TS_01/picks.csv``; all or none."""
    found = owners_by_name(_stems(owners), [Path(file).parent.name for file in files])
    return found if _is_one_to_one(found, len(files)) else {}


def _owners_by_difference(
    owners: Sequence[str], names: Sequence[str]
) -> dict[int, int]:
    """Return whose each name is by what tells the names of its list apart."""
    keys = {key: index for index, key in enumerate(_differences(owners))}
    found = [(i, keys.get(key)) for i, key in enumerate(_differences(names)) if key]
    return {index: owner for index, owner in found if owner is not None}


def _differences(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each name's words without those that all begin or end with.

    ``01`` and ``1`` are one number.
    """
    words = [[w.lstrip("0") or w[:1] for w in _words(name)] for name in names]
    for step in (1, -1):
        turned = [name[::step] for name in words]
        shared = _count_shared(turned)
        words = [name[shared:][::step] for name in turned]
    return [tuple(name) for name in words]


def _count_shared(lists: Sequence[list[str]]) -> int:
    """Return how many first words all have alike."""
    shared = 0
    for column in zip(*lists):
        if len(set(column)) > 1:
            break
        shared += 1
    return shared


def _is_one_to_one(found: dict[int, int], count: int) -> bool:
    return len(found) == count == len(set(found.values()))


def _stems(paths: Sequence[str]) -> list[str]:
    return [Path(path).stem for path in paths]


def _words(name: str) -> tuple[str, ...]:
    return tuple(filter(None, BETWEEN_WORDS.split(composed(name).casefold())))


def _warn_order(
    owners: Sequence[str], files: Sequence[str], *, flag: str, owner_flag: str
) -> None:
    shown = [f"{Path(files[i]).name} of {Path(o).name}" for i, o in enumerate(owners)]
    logger.warning(
        "%s: no file is named after its %s, so they are taken in the order given: %s%s",
        flag,
        owner_flag[2:],
        ", ".join(shown[:MOST_SHOWN]),
        " …" if len(shown) > MOST_SHOWN else "",
    )


def _describe(
    found: dict[int, int], owners: Sequence[str], files: Sequence[str], of: str
) -> str:
    """Return why the files do not pair up."""
    counts = Counter(found.values())
    double = [f for f, owner in found.items() if counts[owner] > 1]
    if double:
        names = ", ".join(Path(files[f]).name for f in double[:MOST_SHOWN])
        return f"{names} are named after one {of}, {owners[found[double[0]]]}"
    alone = [Path(f).name for i, f in enumerate(files) if i not in found]
    free = [Path(o).name for i, o in enumerate(owners) if i not in found.values()]
    return (
        f"some files are named after their {of} and others are not; without a {of}: "
        f"{', '.join(alone[:MOST_SHOWN])}; {of} without a file: "
        f"{', '.join(free[:MOST_SHOWN]) or 'none'}"
    )
