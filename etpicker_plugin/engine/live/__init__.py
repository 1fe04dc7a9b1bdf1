"""Picking while a person clicks: a process that answers lines with lines."""
