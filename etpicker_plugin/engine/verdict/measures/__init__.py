"""Numbers by which sets are told apart."""
