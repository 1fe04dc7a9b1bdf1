"""Where sets place the particles: beside one another, and beside their density."""
