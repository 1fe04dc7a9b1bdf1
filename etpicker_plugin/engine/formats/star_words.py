"""Particles under names that a STAR file can hold: words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.names import star_word
from etpicker_plugin.engine.particles import Particles


def in_star_words(
    particles: Particles, frame: TomogramFrame
) -> tuple[Particles, TomogramFrame]:
    """Return particles under the names that a STAR file can hold."""
    name = star_word(frame.tomogram_id)
    known, codes = np.unique(particles.class_names, return_inverse=True)
    words = np.array([star_word(str(n)) for n in known], dtype=np.str_)
    renamed = replace(particles, tomogram_id=name, class_names=words[codes])
    series = star_word(frame.tilt_series) if frame.tilt_series else ""
    return renamed, replace(frame, tomogram_id=name, tilt_series=series)
