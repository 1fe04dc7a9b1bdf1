"""A head in closed form: what the shipped features tell from a few clicks."""
