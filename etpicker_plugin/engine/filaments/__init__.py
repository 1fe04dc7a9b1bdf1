"""Filaments as curves: from points to curves, and from curves to points. No torch."""
