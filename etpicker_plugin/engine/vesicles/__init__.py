"""Vesicles: from marks to membranes, and from membranes to centres and radii."""
