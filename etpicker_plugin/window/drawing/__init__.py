"""Slices, sections and circles as arrays. No Qt."""
