"""Tomograms and coordinates, read and written."""
