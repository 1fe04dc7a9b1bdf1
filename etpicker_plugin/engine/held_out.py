"""A score on held-out particles, in words that say how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping

FEW = 10
"""Of fewer held-out particles, one more or less moves F1 by more than 0.05."""


def describe_f1(f1: float, n_particles: float | None) -> str:
    """Return an F1 with the particles that it was measured on, and what it is worth.

    Parameters
    ----------
    n_particles
        Held-out particles; None where a model of an earlier version does not say.
    """
    if n_particles is None:
        return f"F1 {f1:.2f} on held-out data"
    count = int(n_particles)
    if count == 0:
        return "F1 not measured, no particle was held out"
    noun = "particle" if count == 1 else "particles"
    said = f"F1 {f1:.2f} on {count} held-out {noun}"
    return f"{said}, too few to judge by" if count < FEW else said


def describe_metrics(metrics: Mapping[str, float]) -> str:
    """Return a species' F1 (``Species.metrics``) in words; nothing if it has none."""
    if "f1" not in metrics:
        return ""
    return describe_f1(metrics["f1"], metrics.get("particles"))
