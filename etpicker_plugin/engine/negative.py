"""The class of places that a person says hold no particle."""

NEGATIVE = "negative"
"""No species has this name."""
