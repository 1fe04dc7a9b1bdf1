"""The networks there are, by name; readable without torch."""

NETWORKS = ("fast", "deepetpicker")

FLAT = "fast-2d"
"""The network of micrographs: the blocks of ``fast``, in a plane."""

KNOWN = (*NETWORKS, FLAT)
