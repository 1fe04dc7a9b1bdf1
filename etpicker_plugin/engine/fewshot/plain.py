"""Clicks on nothing: places that stand out no more than others do."""

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.fewshot.features import features_at
from etpicker_plugin.engine.fewshot.head import Usual
from etpicker_plugin.engine.fewshot.store import FeatureStore

OTHERS = 400
"""Other places of a tomogram, with which clicks are compared."""

PLAIN_SHARE = 0.7
"""A click that stands out less than this share of them is doubted. Of crowded simulated
particles, down to 150 Å, none of 141 is; of listed ribosomes in a cell one of 25."""


def are_plain(
    store: FeatureStore, places: FloatArray, others: NDArray[np.intp], usual: Usual
) -> NDArray[np.bool_]:
    """Tell which places, ``(N,)``, stand out less than most of the others.

    How far one stands out is the distance of its features from the mean, in units of
    how much they vary (Mahalanobis).

    Parameters
    ----------
    places
        ``(N, 3)`` working voxels, of which features are made.
    others
        ``(M, 3)`` output voxels; about ``OTHERS`` of them are looked at.
    """
    root = np.linalg.cholesky(usual.covariance)

    def distances(at: FloatArray) -> FloatArray:
        away = np.linalg.solve(root, (features_at(store, at) - usual.mean).T)
        return np.asarray((away**2).sum(axis=0))

    some = others[:: max(len(others) // OTHERS, 1)]
    steps = np.array(store.strides)
    middle = some * steps + (steps - 1) / 2
    return distances(places) < np.quantile(distances(middle), PLAIN_SHARE)


def doubt_plain(
    name: str, tomogram: str, clicks_zyx: FloatArray, plain: NDArray[np.bool_]
) -> str:
    """Return in words that clicks of a class may lie on nothing.

    Parameters
    ----------
    clicks_zyx
        ``(N, 3)``, voxels of the tomogram.
    plain
        ``(N,)``, at least one of them true.
    """
    where = ", ".join(f"{value:.0f}" for value in clicks_zyx[plain][0][::-1])
    return (
        f"{name}: in {tomogram} {int(plain.sum())} of {len(plain)} click(s) lie where "
        f"nothing stands out, the first at x, y, z = {where}. Look whether it is on a "
        "particle, and whether the diameter is right."
    )
