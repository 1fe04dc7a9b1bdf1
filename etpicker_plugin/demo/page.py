"""The demo's page: one HTML file that needs nothing outside it."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

COLUMNS = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "average_precision": "average precision",
    "mean_distance_voxels": "distance [voxels]",
    "mean_distance_ang": "distance [Å]",
    "n_truth": "particles",
    "n_picks": "picks",
}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 66em; margin: 2em auto;
       padding: 0 1em; color: #222 }
h1 { margin-bottom: 0 }
table { border-collapse: collapse; margin: 1em 0 }
th, td { padding: .3em .8em; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
img { max-width: 100%; display: block; margin: auto }
figure { margin: 2em 0 } figcaption { color: #555 }
code { background: #f3f3f3; padding: .1em .3em; overflow-wrap: anywhere }
.lead { font-size: 1.15em; color: #444 }
"""


@dataclass(frozen=True)
class Picture:
    """A picture of the page: its heading, what it shows, and its data URL."""

    title: str
    caption: str
    source: str


def make_page(
    *,
    lead: str,
    metrics: Mapping[str, Mapping[str, float | None]],
    pictures: Sequence[Picture],
    facts: Mapping[str, str],
) -> str:
    """Return the page: numbers first, then pictures, then how to repeat it."""
    parts = [
        "<h1>etpicker</h1>",
        f'<p class="lead">{html.escape(lead)}</p>',
        "<h2>Picks against truth</h2>",
        metrics_table(metrics),
        *(_figure(picture) for picture in pictures),
        "<h2>This run</h2>",
        _facts_table(facts),
    ]
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>etpicker demo</title><style>{STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def metrics_table(metrics: Mapping[str, Mapping[str, float | None]]) -> str:
    """Return a row per class; a dash where a number is undefined."""
    head = "".join(f"<th>{title}</th>" for title in ("class", *COLUMNS.values()))
    rows = []
    for name, values in metrics.items():
        cells = "".join(f"<td>{format_number(values.get(k))}</td>" for k in COLUMNS)
        rows.append(f"<tr><td>{html.escape(name)}</td>{cells}</tr>")
    return f"<table><tr>{head}</tr>\n" + "\n".join(rows) + "</table>"


def format_number(value: float | None) -> str:
    """Return a count as it is, another number with two digits."""
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.2f}"


def _figure(picture: Picture) -> str:
    return (
        f"<figure><h2>{html.escape(picture.title)}</h2>"
        f'<img alt="{html.escape(picture.title)}" src="{picture.source}">'
        f"<figcaption>{html.escape(picture.caption)}</figcaption></figure>"
    )


def _facts_table(facts: Mapping[str, str]) -> str:
    rows = [
        f"<tr><td>{html.escape(name)}</td>"
        f'<td style="text-align:left"><code>{html.escape(value)}</code></td></tr>'
        for name, value in facts.items()
    ]
    return "<table>" + "\n".join(rows) + "</table>"
