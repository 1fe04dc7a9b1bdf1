"""One self-contained HTML page: nothing outside it is needed to read it."""

import base64
import html
import io
from collections.abc import Mapping, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}th,td{padding:.3em .7em;text-align:right;"
    "border-bottom:1px solid #ddd}th:first-child,td:first-child{text-align:left}"
    "img{max-width:100%}pre{background:#f4f4f4;padding:.7em;overflow-x:auto}"
    ".alarm{background:#fff1e0;border-left:4px solid #d70;padding:.4em .8em}"
    ".verdict{background:#eef5ff;border-left:4px solid #36c;padding:.4em .8em}"
    ".how{color:#444}"
)


def to_png(figure: Figure) -> bytes:
    """Render a figure without a display."""
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()


def picture(name: str, png: bytes, how_to_read: str = "") -> str:
    """Return an embedded picture with a sentence on how to read it."""
    source = base64.b64encode(png).decode("ascii")
    image = f'<p><img alt="{html.escape(name)}" src="data:image/png;base64,{source}">'
    note = f'<p class="how">{html.escape(how_to_read)}</p>' if how_to_read else ""
    return f"{image}</p>{note}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the first column is text, the others numbers."""
    head = "".join(f"<th>{html.escape(c)}</th>" for c in columns)
    lines = [
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    ]
    return f"<table><tr>{head}</tr>\n" + "\n".join(lines) + "</table>"


def heading(text: str, level: int = 2) -> str:
    """Return a heading."""
    return f"<h{level}>{html.escape(text)}</h{level}>"


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph; ``kind`` is ``alarm``, ``verdict`` or ``how``."""
    mark = f' class="{kind}"' if kind else ""
    return f"<p{mark}>{html.escape(text)}</p>"


def preformatted(text: str) -> str:
    """Return lines to copy."""
    return f"<pre>{html.escape(text)}</pre>"


def definitions(values: Mapping[str, str]) -> str:
    """Return a two-column table of names and values."""
    return table(("", ""), [(name, value) for name, value in values.items()])


def whole_page(title: str, parts: Sequence[str]) -> str:
    """Return the page."""
    body = "\n".join([heading(title, 1), *parts])
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )
