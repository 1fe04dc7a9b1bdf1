"""What a membrane looks like across: two leaflets 36 Å apart."""

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray

LEAFLET_ANG = 18.0
LEAFLET_SIGMA_ANG = 7.0
MEMBRANE_DENSITY = 0.55
BILAYER_REACH_ANG = LEAFLET_ANG + 3.0 * LEAFLET_SIGMA_ANG
OCCUPIED_LEVEL = 0.1
"""What is denser than this claims its room."""


def bilayer(depth_ang: FloatArray) -> FloatArray:
    """Return the density at a distance (Å) from the middle of a membrane."""
    leaflets = sum(
        np.exp(-((depth_ang - side * LEAFLET_ANG) ** 2) / (2 * LEAFLET_SIGMA_ANG**2))
        for side in (-1, 1)
    )
    return np.asarray(MEMBRANE_DENSITY * leaflets)
