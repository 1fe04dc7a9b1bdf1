"""Two sets of picks in one tomogram: what both found, and what only one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.evaluation.matching import match_picks
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.settings import Classes


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Which picks have a partner in the other set.

    Attributes
    ----------
    first
        ``(N,)`` of all picks of the annotation; false for those not counted.
    second
        ``(M,)`` of the other set.
    n_first
        Picks of the annotation that count.
    """

    first: NDArray[np.bool_]
    second: NDArray[np.bool_]
    n_first: int

    def describe(self) -> str:
        """Return the three numbers in words."""
        both = int(self.second.sum())
        return (
            f"both {both:,} · only here {self.n_first - both:,} · only the other "
            f"{len(self.second) - both:,}"
        )


def compare_sets(document: Document, classes: Classes) -> Agreement:
    """Pair the picks that count with the other set's, class by class.

    Partners are at most half a diameter apart, one to one.
    """
    annotation, other = document.annotation, document.other
    shown = document.shown(classes)
    first = np.zeros(len(annotation), dtype=bool)
    second = np.zeros(len(other), dtype=bool)
    for name in np.unique(other.class_names).tolist():
        ids = annotation.ids_of(name)
        ids = ids[shown[ids]]
        members = np.flatnonzero(other.class_names == name)
        radius = classes[name].diameter_ang / 2 / document.volume.voxel_size
        found = match_picks(
            annotation.positions_zyx[ids],
            other.positions_zyx[members],
            max_distance=radius,
        )
        first[ids[found.pick_indices]] = True
        second[members[found.truth_indices]] = True
    return Agreement(first=first, second=second, n_first=int(shown.sum()))
