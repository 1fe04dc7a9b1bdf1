"""Candidates from stored features: what picking with the same head would find."""

import numpy as np
import torch
from torch import Tensor

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.fewshot.head import Head
from etpicker_plugin.engine.fewshot.store import FeatureStore
from etpicker_plugin.engine.picking.find import to_probability, to_volume
from etpicker_plugin.engine.picking.nms import (
    Peaks,
    PeakSettings,
    find_peaks,
    join_peaks,
)

SLAB_PLANES = 32
"""Output planes between two looks at whether there is a newer question."""

ROWS = 1 << 16
"""Voxels whose features are taken to single precision at once: they stay in a cache."""


def peaks_between(
    store: FeatureStore,
    head: Head,
    settings: PeakSettings,
    *,
    first: int,
    last: int,
    shape: Shape,
) -> Peaks:
    """Return the peaks of all classes in output planes ``[first, last)``.

    They are as ``picking.find`` finds them: in working voxels, not yet de-duplicated.

    Parameters
    ----------
    shape
        Of the working volume: what lies beyond is no place for a peak.
    """
    low = max(first - settings.reach, 0)
    high = min(last + settings.reach, store.shape_zyx[0])
    logits = logits_of(store, head, low, high)
    depth, height, width = (-(-n // store.stride) for n in shape)
    peaks = find_peaks(
        (to_probability(channel) for channel in logits),
        settings.kernels,
        min_score=settings.min_score,
        start=(first - low, 0, 0),
        stop=(min(last, depth) - low, height, width),
    )
    return to_volume(peaks, (low * store.stride, 0, 0), store.stride)


def all_peaks(
    store: FeatureStore, head: Head, settings: PeakSettings, *, shape: Shape
) -> Peaks:
    """Return the peaks of a whole volume (see ``peaks_between``)."""
    depth = -(-shape[0] // store.stride)
    parts = [
        peaks_between(store, head, settings, first=first, last=last, shape=shape)
        for first, last in cut_into_slabs(0, depth)
    ]
    return join_peaks(parts)


def cut_into_slabs(first: int, last: int) -> list[tuple[int, int]]:
    """Cut output planes ``[first, last)`` into slabs."""
    return [(a, min(a + SLAB_PLANES, last)) for a in range(first, last, SLAB_PLANES)]


def planes_needed(
    store: FeatureStore, settings: PeakSettings, first: int, last: int
) -> tuple[int, int]:
    """Return the output planes that peaks in ``[first, last)`` look at."""
    reach = settings.reach
    return max(first - reach, 0), min(last + reach, store.shape_zyx[0])


def logits_of(store: FeatureStore, head: Head, first: int, last: int) -> Tensor:
    """Return the logits ``(C, z, y, x)`` of output planes ``[first, last)``."""
    features = torch.from_numpy(np.asarray(store.features[first:last]))
    rows = features.reshape(-1, features.shape[-1])
    weights = torch.from_numpy(head.weights).float()
    biases = torch.from_numpy(head.biases).float()[:, None]
    logits = torch.empty(len(weights), len(rows))
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS].float()
        torch.addmm(biases, weights, some.T, out=logits[:, start : start + len(some)])
    return logits.reshape(len(weights), *features.shape[:-1])
