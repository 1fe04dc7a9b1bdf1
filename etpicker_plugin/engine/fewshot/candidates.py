"""Candidates from stored features: what picking with the same head would find."""

import numpy as np
import torch
from torch import Tensor, nn

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.fewshot.head import Head
from etpicker_plugin.engine.fewshot.store import FeatureStore
from etpicker_plugin.engine.picking.find import find_points, to_probability, to_volume
from etpicker_plugin.engine.picking.nms import (
    Peaks,
    PeakSettings,
    join_peaks,
)

SLAB_PLANES = 32
"""Output planes between two looks at whether there is a newer question."""


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
    steps = store.strides
    depth, height, width = (-(-n // s) for n, s in zip(shape, steps, strict=True))
    peaks = find_points(
        (to_probability(channel) for channel in logits),
        settings,
        start=(first - low, 0, 0),
        stop=(min(last, depth) - low, height, width),
    )
    return to_volume(peaks, (low * steps[0], 0, 0), steps)


def all_peaks(
    store: FeatureStore, head: Head, settings: PeakSettings, *, shape: Shape
) -> Peaks:
    """Return the peaks of a whole volume (see ``peaks_between``)."""
    depth = -(-shape[0] // store.strides[0])
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
    """Return the logits ``(C, z, y, x)`` of output planes ``[first, last)``.

    In half precision, as the features are: to read them takes longest, and to make
    them single ones several times as long.
    """
    features = torch.from_numpy(np.asarray(store.features[first:last]))
    weights, biases = (torch.from_numpy(n).half() for n in (head.weights, head.biases))
    return nn.functional.linear(features, weights, biases).permute(3, 0, 1, 2)
