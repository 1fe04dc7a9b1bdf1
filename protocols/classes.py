"""Which coordinates are of which class: by set, or by group id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.newer_python import zip_strict

BY_SET = 0
BY_GROUP = 1
CLASS_CHOICES = ("one class per set", "one class per group id")


def match_sets(names: Sequence[str], labels: Sequence[str]) -> list[str | None]:
    """Return the class of each set; ``None`` leaves a set out.

    A set whose label is one of the names is that class, whatever its place; several of
    one label are one class. If that covers all names, further sets are left out;
    otherwise the other sets take the remaining names in order.

    Raises
    ------
    ConfigError
        If names are left without a set, or sets without a name.
    """
    missing = [name for name in names if name not in labels]
    if names and not missing:
        return [label if label in names else None for label in labels]
    others = [label for label in labels if label not in names]
    if len(missing) != len(others):
        raise ConfigError(
            f"{len(labels)} coordinate set(s) ({', '.join(labels)}), but "
            f"{len(names)} class(es) with a diameter ({', '.join(names) or 'none'}). "
            "Give NAME=DIAMETER once for each set, or choose 'one class per group id'."
        )
    left = iter(missing)
    return [label if label in names else next(left) for label in labels]


def merged(matched: Sequence[str | None]) -> dict[str, int]:
    """Return the classes that several sets make up, and how many."""
    counts = Counter(name for name in matched if name is not None)
    return {name: count for name, count in counts.items() if count > 1}


def match_groups(
    names: Sequence[str], group_ids: Sequence[int], *, numbered: Collection[str] = ()
) -> dict[int, str]:
    """Return the class of each group id.

    Ids from 1 to the number of names count along the names. Other ids, when there are
    as many as names, take the names in ascending order. ``numbered`` are classes of
    filaments or vesicles, which have sets of their own: no group id is one of them.

    Raises
    ------
    ConfigError
        If the ids fit neither way.
    """
    ids = sorted(set(group_ids))
    counted = {i: names[i - 1] for i in ids if 1 <= i <= len(names)}
    if ids and len(counted) == len(ids) and not set(counted.values()) & set(numbered):
        return counted
    names = [name for name in names if name not in numbered]
    if len(ids) == len(names):
        return dict(zip_strict(ids, names))
    found = ", ".join(str(i) for i in ids) or "none"
    raise ConfigError(
        f"The coordinates have the group ids {found}, but {len(names)} class(es) have "
        f"a diameter ({', '.join(names) or 'none'}). Give NAME=DIAMETER once for each "
        "group id, in ascending order."
    )
