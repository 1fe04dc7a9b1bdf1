"""Tomograms on disk and in memory."""
