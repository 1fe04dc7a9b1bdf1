"""Boxes refined together, and what the alignment says of each set."""
