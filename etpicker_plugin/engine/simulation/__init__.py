"""Phantom tomograms with a known truth."""
