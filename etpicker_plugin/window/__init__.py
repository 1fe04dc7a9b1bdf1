"""The window: look at tomograms, mark particles, judge picks. The engine's client."""
