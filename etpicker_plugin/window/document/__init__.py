"""An annotation folder: tomograms, picks, classes; every edit on disk. No Qt."""
