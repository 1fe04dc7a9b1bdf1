"""Whether orientations turn along filaments as these do, or the other way round.

With the right twist the boxes of one filament show the same, and their mean keeps what
is not round about the axis; with the wrong sign it is smeared out. How a filament is
turned as a whole does not matter, so nothing is aligned.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.filaments.curve import (
    curve_through,
    frames,
    path_lengths,
    twisted,
)
from etpicker_plugin.engine.verdict.alignment.turning import to_reference

LEAST_TURN_DEG = 2.0
"""From box to box: less is no twist, but the curve's own frame."""
AS_ONE = 0.9
"""Length of the mean unit vector of all turns, which a twist makes alike."""
LEAST_BOXES = 4
LEAST_FILAMENTS = 3
SURE = 3.0
"""Standard errors."""


@dataclass(frozen=True, kw_only=True)
class TwistSign:
    """What the two signs of a twist keep of the filaments' form.

    Attributes
    ----------
    turn_deg
        From box to box, as the picks have it.
    written, reversed
        Power of the mean boxes that is not round, as written and with the other sign.
    sigma
        Standard errors by which the first exceeds the second, over ``n`` filaments.
    """

    turn_deg: float
    written: float
    reversed: float
    sigma: float
    n: int

    @property
    def is_wrong(self) -> bool:
        """Whether the other sign surely keeps more."""
        return self.sigma <= -SURE

    @property
    def is_right(self) -> bool:
        """Whether the sign as written surely keeps more."""
        return self.sigma >= SURE


def turns_along(points_zyx: FloatArray, matrices: FloatArray) -> FloatArray:
    """Return ``(N,)`` degrees by which orientations are turned about the curve.

    Beside a frame that turns as little as possible; ``matrices`` are ``(N, 3, 3)``.
    """
    turned = np.swapaxes(_frames(points_zyx), 1, 2) @ matrices
    return np.degrees(np.arctan2(turned[:, 1, 0], turned[:, 0, 0]))


def common_turn(turns: Sequence[FloatArray]) -> float | None:
    """Return the turn from box to box, °, if filaments have one in common."""
    steps = np.radians(np.concatenate([np.zeros(0), *(np.diff(t) for t in turns)]))
    if not len(steps):
        return None
    mean = np.exp(1j * steps).mean()
    turn = float(np.degrees(np.angle(mean)))
    return turn if abs(mean) >= AS_ONE and abs(turn) >= LEAST_TURN_DEG else None


def kept_form(
    boxes: Sequence[NDArray[np.floating]],
    points_zyx: FloatArray,
    turns_deg: FloatArray,
    *,
    radius_vox: float,
) -> float:
    """Return the power of a filament's mean box that is not round about the axis.

    Parameters
    ----------
    boxes
        ``N`` boxes ``(B, B, B)``.
    turns_deg
        ``(N,)`` about the axis, beside a frame that turns as little as possible.
    radius_vox
        Of the sphere within which it is looked at.
    """
    matrices = twisted(_frames(points_zyx), turns_deg)
    mean = np.mean(
        [
            to_reference(box, rotation, order=1)
            for box, rotation in zip(boxes, matrices, strict=True)
        ],
        axis=0,
    )
    size = mean.shape[-1]
    z, y, x = np.indices(mean.shape) - size // 2
    rings = np.round(np.hypot(x, y)).astype(int) + size * (z + size // 2)
    sums = np.bincount(rings.ravel(), weights=mean.ravel(), minlength=size * size)
    counts = np.maximum(np.bincount(rings.ravel(), minlength=size * size), 1)
    uneven = mean - (sums / counts)[rings]
    inside = x**2 + y**2 + z**2 <= radius_vox**2
    return float((uneven[inside] ** 2).mean())


def judge_sign(
    written: Sequence[float], reversed_: Sequence[float], *, turn_deg: float
) -> TwistSign | None:
    """Return which sign keeps more over all filaments; ``None`` of too few.

    Each has one number for each filament (``kept_form``).
    """
    gains = np.array(written) - np.array(reversed_)
    if len(gains) < LEAST_FILAMENTS:
        return None
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    return TwistSign(
        turn_deg=turn_deg,
        written=float(np.mean(written)),
        reversed=float(np.mean(reversed_)),
        sigma=float(gains.mean() / max(error, 1e-12)),
        n=len(gains),
    )


def _frames(points_zyx: FloatArray) -> FloatArray:
    curve = curve_through(points_zyx)
    along = curve.spline.derivative()(path_lengths(points_zyx))
    return frames(points_zyx, along)
