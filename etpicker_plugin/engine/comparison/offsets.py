"""Do two sets place the same particles at the same places?

A constant offset between two pickers is a convention taken wrongly (0- or 1-based
voxels, a corner or a centre, another binning), not an error of picking, and spoils an
average. It shows in the mean, not in the scatter.
"""

from dataclasses import dataclass, replace

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray

ALARM_VOX = 0.7
"""Below this a half-voxel convention or a picker's own habit would raise alarms."""
ALARM_SIGMA = 3.0
LEAST_PAIRS = 6
AXES = ("x", "y", "z")


@dataclass(frozen=True, kw_only=True)
class Offset:
    """The mean displacement of a set, in voxels along x, y, z.

    Attributes
    ----------
    n
        Number of displacements.
    mean_xyz, standard_error_xyz
        Empty where there are fewer than two.
    alarm_sigma
        Standard errors that an alarm needs.
    """

    n: int
    mean_xyz: tuple[float, ...]
    standard_error_xyz: tuple[float, ...]
    alarm_sigma: float = ALARM_SIGMA

    @property
    def alarming_axes(self) -> tuple[str, ...]:
        """Axes whose mean is large and significant.

        That is at least 0.7 voxel and ``alarm_sigma`` standard errors, of six
        displacements or more.
        """
        if self.n < LEAST_PAIRS:
            return ()
        return tuple(
            axis
            for axis, mean, error in zip(
                AXES, self.mean_xyz, self.standard_error_xyz, strict=True
            )
            if abs(mean) >= ALARM_VOX and abs(mean) >= self.alarm_sigma * error
        )

    @property
    def is_alarming(self) -> bool:
        """Whether an origin is probably wrong."""
        return bool(self.alarming_axes)

    def reversed(self) -> "Offset":
        """Return the same seen from the other side."""
        return replace(self, mean_xyz=tuple(0.0 - mean for mean in self.mean_xyz))

    def describe_all(self) -> str:
        """Return all axes as ``(+0.10, +2.00, -0.30) ± (0.10, …)``."""
        means = ", ".join(f"{mean:+.2f}" for mean in self.mean_xyz)
        errors = ", ".join(f"{error:.2f}" for error in self.standard_error_xyz)
        return f"({means}) ± ({errors})"

    def describe(self) -> str:
        """Return the alarming axes as ``2.0 ± 0.1 voxels along x``."""
        return self.describe_along(self.alarming_axes)

    def describe_along(self, axes: tuple[str, ...]) -> str:
        """Return some axes as ``describe`` does."""
        return " and ".join(
            f"{self.mean_xyz[i]:+.1f} ± {self.standard_error_xyz[i]:.1f} voxels "
            f"along {axis}"
            for i, axis in enumerate(AXES)
            if axis in axes
        )


def mean_offset(displacements_zyx: FloatArray) -> Offset:
    """Return the mean of ``(N, 3)`` displacements in voxels and its standard error."""
    n = len(displacements_zyx)
    if n < 2:
        return Offset(n=n, mean_xyz=(), standard_error_xyz=())
    mean = displacements_zyx.mean(axis=0)[::-1]
    error = displacements_zyx.std(axis=0, ddof=1)[::-1] / np.sqrt(n)
    return Offset(
        n=n,
        mean_xyz=tuple(float(v) for v in mean),
        standard_error_xyz=tuple(float(v) for v in error),
    )
