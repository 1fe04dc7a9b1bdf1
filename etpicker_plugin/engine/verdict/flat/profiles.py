"""How a box's rotational mean tells a picked place from a random one, without RELION.

The mean of a box along circles about its centre does not depend on how the particle
lies in the plane. Picks of particles share such a profile, of any view roughly; random
places scatter about another one. So

    ln p(profile | as picks) - ln p(profile | as random coordinates)

with two normal distributions of one covariance (Fisher's discriminant) is a
log-likelihood ratio. Each half of the boxes is judged by means and covariance of the
other half, so that no box votes for itself.
"""

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.verdict.flat.stacks import Images

RINGS = 8
RIDGE = 0.1
"""Share of the mean variance that is added to each ring's: few boxes, many rings."""


def radial_profiles(images: Images) -> FloatArray:
    """Return ``(N, R)``: means of ``(N, B, B)`` boxes within rings up to the edge."""
    size = images.shape[-1]
    steps = np.arange(size) - size // 2
    radius = np.hypot(steps[:, None], steps[None, :])
    ring = np.minimum((radius / (size / 2) * RINGS).astype(int), RINGS)
    weights = np.stack([(ring == r) / np.sum(ring == r) for r in range(RINGS)])
    return np.einsum("rij,nij->nr", weights, images.astype(np.float64), optimize=True)


def profile_ratios(
    profiles: FloatArray,
    *,
    picked: NDArray[np.bool_],
    half: IndexArray,
) -> FloatArray:
    """Return ``(N,)`` log-likelihood ratios of ``(N, R)`` profiles.

    Parameters
    ----------
    picked
        ``(N,)``: picks, not random coordinates.
    half
        ``(N,)`` 1 or 2; boxes of one particle are in one half.
    """
    ratios = np.zeros(len(profiles))
    for number in (1, 2):
        learnt = half != number
        as_picks = profiles[learnt & picked].mean(axis=0)
        random = profiles[learnt & ~picked]
        as_random = random.mean(axis=0)
        covariance = np.cov(random, rowvar=False)
        covariance += RIDGE * np.trace(covariance) / RINGS * np.eye(RINGS)
        direction = np.linalg.solve(covariance, as_picks - as_random)
        middle = (as_picks + as_random) / 2
        ratios[half == number] = (profiles[half == number] - middle) @ direction
    return ratios
