"""From clicked centres to a model."""
