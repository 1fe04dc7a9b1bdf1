"""The demonstration: phantoms, training, picking and a page, in a Scipion project."""
