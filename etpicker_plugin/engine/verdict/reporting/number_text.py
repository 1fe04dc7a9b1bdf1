"""A number in a table, which may be unknown."""


def number_text(value: float | None, digits: int = 0) -> str:
    """Return a number with so many digits after the point, or a dash for none."""
    return "-" if value is None else f"{value:.{digits}f}"
