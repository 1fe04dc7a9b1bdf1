"""Which places to label next: those a model is unsure of, and unlike one another.

No network is needed: the candidates are a model's picks with their scores, best from
``etpicker pick --max-picks``, which also gives picks below the threshold.
"""

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.window.aids.recentre import read_around
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.settings import Classes
from etpicker_plugin.window.document.volume import VolumeFile

MOST_CANDIDATES = 200
SHELLS = 6
REACH = 0.75
"""Radius of what is looked at, in diameters."""

LEAST_SPREAD = 0.02


def suggest_places(
    document: Document, classes: Classes, name: str, *, count: int
) -> NDArray[np.intp]:
    """Return the numbers of the picks to ask about, the most telling first.

    The sureness of a pick is the distance of its score from the cut-off (from the
    lowest score, if that is higher). From the least sure ones the next is, each time,
    the one with the largest product of doubt and distance to all that is answered or
    chosen already; the distance is between descriptors of the places (see
    ``describe_places``). What a person marked, confirmed or declined is never asked.
    """
    annotation = document.annotation
    ids = annotation.ids_of(name)
    asked = ids[np.isfinite(annotation.scores[ids])]
    if len(asked) == 0:
        return asked
    doubt = _doubt(annotation.scores[asked], classes[name].threshold)
    order = np.argsort(-doubt, kind="stable")[:MOST_CANDIDATES]
    asked, doubt = asked[order], doubt[order]
    answered = np.concatenate(
        [ids[np.isnan(annotation.scores[ids])], annotation.ids_of(NEGATIVE)]
    )[:MOST_CANDIDATES]
    features = describe_places(
        document.volume,
        annotation.positions_zyx[np.concatenate([asked, answered])],
        diameter_ang=classes[name].diameter_ang,
    )
    chosen = choose_apart(features, doubt, count=count)
    return asked[chosen]


def _doubt(scores: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """Return 1 at the cut-off, falling to 0 within the spread of the scores."""
    cut = max(threshold, float(scores.min()))
    spread = max(float(np.subtract(*np.percentile(scores, (75, 25)))), LEAST_SPREAD)
    return np.exp(-(((scores - cut) / spread) ** 2))


def choose_apart(
    features: NDArray[np.float64], doubt: NDArray[np.float64], *, count: int
) -> NDArray[np.intp]:
    """Choose rows one by one, each doubtful and far from those before it.

    Parameters
    ----------
    features
        ``(N + M, F)``: the N candidates, then M rows that count as chosen before.
    doubt
        ``(N,)``.
    """
    n = len(doubt)
    distances = np.full(n, np.inf)
    for row in features[n:]:
        distances = np.minimum(distances, np.linalg.norm(features[:n] - row, axis=1))
    chosen: list[int] = []
    while len(chosen) < min(count, n):
        worth = doubt * np.where(np.isinf(distances), 1.0, distances)
        worth[chosen] = -1.0
        best = int(np.argmax(worth))
        chosen.append(best)
        apart = np.linalg.norm(features[:n] - features[best], axis=1)
        distances = np.minimum(distances, apart)
    return np.array(chosen, dtype=np.intp)


def describe_places(
    volume: VolumeFile, positions_zyx: NDArray[np.float64], *, diameter_ang: float
) -> NDArray[np.float64]:
    """Return a descriptor ``(N, 2 · SHELLS)`` of each place, each column scaled to 1.

    It is the mean and the deviation of the density in concentric shells, which do not
    change when the particle is turned.
    """
    reach = REACH * diameter_ang / volume.voxel_size
    rows = [_describe(volume, position, reach) for position in positions_zyx]
    table = np.array(rows).reshape(-1, 2 * SHELLS)
    spread = table.std(axis=0)
    return (table - table.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def _describe(
    volume: VolumeFile, position: NDArray[np.float64], reach: float
) -> NDArray[np.float64]:
    box, corner = read_around(volume, position, reach=reach)
    grid = np.indices(box.shape).reshape(3, -1).T + corner
    distances = np.linalg.norm(grid - position, axis=1)
    shell = np.minimum((distances / reach * SHELLS).astype(np.intp), SHELLS)
    values = box.ravel().astype(np.float64)
    counts = np.maximum(np.bincount(shell, minlength=SHELLS + 1), 1)
    mean = np.bincount(shell, weights=values, minlength=SHELLS + 1) / counts
    square = np.bincount(shell, weights=values**2, minlength=SHELLS + 1) / counts
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    return np.concatenate([mean[:SHELLS], deviation[:SHELLS]])
