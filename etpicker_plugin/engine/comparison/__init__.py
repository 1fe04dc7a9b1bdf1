"""Which picks several pickers share, and which only one of them has."""
