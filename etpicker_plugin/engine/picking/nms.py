"""Mean-pooling non-maximum suppression, sub-voxel centres and de-duplication.

After DeepETPicker's MP-NMS (Liu et al. 2024): the probability is averaged over the
size of a weak label, so that a compact blob scores more than a stray voxel, and local
maxima of the average are the candidates. Unlike there, nothing is thresholded before
averaging, so the score keeps ranking; and duplicates are found with a k-d tree, per
class, with that class's own distance.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from torch import Tensor, nn

from etpicker_plugin.engine.column_rows import join_rows, select_rows
from etpicker_plugin.engine.columns import ColumnValues


@dataclass(frozen=True, kw_only=True)
class Peaks:
    """Candidates: ``positions_zyx`` (N, 3), ``scores`` (N,), ``channels`` (N,).

    ``optional`` are the columns of ``engine.columns`` that they have, ``(N, ...)``.
    """

    positions_zyx: NDArray[np.float64]
    scores: NDArray[np.float64]
    channels: NDArray[np.intp]
    optional: ColumnValues = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of peaks."""
        return len(self.scores)

    def select(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Peaks":
        """Return the peaks at a boolean mask or at indices, in that order."""
        return replace(
            self,
            positions_zyx=self.positions_zyx[chosen],
            scores=self.scores[chosen],
            channels=self.channels[chosen],
            optional=select_rows(self.optional, chosen),
        )


@dataclass(frozen=True, kw_only=True)
class PeakSettings:
    """How peaks are found: averaging edge and kind per channel, and lowest score."""

    kernels: list[int]
    kinds: list[str]
    min_score: float

    @property
    def reach(self) -> int:
        """How far a peak looks around it, in voxels of the probability."""
        return max(pooling_reach(kernel) for kernel in self.kernels)


def join_peaks(parts: list[Peaks]) -> Peaks:
    """Concatenate peaks."""
    return Peaks(
        positions_zyx=np.concatenate(
            [np.zeros((0, 3)), *(p.positions_zyx for p in parts)]
        ),
        scores=np.concatenate([np.zeros(0), *(p.scores for p in parts)]),
        channels=np.concatenate([np.zeros(0, np.intp), *(p.channels for p in parts)]),
        optional=join_rows([(len(p), p.optional) for p in parts]),
    )


def pooling_kernel(label_diameter_vox: float) -> int:
    """Return the odd edge of the averaging box, applied twice, for a label.

    Two passes of an edge of 0.7 diameters average over about the label's ball; more
    would drown small labels, less leaves the centres of large ones uncertain.
    """
    return max(3, 2 * round((0.7 * label_diameter_vox - 1) / 2) + 1)


def pooling_reach(kernel: int) -> int:
    """Return how far, in voxels, a peak's score and centre look around it."""
    return 2 * (kernel // 2) + 2


def mean_pool(probability: Tensor, kernel: int) -> Tensor:
    """Average ``(Z, Y, X)`` twice over a box of odd edge; outside it is 0.

    So a blob cut by a face of the volume scores less, and its maximum is not drawn to
    the face. Along an axis of one voxel nothing is averaged. A box is added up along
    one axis after the other, which on a CPU is several times faster than torch's own
    pooling of one channel.
    """
    axes = [axis for axis, length in enumerate(probability.shape) if length > 1]
    # Torch pads the last axis first.
    margins = [kernel - 1 if axis in axes else 0 for axis in (2, 2, 1, 1, 0, 0)]
    pooled = nn.functional.pad(probability, margins)
    for axis in (*axes, *axes):
        neighbours = pooled.unfold(axis, kernel, 1).unbind(-1)
        pooled = neighbours[0] + neighbours[1]
        for other in neighbours[2:]:
            pooled += other
    return pooled.div_(kernel ** (2 * len(axes)))


def highest_around(values: Tensor) -> Tensor:
    """Return the highest of each voxel's 3³ neighbourhood, ``(Z, Y, X)``, 0 or more."""
    highest = nn.functional.pad(values, (1,) * 6)
    for axis in range(3):
        below, beside, above = highest.unfold(axis, 3, 1).unbind(-1)
        highest = torch.maximum(torch.maximum(below, beside), above)
    return highest


def find_peaks(
    probability: Iterable[Tensor],
    kernels: list[int],
    *,
    min_score: float,
    start: tuple[int, ...] = (0, 0, 0),
    stop: tuple[int | None, ...] = (None, None, None),
) -> Peaks:
    """Find the local maxima of the mean-pooled probability, channel by channel.

    Parameters
    ----------
    probability
        ``(C, Z, Y, X)`` float32, 0 to 1, or its channels one after the other.
    kernels
        Averaging edge of each channel, voxels.
    min_score
        Lowest pooled probability of a peak.
    start, stop
        Box (voxels of ``probability``) in which a maximum must lie; the voxels
        around it still take part in averages and comparisons.

    Returns
    -------
    Peaks
        Sub-voxel positions in voxels of ``probability``.
    """
    box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    parts = []
    for number, (channel, kernel) in enumerate(zip(probability, kernels, strict=True)):
        if float(channel.max()) < min_score:
            continue  # no average can reach it
        pooled = mean_pool(channel, kernel)
        is_peak = (pooled == highest_around(pooled))[box] & (pooled[box] >= min_score)
        index = torch.nonzero(is_peak) + torch.tensor(start, device=channel.device)
        scores = pooled[tuple(index.T)].double().cpu().numpy()
        positions = refine_positions(pooled, index).cpu().numpy()
        channels = np.full(len(index), number, dtype=np.intp)
        parts.append(Peaks(positions_zyx=positions, scores=scores, channels=channels))
    return join_peaks(parts)


def refine_positions(pooled: Tensor, index: Tensor) -> Tensor:
    """Move each maximum to the vertex of the parabola through its axis neighbours.

    Parameters
    ----------
    pooled
        ``(Z, Y, X)``.
    index
        ``(N, 3)`` integer zyx.

    Returns
    -------
    Tensor
        ``(N, 3)`` float64, at most half a voxel from ``index`` along each axis.
    """
    refined = index.double()
    centre = pooled[tuple(index.T)].double()
    for axis, length in enumerate(pooled.shape):
        below, above = index.clone(), index.clone()
        below[:, axis] = (below[:, axis] - 1).clamp(min=0)
        above[:, axis] = (above[:, axis] + 1).clamp(max=length - 1)
        low, high = pooled[tuple(below.T)].double(), pooled[tuple(above.T)].double()
        curvature = 2 * centre - low - high
        shift = torch.where(
            curvature > 0, 0.5 * (high - low) / curvature.clamp(min=1e-12), 0.0
        )
        refined[:, axis] += shift.clamp(-0.5, 0.5)
    return refined


def keep_best(peaks: Peaks, count: int) -> Peaks:
    """Return the ``count`` highest peaks of each channel."""
    order = np.argsort(-peaks.scores, kind="stable")
    chosen = [
        order[peaks.channels[order] == channel][:count]
        for channel in np.unique(peaks.channels)
    ]
    return peaks.select(np.concatenate([np.zeros(0, np.intp), *chosen]))


def remove_duplicates(peaks: Peaks, min_distances: Sequence[float]) -> Peaks:
    """Keep the best of any peaks of one class nearer than that class's distance.

    See ``remove_near``.

    Parameters
    ----------
    min_distances
        Per channel, in the unit of the positions.
    """
    return remove_near(peaks, np.asarray(min_distances, float)[peaks.channels])


def remove_near(peaks: Peaks, distances: NDArray[np.float64]) -> Peaks:
    """Remove peaks of a class that are nearer to a better one than its distance.

    Greedy from the highest score down, ties by position, so the result does not
    depend on the order of the input. Sorted by channel, then score.

    Parameters
    ----------
    distances
        ``(N,)``, one for each peak, in the unit of the positions.
    """
    kept = []
    for channel in np.unique(peaks.channels):
        own = np.flatnonzero(peaks.channels == channel)
        positions = peaks.positions_zyx[own]
        order = np.lexsort((*positions.T[::-1], -peaks.scores[own]))
        own, positions = own[order], positions[order]
        kept.append(own[suppress(positions, distances[own])])
    return peaks.select(np.concatenate([np.zeros(0, np.intp), *kept]))


def suppress(positions: NDArray[np.float64], distance: ArrayLike) -> NDArray[np.intp]:
    """Return the indices that survive; earlier positions suppress later ones.

    ``distance`` is one for all, or ``(N,)`` how far each suppresses.
    """
    if len(positions) == 0:
        return np.zeros(0, np.intp)
    reach = np.broadcast_to(np.asarray(distance, dtype=np.float64), len(positions))
    tree = cKDTree(positions)
    if (reach == reach[0]).all():
        pairs = tree.query_pairs(reach[0], output_type="ndarray")
    else:
        pairs = _pairs_within(tree, reach)
    alive = np.ones(len(positions), dtype=bool)
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    starts = np.searchsorted(pairs[:, 0], np.arange(len(positions) + 1))
    for i in range(len(positions)):
        if alive[i]:
            alive[pairs[starts[i] : starts[i + 1], 1]] = False
    return np.flatnonzero(alive)


def _pairs_within(tree: cKDTree, reach: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return pairs ``(M, 2)``, the second after the first and in the first's reach."""
    near = tree.query_ball_point(tree.data, reach)
    first = np.repeat(np.arange(len(near)), [len(found) for found in near])
    second = np.concatenate(near)
    return np.stack([first, second], axis=1)[second > first]
