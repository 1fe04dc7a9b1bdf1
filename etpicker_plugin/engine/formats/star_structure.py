"""What stands where in a STAR file: blocks, labels and rows, each with its line.

A value stands in one line, and each row of a loop in one, as every program of the field
writes them; whatever would have to be guessed is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.text_files import split_lines

TOKEN = re.compile(
    r"""\s*(?:
        (?P<comment>\#.*)
      | "(?P<double>(?:[^"]|"(?=\S))*)"(?!\S)
      | '(?P<single>(?:[^']|'(?=\S))*)'(?!\S)
      | (?P<plain>[^\s"'\#]\S*)
    )""",
    re.VERBOSE,
)
ODD_BLANK = re.compile(r"[^\S \t\r\n]")
"""What splits words for Python, but not for pandas."""
BARE_LABEL = re.compile(r"[a-z]{2,4}[A-Z]\w*")


@dataclass
class RawTable:
    """A loop, or the label value pairs of a block as one row.

    Attributes
    ----------
    block
        Name of its block, without ``data_``.
    line
        Where it begins, counted from 1.
    is_loop
        Whether it is a loop.
    labels
        The labels without underscore, with their lines.
    lines, rows
        Number and text of each row: as many values as labels, between blanks, those
        with blanks or quotes in double quotes.
    """

    block: str
    line: int
    is_loop: bool
    labels: dict[str, int] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)


def scan_star(text: str, path: Path) -> list[RawTable]:
    """Return the tables of a STAR file in their order.

    Raises
    ------
    InputDataError
        If something stands where it has no meaning; it names the line.
    """
    scanner = _Scanner(path, has_odd_blanks=bool(ODD_BLANK.search(text)))
    for number, line in enumerate(split_lines(text), 1):
        scanner.take(line, number)
    return scanner.tables


class _Scanner:
    """The tables so far, and where the next line belongs."""

    def __init__(self, path: Path, *, has_odd_blanks: bool) -> None:
        self.tables: list[RawTable] = []
        self._path = path
        self._has_odd_blanks = has_odd_blanks
        self._block: str | None = None
        self._table: RawTable | None = None

    def take(self, line: str, number: int) -> None:
        """Take the next line of the file."""
        words = line.split()
        if not words or words[0][0] == "#":
            return
        table = self._table
        if (
            table is not None
            and table.is_loop
            and len(words) == len(table.labels)
            and words[0][0] not in "_;dDlL"
            and not ('"' in line or "'" in line or "#" in line or self._has_odd_blanks)
        ):
            # Nearly every line of a long file: no need to look closer.
            table.lines.append(number)
            table.rows.append(line.strip())
            return
        self._take_closely(line, number)

    def _take_closely(self, line: str, number: int) -> None:
        if line[0] == ";":
            raise self._fault(number, "a value of several lines (;) is not read")
        words, quoted = self._tokens(line, number)
        first = words[0].lower()
        if first.startswith("data_") and len(words) == 1 and not quoted:
            self._block, self._table = words[0][len("data_") :], None
        elif self._block is None:
            raise self._fault(number, f"expected data_, got '{line.strip()[:60]}'")
        elif first == "loop_" and len(words) == 1 and not quoted:
            self._begin(number, is_loop=True)
        elif words[0][0:1] == "_" and not quoted and not self._is_row(words):
            self._take_label(words, number)
        else:
            self._take_row(words, number)

    def _tokens(self, line: str, number: int) -> tuple[list[str], bool]:
        """Return the values of a line, and whether the first is in quotes."""
        words: list[str] = []
        quoted = False
        at = 0
        while at < len(line.rstrip()):
            match = TOKEN.match(line, at)
            if match is None:
                raise self._fault(number, "a quote is opened and not closed")
            at, kind = match.end(), match.lastgroup
            if kind == "comment":
                break
            quoted = quoted or (not words and kind != "plain")
            words.append(match[str(kind)])
        return words, quoted

    def _begin(self, number: int, *, is_loop: bool) -> RawTable:
        self._table = RawTable(self._block or "", number, is_loop)
        self.tables.append(self._table)
        return self._table

    def _is_row(self, words: list[str]) -> bool:
        """Tell whether a line that begins with ``_`` is a row of the loop before it."""
        table = self._table
        return (
            table is not None
            and table.is_loop
            and bool(table.rows)
            and len(words) == len(table.labels) > 1
            and not words[0].startswith("_rln")
        )

    def _take_label(self, words: list[str], number: int) -> None:
        table = self._table
        if table is not None and table.is_loop and table.rows:
            raise self._fault(
                number,
                f"the label {words[0]} stands behind the rows of its loop. Begin a new "
                "block (data_) with it",
            )
        table = table or self._begin(number, is_loop=False)
        label = words[0][1:]
        if label in table.labels:
            raise self._fault(
                number,
                f"the label {words[0]} stands twice, first in line "
                f"{table.labels[label]}. Keep one",
            )
        table.labels[label] = number
        expected = 1 if table.is_loop else 2
        if len(words) != expected:
            raise self._fault(number, _wrong_label(words, is_loop=table.is_loop))
        if not table.is_loop:
            table.lines = table.lines or [number]
            table.rows = [" ".join([*table.rows, _requoted(words[1])])]

    def _take_row(self, words: list[str], number: int) -> None:
        table = self._table
        if table is None or not table.is_loop:
            raise self._fault(
                number,
                f"expected a label (_...), loop_ or data_, got '{words[0][:60]}'",
            )
        if len(words) != len(table.labels):
            raise self._fault(number, _wrong_row(words, table))
        table.lines.append(number)
        table.rows.append("\t".join(map(_requoted, words)))

    def _fault(self, number: int, what: str) -> InputDataError:
        return InputDataError(
            f"{self._path} cannot be read as a STAR file: line {number}: {what}."
        )


def _requoted(word: str) -> str:
    """Return a value as pandas reads it back."""
    if word and '"' not in word and not re.search(r"\s", word):
        return word
    return '"' + word.replace('"', '""') + '"'


def _wrong_label(words: list[str], *, is_loop: bool) -> str:
    if is_loop:
        return f"expected the label {words[0]} alone, got {len(words) - 1} value(s) too"
    if len(words) == 1:
        return f"the label {words[0]} has no value. Is loop_ missing before the labels?"
    return f"the label {words[0]} has {len(words) - 1} values, expected one"


def _wrong_row(words: list[str], table: RawTable) -> str:
    if not table.labels:
        return "loop_ without labels: a label begins with _"
    if len(words) == 1 and not table.rows and BARE_LABEL.fullmatch(words[0]):
        return f"the label {words[0]} does not begin with _"
    last = list(table.labels)[-1]
    return (
        f"{len(words)} value(s), expected {len(table.labels)}, one for each label of "
        f"the loop in line {table.line} (the last is _{last})"
    )
