"""The networks and the model file. ``card`` needs no torch."""
