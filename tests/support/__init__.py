"""Phantoms, projects and drivers that several tests use."""
