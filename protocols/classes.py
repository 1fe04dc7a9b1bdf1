"""Which coordinates are of which class: by set, or by group id."""

from collections.abc import Sequence

from etpicker_plugin.engine.errors import ConfigError

BY_SET = 0
BY_GROUP = 1
CLASS_CHOICES = ("one class per set", "one class per group id")


def match_sets(names: Sequence[str], labels: Sequence[str]) -> list[str | None]:
    """Return the class of each set; ``None`` leaves a set out.

    A set whose label is one of the names is that class, whatever its place. If that
    covers all names, further sets are left out; otherwise the other sets take the
    remaining names in order.

    Raises
    ------
    ConfigError
        If names are left without a set, sets without a name, or two sets have one
        class's label.
    """
    labelled = [label for label in labels if label in names]
    if len(set(labelled)) != len(labelled):
        raise ConfigError(
            f"Two coordinate sets are labelled alike ({', '.join(labelled)}). Give "
            "each class one set, or join them first."
        )
    if names and len(labelled) == len(names):
        return [label if label in names else None for label in labels]
    if len(names) != len(labels):
        raise ConfigError(
            f"{len(labels)} coordinate set(s) ({', '.join(labels)}), but "
            f"{len(names)} class(es) with a diameter ({', '.join(names) or 'none'}). "
            "Give NAME=DIAMETER once for each set, or choose 'one class per group id'."
        )
    left = iter([name for name in names if name not in labelled])
    return [label if label in labelled else next(left) for label in labels]


def match_groups(names: Sequence[str], group_ids: Sequence[int]) -> dict[int, str]:
    """Return the class of each group id.

    Ids from 1 to the number of names count along the names. Other ids, when there are
    as many as names, take the names in ascending order.

    Raises
    ------
    ConfigError
        If the ids fit neither way.
    """
    ids = sorted(set(group_ids))
    if ids and set(ids) <= set(range(1, len(names) + 1)):
        return {i: names[i - 1] for i in ids}
    if len(ids) == len(names):
        return dict(zip(ids, names, strict=True))
    found = ", ".join(str(i) for i in ids) or "none"
    raise ConfigError(
        f"The coordinates have the group ids {found}, but {len(names)} class(es) have "
        f"a diameter ({', '.join(names) or 'none'}). Give NAME=DIAMETER once for each "
        "group id, in ascending order."
    )
