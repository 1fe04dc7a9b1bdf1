"""etpicker: learning particle picker for cryo-electron tomograms, in Scipion."""

__version__ = "0.1.0"
