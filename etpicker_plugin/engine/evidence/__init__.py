"""How well maps explain what is at a place of a tomogram, in any orientation."""
