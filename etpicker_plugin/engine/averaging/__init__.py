"""Averaging subtomograms with RELION: classification and gold-standard refinement."""
