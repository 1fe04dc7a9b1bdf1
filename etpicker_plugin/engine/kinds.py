"""What the things of a class are: points, curves or closed surfaces."""

PARTICLE = "particle"
FILAMENT = "filament"
VESICLE = "vesicle"
KINDS = (PARTICLE, FILAMENT, VESICLE)
"""A particle is picked at its centre; a filament along its centreline; a vesicle by
its membrane, which gives centre and radius."""
