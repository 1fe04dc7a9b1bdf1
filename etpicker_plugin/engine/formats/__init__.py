"""Coordinate files of this and other programs."""
