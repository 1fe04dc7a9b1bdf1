"""Models and what they keep: their tree, and deleting what must not be kept."""
