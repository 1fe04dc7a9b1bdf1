"""The commands' parameters, one dataclass each."""
