"""What the window works out for a person: centres, cut-offs, suggestions. No Qt."""
