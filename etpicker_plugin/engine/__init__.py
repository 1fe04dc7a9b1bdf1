"""The engine: tomograms, particles and models, without Scipion."""
