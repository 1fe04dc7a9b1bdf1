"""The forgetting report: what the update gained and lost, as JSON and as a page."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.html_page import page, paragraph, picture, table, to_png
from etpicker_plugin.engine.update.forgetting import (
    PROMOTED,
    ClassChange,
    Forgetting,
)

JSON_NAME = "forgetting.json"
PAGE_NAME = "report.html"
PICTURE_NAME = "forgetting.png"


def write_forgetting(
    forgetting: Forgetting, out_dir: Path, *, old_model: Path, new_model: Path
) -> None:
    """Write forgetting.json, report.html and its picture.

    ``recommended`` in the JSON is the path of the model that should be used.
    """
    recommended = new_model if forgetting.verdict == PROMOTED else old_model
    record = {
        **forgetting.to_json(),
        "recommended": str(recommended),
        "old_model": str(old_model),
        "new_model": str(new_model),
    }
    png = to_png(draw_changes(forgetting))
    with write_whole(out_dir / PICTURE_NAME) as temporary:
        temporary.write_bytes(png)
    with write_whole(out_dir / PAGE_NAME) as temporary:
        text = _page(forgetting, png, old_model=old_model, new_model=new_model)
        temporary.write_text(text, encoding="utf-8")
    with write_whole(out_dir / JSON_NAME) as temporary:
        temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")


def draw_changes(forgetting: Forgetting) -> Figure:
    """Draw F1 before and after, a pair of bars for each class."""
    changes = forgetting.classes
    figure = Figure(figsize=(2.5 + 1.1 * len(changes), 3.6), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(len(changes))
    before = [c.f1_before or 0.0 for c in changes]
    after = [c.f1_after or 0.0 for c in changes]
    axes.bar(places - 0.2, before, 0.4, color="0.7", label="old model")
    axes.bar(places + 0.2, after, 0.4, color="C0", label="new model")
    for place, change in zip(places, changes, strict=True):
        if change.f1_after is None:
            axes.text(place, 0.02, "not\nmeasured", ha="center", fontsize="small")
    names = [f"{c.name}\n(new)" if c.is_new else c.name for c in changes]
    axes.set_xticks(places, names)
    axes.set(ylim=(0, 1.02), ylabel="F1 on held-out data")
    axes.grid(axis="y", alpha=0.3)
    figure.legend(loc="outside upper right", ncols=2, frameon=False)
    return figure


def _page(
    forgetting: Forgetting, png: bytes, *, old_model: Path, new_model: Path
) -> str:
    promoted = forgetting.verdict == PROMOTED
    verdict = (
        f"Promoted: use the new model, {new_model}."
        if promoted
        else f"Kept old: go on with the old model, {old_model}."
    )
    parts = [
        paragraph(verdict, style=_style_of(forgetting)),
        *(paragraph(reason) for reason in forgetting.reasons),
        *(paragraph(doubt, style="alarm") for doubt in forgetting.doubts),
        paragraph(
            f"A new model is promoted when no old class loses more than "
            f"{forgetting.allowed_drop:g} F1 on held-out data of earlier trainings, "
            "none loses on the new data, and new classes are found more often than "
            "random picks would find them. Both models stay available."
        ),
        table(
            ("Class", "F1 before", "F1 after", "change", "held-out particles"),
            [_row(change) for change in forgetting.classes],
        ),
        picture(PICTURE_NAME, png),
        paragraph(
            "Old classes are measured on exemplars of earlier trainings that are "
            "never learnt from, new classes on held-out parts of the new tomograms, "
            "both as they are and mirrored along each axis; each model picks at its "
            "own thresholds."
        ),
        "<h2>By where the data come from</h2>",
        _matrix(forgetting),
        paragraph(_transfer(forgetting)),
    ]
    return page("What the update gained and lost", parts)


def _style_of(forgetting: Forgetting) -> str:
    """Return the verdict's style: what is in doubt is not green."""
    if forgetting.verdict != PROMOTED:
        return "bad"
    return "" if forgetting.doubts else "good"


def _row(change: ClassChange) -> tuple[str, ...]:
    name = f"{change.name} (new)" if change.is_new else change.name
    if change.f1_before is None or change.f1_after is None:
        return (name, "not measured", "not measured", "", "0")
    difference = change.f1_after - change.f1_before
    return (
        name,
        f"{change.f1_before:.3f}",
        f"{change.f1_after:.3f}",
        f"{difference:+.3f}",
        str(change.n_particles),
    )


def _matrix(forgetting: Forgetting) -> str:
    """Return the class × training table: F1 before → after (particles)."""
    groups = list(dict.fromkeys(cell.group for cell in forgetting.matrix))
    cells = {(c.class_name, c.group): c for c in forgetting.matrix}
    rows = []
    for change in forgetting.classes:
        row = [change.name]
        for group in groups:
            cell = cells.get((change.name, group))
            if cell is None:
                row.append("")
                continue
            old = "–" if cell.f1_before is None else f"{cell.f1_before:.3f}"
            row.append(f"{old} → {cell.f1_after:.3f} ({cell.n_particles})")
        rows.append(row)
    return table(("Class", *groups), rows)


def _transfer(forgetting: Forgetting) -> str:
    def shown(value: float | None, form: str) -> str:
        return "not measured" if value is None else format(value, form)

    return (
        "Backward transfer (mean change of F1 of old classes on earlier data): "
        f"{shown(forgetting.backward_transfer, '+.3f')}. Forward transfer (mean F1 of "
        "the old model on the new data, for classes it knew): "
        f"{shown(forgetting.forward_transfer, '.3f')}."
    )
