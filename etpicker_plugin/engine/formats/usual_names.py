"""The usual names of tomograms: what RELION and Warp make of a tilt series' name."""

import re

RULE = re.compile(r"(?:rec_)?(.+?)(?:_half[12]|_\d+(?:\.\d+)?Apx)*")


def usual_tilt_series(tomogram: str) -> str:
    """Return the tilt series of a tomogram that RELION or Warp named."""
    found = RULE.fullmatch(tomogram)
    return found[1] if found else tomogram
