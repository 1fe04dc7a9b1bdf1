"""What two sets share, in numbers."""

from dataclasses import dataclass

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.comparison.joining import NOT_PICKED, IndexArray
from etpicker_plugin.engine.comparison.offsets import Offset, mean_offset


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Two sets side by side.

    Attributes
    ----------
    n_first, n_second, n_both
        Particles of each, and of both.
    offset
        Second minus first, of the particles that both have.
    distance_vox
        Median distance of the two picks of a particle; ``None`` without any.
    """

    first: str
    second: str
    n_first: int
    n_second: int
    n_both: int
    offset: Offset
    distance_vox: float | None

    @property
    def dice(self) -> float:
        """Return 2|A∩B| / (|A|+|B|).

        Cohen's kappa needs the number of places that neither picked. As that grows
        without bound, which it does in a tomogram, kappa tends to this.
        """
        total = self.n_first + self.n_second
        return 2 * self.n_both / total if total else 0.0

    def describe(self) -> str:
        """Return what is wrong with the pair, or nothing."""
        if self.n_first and self.n_second and not self.n_both:
            return (
                f"{self.first} and {self.second} share not one particle. Two pickers "
                "of the same particles should: compare their origins, axes, binning "
                "and the match distance."
            )
        if not self.offset.is_alarming:
            return ""
        return (
            f"{self.second} lies {self.offset.describe()} of {self.first} "
            f"({self.n_both} particles). So constant an offset is a wrong origin, axis "
            "or binning of one of the two, not bad picking."
        )


def agree(
    first: str,
    second: str,
    *,
    pairs: IndexArray,
    displacements_zyx: FloatArray,
) -> Agreement:
    """Sum up two sets.

    Parameters
    ----------
    pairs
        ``(P, 2)``: the pick of each set at each particle, or -1.
    displacements_zyx
        ``(N, 3)`` voxels, second minus first, of the particles that both have.
    """
    has = pairs != NOT_PICKED
    distances = np.linalg.norm(displacements_zyx, axis=1)
    return Agreement(
        first=first,
        second=second,
        n_first=int(has[:, 0].sum()),
        n_second=int(has[:, 1].sum()),
        n_both=int(has.all(axis=1).sum()),
        offset=mean_offset(displacements_zyx),
        distance_vox=float(np.median(distances)) if len(distances) else None,
    )
