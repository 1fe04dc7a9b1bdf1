"""Self-contained HTML pages: tables and pictures in one file, nothing outside it."""

import base64
import html
import io
from collections.abc import Iterable, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}th,td{padding:.3em .7em;text-align:right;"
    "border-bottom:1px solid #ddd}th:first-child,td:first-child{text-align:left}"
    "img{max-width:100%}.good{color:#060}.bad{color:#900}"
)


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole page; the parts are HTML."""
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body>\n<h1>{html.escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; every cell is plain text."""
    head = "".join(f"<th>{html.escape(c)}</th>" for c in columns)
    lines = [
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    ]
    return f"<table><tr>{head}</tr>\n" + "\n".join(lines) + "</table>"


def paragraph(text: str, *, style: str = "") -> str:
    """Return a paragraph of plain text; ``good`` and ``bad`` are styles."""
    attribute = f' class="{style}"' if style else ""
    return f"<p{attribute}>{html.escape(text)}</p>"


def picture(name: str, png: bytes) -> str:
    """Return a picture that is part of the page."""
    source = base64.b64encode(png).decode("ascii")
    return (
        f'<p><img alt="{html.escape(name)}" src="data:image/png;base64,{source}"></p>'
    )


def to_png(figure: Figure) -> bytes:
    """Draw a figure without a window."""
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()
