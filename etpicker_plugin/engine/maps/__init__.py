"""From density maps to scenes that look like a user's own tomograms."""
