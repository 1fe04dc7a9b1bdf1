"""What reaches a terminal is text: no name moves its cursor or forges a log's line."""

import argparse
import logging
from typing import NoReturn

from etpicker_plugin.engine.names import printable

FORMAT = "%(asctime)s %(levelname)s %(message)s"
INDENT = "  "


class PlainFormatter(logging.Formatter):
    """Lines with the time; what they hold of control characters is spelled out.

    A message of several lines stays one: those after the first are indented.
    """

    def __init__(self) -> None:
        super().__init__(FORMAT, datefmt="%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text that a terminal shows as it is."""
        lines = super().format(record).split("\n")
        return f"\n{INDENT}".join(printable(line.expandtabs()) for line in lines)


class PlainParser(argparse.ArgumentParser):
    """Reads flags; what it says of wrong ones holds no control characters."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end."""
        super().error(printable(message))
