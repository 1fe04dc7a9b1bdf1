"""Unbiased picking: everything that looks like a particle, whatever its species."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from etpicker_plugin.engine.picking.nms import Peaks


def merge_classes(peaks: Peaks, diameters: Sequence[float]) -> Peaks:
    """Return one peak a place, scored by how surely it is any particle at all.

    The score is ``1 - Π (1 - s)`` over the classes, with s the best score of a class
    within the particle's radius: a place that two classes claim halfheartedly is
    surely a particle of some kind. The channel becomes that of the surest class, and
    of peaks nearer than the radius the best stays.

    Parameters
    ----------
    peaks
        Candidates of all classes, down to low scores.
    diameters
        Particle diameter of each channel, in the unit of the positions.
    """
    if len(peaks) == 0:
        return peaks
    radii = np.asarray(diameters)[peaks.channels] / 2
    tree = cKDTree(peaks.positions_zyx)
    near = tree.query_ball_point(peaks.positions_zyx, radii)
    best = np.stack([_best_of_classes(peaks, found, len(diameters)) for found in near])
    merged = replace(peaks, scores=1 - np.prod(1 - best, axis=1))
    order = np.lexsort((*peaks.positions_zyx.T, -peaks.scores, -merged.scores))
    alive = np.ones(len(peaks), dtype=bool)
    for i in order:
        if alive[i]:
            alive[near[i]] = False
            alive[i] = True
    kept = order[alive[order]]
    channels = best[kept].argmax(axis=1).astype(np.intp)
    return replace(merged.select(kept), channels=channels)


def _best_of_classes(
    peaks: Peaks, found: list[int], n_classes: int
) -> NDArray[np.float64]:
    """Return the best score of each class among some peaks; 0 without one."""
    best = np.zeros(n_classes)
    np.maximum.at(best, peaks.channels[found], peaks.scores[found])
    return best
