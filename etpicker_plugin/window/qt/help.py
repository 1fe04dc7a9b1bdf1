"""The help: all keys and gestures."""

import html

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from etpicker_plugin.window.keys import help_rows
from etpicker_plugin.window.qt.style import ACCENT, FAINT

SIZE = (1080, 720)
LONG = 56
"""A text of more letters takes two lines."""

MARGIN = 60
"""Left free of the window at least, so that it is seen beneath."""


class HelpDialog(QDialog):
    """Two columns; Escape closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse — etpicker")
        self.setObjectName("help")
        columns = QWidget()
        row = QHBoxLayout(columns)
        row.setSpacing(26)
        self.labels = [QLabel(text) for text in split_columns()]
        for label in self.labels:
            label.setTextFormat(Qt.RichText)
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignTop)
            row.addWidget(label, stretch=1)
        area = QScrollArea()
        area.setWidget(columns)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.NoFrame)
        QVBoxLayout(self).addWidget(area)
        width, height = (
            min(n, m - MARGIN)
            for n, m in zip(SIZE, (parent.width(), parent.height()), strict=True)
        )
        self.resize(width, height)


def split_columns() -> list[str]:
    """Return the tables as rich text, in two columns of about one length."""
    tables = [(_height(rows), _table(heading, rows)) for heading, rows in help_rows()]
    heights = [height for height, _ in tables]
    best = min(
        range(len(tables)), key=lambda i: max(sum(heights[:i]), sum(heights[i:]))
    )
    texts = [text for _, text in tables]
    return ["".join(texts[:best]), "".join(texts[best:])]


def _height(rows: list[tuple[str, str]]) -> int:
    """Return about how many lines a table takes, with its heading."""
    return 2 + sum(1 + (len(text) > LONG) for _, text in rows)


def _table(heading: str, rows: list[tuple[str, str]]) -> str:
    lines = "".join(
        f"<tr><td style='padding: 1px 12px 1px 0; color: {ACCENT}' width='34%'>"
        f"{html.escape(keys)}</td><td style='padding: 1px 0'>{_plain(text)}</td></tr>"
        for keys, text in rows
    )
    title = (
        f"<p style='color: {FAINT}; margin: 10px 0 3px 0'><b>{_plain(heading)}</b></p>"
    )
    return f"{title}<table width='100%' cellspacing='0'>{lines}</table>"


def _plain(text: str) -> str:
    """Return the text; what the documentation stresses is not stressed here."""
    return html.escape(text.replace("*", ""))
