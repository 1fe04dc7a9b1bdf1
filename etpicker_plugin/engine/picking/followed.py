"""Two thresholds: what a curve or membrane must reach, and what it is followed through.

One alone either breaks what fades in places, or finds what is not there (Canny, IEEE
TPAMI 8, 1986, 679). The upper one is the class's.
"""

from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.species import Species

FOLLOWED = 0.2
"""Of the threshold: the lowest score of a point on what is found."""


def lowest_followed(species: Species) -> float:
    """Return the lowest score of a candidate that can become, or join, a pick."""
    share = 1.0 if species.kind == PARTICLE else FOLLOWED
    return share * species.threshold
