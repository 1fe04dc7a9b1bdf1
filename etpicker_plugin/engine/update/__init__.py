"""Continual update: learn new data and species without forgetting the old."""
