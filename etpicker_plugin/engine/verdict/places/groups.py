"""Whole sets, the control, and what sets share or have alone, as rows of boxes."""

from collections.abc import Mapping

import numpy as np

from etpicker_plugin.engine.comparison.joining import (
    IndexArray,
    in_subset,
    subset_label,
    subsets_of,
)
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.verdict.places.candidates import Candidates


def all_groups(
    sets: PickSets, members: Mapping[str, IndexArray], candidates: Candidates
) -> dict[str, IndexArray]:
    """Return the rows of sets and control, then of what sets share or have alone.

    A group of several sets is shown by the boxes of the first of them. ``members``
    are per tomogram ``(P, S)``, as ``join_sets`` gives them.
    """
    groups = dict(candidates.rows)
    if len(sets.names) < 2:
        return groups
    first = 0
    numbers: dict[tuple[str, ...], list[IndexArray]] = {}
    for table in members.values():
        for subset in subsets_of(sets.names):
            found = np.flatnonzero(in_subset(table, subset, sets.names)) + first
            numbers.setdefault(subset, []).append(found)
        first += len(table)
    for subset, particles in numbers.items():
        own = candidates.rows[subset[0]]
        chosen = np.isin(candidates.particles[own], np.concatenate(particles))
        groups[subset_label(subset, sets.names)] = own[chosen]
    return groups
