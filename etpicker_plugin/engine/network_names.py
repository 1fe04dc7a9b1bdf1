"""The networks there are, by name; readable without torch."""

NETWORKS = ("fast", "deepetpicker")
