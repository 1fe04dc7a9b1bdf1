"""What a check finds: good, or what to do."""

from __future__ import annotations

from dataclasses import dataclass

OK = "ok"
WARNING = "warning"
BAD = "bad"
STATES = (OK, WARNING, BAD)
"""All is well; something is missing that not everybody needs; something that
everything needs is missing, or what is there does not work."""


@dataclass(frozen=True)
class Finding:
    """One line: of what, how it is, and what to do unless it is well."""

    name: str
    state: str
    what: str
    remedy: str = ""

    def __post_init__(self) -> None:
        """Refuse a fault without a remedy."""
        if self.state not in STATES or (self.state != OK and not self.remedy):
            raise ValueError(f"{self.name}: '{self.state}' and '{self.remedy}'")

    def line(self) -> str:
        """Return it as one line of text."""
        return f"{self.state:<9}{self.name:<10}{in_one_line(self._sentences())}"

    def _sentences(self) -> str:
        return f"{self.what}. {self.remedy}" if self.remedy else self.what


def of_error(name: str, state: str, error: Exception) -> Finding:
    """Return the finding for an error of ours, whose last sentence says what to do."""
    what, _, remedy = in_one_line(str(error)).rpartition(". ")
    return Finding(name, state, what or remedy, remedy)


def in_one_line(text: str) -> str:
    """Return a text without ends of lines and rows of blanks."""
    return " ".join(text.split())
