"""Self-contained HTML pages: tables and pictures in one file, nothing outside it."""

import base64
import html
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.literal_text import literal

STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}th,td{padding:.3em .7em;text-align:right;"
    "border-bottom:1px solid #ddd}th:first-child,td:first-child{text-align:left}"
    "img{max-width:100%}.good{color:#060}.bad{color:#900}"
    "pre{background:#f4f4f4;padding:.7em;white-space:pre-wrap;overflow-wrap:anywhere}.how{color:#444}"
    ".alarm{background:#fff1e0;border-left:4px solid #d70;padding:.4em .8em}"
    ".verdict{background:#eef5ff;border-left:4px solid #36c;padding:.4em .8em}"
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
    """Return a paragraph of plain text.

    Styles are ``good`` and ``bad``, ``alarm`` and ``verdict`` (boxes that stand out),
    and ``how`` (how to read something).
    """
    attribute = f' class="{style}"' if style else ""
    return f"<p{attribute}>{html.escape(text)}</p>"


def heading(text: str) -> str:
    """Return a section's heading."""
    return f"<h2>{html.escape(text)}</h2>"


def preformatted(text: str) -> str:
    """Return lines to copy."""
    return f"<pre>{html.escape(text)}</pre>"


def picture(name: str, png: bytes, *, how_to_read: str = "") -> str:
    """Return a picture that is part of the page, and how to read it."""
    source = base64.b64encode(png).decode("ascii")
    image = f'<img alt="{html.escape(name)}" src="data:image/png;base64,{source}">'
    note = paragraph(how_to_read, style="how") if how_to_read else ""
    return f"<p>{image}</p>{note}"


def to_png(figure: Figure) -> bytes:
    """Draw a figure without a window; every label is plain text."""
    FigureCanvasAgg(literal(figure))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()


def write_pictures(figures: Mapping[str, Figure], folder: Path) -> dict[str, bytes]:
    """Write figures as PNG, by their file names; return what was written."""
    pictures = {name: to_png(figure) for name, figure in figures.items()}
    for name, data in pictures.items():
        with write_whole(folder / name) as temporary:
            temporary.write_bytes(data)
    return pictures
