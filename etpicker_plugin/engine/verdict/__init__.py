"""Which picker found the real particles: likelihood, resolution, and their limits."""
