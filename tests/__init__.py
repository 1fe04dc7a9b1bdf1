"""Tests that Scipion finds: real projects, real protocols, the real engine."""
