"""Micrographs: all boxes in one 2D classification, and which classes say what."""
