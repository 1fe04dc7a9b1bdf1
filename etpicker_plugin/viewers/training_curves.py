"""Watching a training: its curves, and a validation slice with the picks so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from etpicker_plugin.constants import SLICE_FILE
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.json_checks import (
    JsonFault,
    number,
    parse,
    record,
    whole,
)
from etpicker_plugin.engine.literal_text import literal
from etpicker_plugin.engine.newer_python import without_start
from etpicker_plugin.engine.records import progress_file
from etpicker_plugin.engine.training.validation_slice import (
    ValidationSlice,
    read_validation_slice,
)
from etpicker_plugin.viewers.watched_slice import draw_validation_slice

SECONDS_BETWEEN_READINGS = 3
CLASS_PREFIX = "f1:"
TRAINING = record({"done": whole(0), "loss": number(), "lr": number()}, others=True)
VALIDATION = record({"step": whole(0), "score": number()}, others=True)
WIDE = 1.5
"""A slice that is wider in proportion lies below the curves, else beside them."""


@dataclass
class Curves:
    """Values by optimiser step; a step that was repeated after a kill counts once."""

    loss: dict[int, float] = field(default_factory=dict)
    learning_rate: dict[int, float] = field(default_factory=dict)
    score: dict[int, float] = field(default_factory=dict)
    class_f1: dict[str, dict[int, float]] = field(default_factory=dict)

    def is_empty(self):
        return not self.loss


def read_curves(path: Path) -> Curves:
    """Read what the progress file holds so far; a half-written line is left out."""
    curves = Curves()
    if not path.is_file():
        return curves
    for line in path.read_bytes().splitlines():
        try:
            found = parse(line, finite=False)
            stage = found.get("stage") if isinstance(found, dict) else None
            if stage == "training":
                step = TRAINING(found, "line")["done"]
                curves.loss[step] = found["loss"]
                curves.learning_rate[step] = found["lr"]
            elif stage == "validation":
                _add_validation(curves, VALIDATION(found, "line"))
        except JsonFault:
            continue
    return curves


def _add_validation(curves: Curves, found: dict) -> None:
    step = found["step"]
    curves.score[step] = found["score"]
    for key, value in found.items():
        if key.startswith(CLASS_PREFIX):
            by_step = curves.class_f1.setdefault(without_start(key, CLASS_PREFIX), {})
            by_step[step] = value


def draw_training(
    figure: Figure,
    curves: Curves,
    shown: ValidationSlice | None = None,
    *,
    title: str = "",
) -> None:
    """Draw the curves and, beside them, the slice if there is one."""
    figure.clear()
    beside = False
    if shown is None:
        above, below = figure.subplots(2, 1, sharex=True)
    else:
        grid = figure.add_gridspec(2, 2)
        height, width = shown.image.shape
        beside = height * WIDE < width  # A held-out part of one tomogram is a strip.
        above = figure.add_subplot(grid[0, 0])
        below = figure.add_subplot(grid[0, 1] if beside else grid[1, 0], sharex=above)
        place = grid[1, :] if beside else grid[:, 1]
        draw_validation_slice(figure.add_subplot(place), shown)
    _draw_curves(above, below, curves, title=title)
    if beside:  # one above the other, they share the axis that is named below
        above.set_xlabel(below.get_xlabel())
    literal(figure).tight_layout()


def _draw_curves(above: Axes, below: Axes, curves: Curves, *, title: str) -> None:
    """Draw loss with learning rate above, validation below."""
    above.set_title(title or ("no training yet" if curves.is_empty() else ""))
    _plot(above, curves.loss, label="loss", color="tab:blue")
    above.set_ylabel("loss")
    if curves.loss:  # a new head on pretrained features begins a hundred times higher
        above.set_yscale("log")
    rate = above.twinx()
    _plot(rate, curves.learning_rate, label="learning rate", color="0.6", ls="--")
    rate.set_ylabel("learning rate", color="0.5")
    rate.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    _plot(below, curves.score, label="validation score", color="black", marker="o")
    for name, values in curves.class_f1.items():
        _plot(below, values, label=f"F1 {name}", marker=".", lw=1)
    below.set_ylim(-0.05, 1.05)
    below.set_xlabel("optimiser step")
    below.set_ylabel("validation")
    below.grid(alpha=0.3)
    if curves.score:
        below.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=4, fontsize=8
        )


def _plot(axes, values: dict[int, float], **style) -> None:
    steps = sorted(values)
    style.setdefault("lw", 1.5)
    axes.plot(steps, [values[s] for s in steps], markersize=4, **style)


class LiveTraining:
    """Redraws a figure when there is news in a run's folder, until it is closed."""

    def __init__(self, figure: Figure, folder: Path, *, title: str) -> None:
        self._figure, self._title = figure, title
        self._progress, self._slice = progress_file(folder), folder / SLICE_FILE
        self._drawn: list[tuple[int, int]] = []
        self.refresh()
        self._timer = figure.canvas.new_timer(interval=1000 * SECONDS_BETWEEN_READINGS)
        self._timer.add_callback(self.refresh)
        figure.canvas.mpl_connect("close_event", lambda _event: self._timer.stop())
        self._timer.start()

    def refresh(self) -> None:
        """Draw again if there is news."""
        state = [_state_of(path) for path in (self._progress, self._slice)]
        if state == self._drawn:
            return
        self._drawn = state
        draw_training(
            self._figure,
            read_curves(self._progress),
            _read_slice(self._slice),
            title=self._title,
        )
        self._figure.canvas.draw_idle()


def _state_of(path: Path) -> tuple[int, int]:
    """Return size and time of a file; zeros where there is none."""
    if not path.is_file():
        return 0, 0
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _read_slice(path: Path) -> ValidationSlice | None:
    """Return the slice; none before the first validation."""
    try:
        return read_validation_slice(path)
    except InputDataError:
        return None
