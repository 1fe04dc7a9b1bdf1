"""Scores in formats where every particle must have a number."""

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray


def zero_if_unknown(scores: FloatArray) -> FloatArray:
    """Return ``(N,)`` scores with 0 for the unknown ones."""
    return np.nan_to_num(scores, nan=0.0)


def unknown_if_all_zero(scores: FloatArray) -> FloatArray:
    """Return ``(N,)`` scores, NaN if all are 0, which programs write for none."""
    return scores if scores.any() else np.full(len(scores), np.nan)
