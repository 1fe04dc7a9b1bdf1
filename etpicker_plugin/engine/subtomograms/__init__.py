"""Subtomograms: boxes cut out of tomograms, made ready for averaging."""
