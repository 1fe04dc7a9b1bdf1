"""Picks against a truth. No torch here."""
