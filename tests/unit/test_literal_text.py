"""Names on plots are literal: every picture of the product is drawn with odd ones."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from etpicker_plugin.engine.comparison.diagram import draw_subsets
from etpicker_plugin.engine.evaluation.report import draw_curves, draw_histograms
from etpicker_plugin.engine.evaluation.scoring import compare, score
from etpicker_plugin.engine.html_page import to_png
from etpicker_plugin.engine.literal_text import literal
from etpicker_plugin.engine.update.forgetting import ClassChange, Forgetting
from etpicker_plugin.engine.update.report import draw_changes
from etpicker_plugin.viewers.averages import draw_montage, draw_sections
from etpicker_plugin.viewers.histograms import draw_metrics, draw_scores
from etpicker_plugin.viewers.training_curves import Curves, draw_training
from etpicker_plugin.viewers.z_range import ZRangeChooser

FORMULA = r"$\frac{a}$"
"""Matplotlib cannot set it: a plot that takes it for one fails."""
NAMES = [FORMULA, "$x_1$", "a$b", r"\$c$"]


def drawn(draw):
    """Draw as the viewers do; the texts that stand in the figure."""
    figure = Figure()
    FigureCanvasAgg(figure)
    draw(figure)
    figure.canvas.draw()
    return {
        text.get_text() for text in figure.findobj(lambda o: hasattr(o, "get_text"))
    }


def test_matplotlib_itself_would_fail():
    with pytest.raises(ValueError, match="frac"):
        drawn(lambda figure: figure.suptitle(FORMULA))


@pytest.mark.parametrize("name", NAMES)
def test_the_engines_pictures(name):
    comparison = compare(
        np.array([[1.0, 2.0, 3.0], [40.0, 2.0, 3.0]]),
        np.array([[1.0, 2.0, 4.0]]),
        scores=np.array([0.9, 0.4]),
        max_distance=5.0,
    )
    change = ClassChange(
        name=name, is_new=True, n_particles=3, f1_before=0.1, f1_after=0.2
    )
    forgetting = Forgetting(
        verdict="promoted",
        reasons=(),
        doubts=(),
        classes=(change,),
        matrix=(),
        backward_transfer=None,
        forward_transfer=None,
        allowed_drop=0.02,
    )
    scores = {name: score(comparison, voxel_size=10.0, beta=4.0)}

    for figure in (
        draw_curves(scores, {name: comparison}),
        draw_histograms(scores, {name: comparison}),
        draw_changes(forgetting),
        draw_subsets({(name,): 3, (name, "b"): 2, ("b",): 1}, [name, "b"]),
    ):
        assert to_png(figure)[1:4] == b"PNG"


@pytest.mark.parametrize("name", NAMES)
def test_the_viewers_pictures(name):
    box = np.zeros((6, 8, 10), np.float32)
    metrics = {name: {"precision": 0.5, "recall": 0.25, "f1": 0.3}}
    curves = Curves(
        loss={1: 5.0, 2: 0.04},
        learning_rate={1: 0.1, 2: 0.2},
        score={2: 0.5},
        class_f1={name: {2: 0.5}},
    )

    assert f"{name}: 2 picks" in drawn(lambda f: draw_scores(f, {name: [0.1, 0.5]}, {}))
    assert name in drawn(lambda f: draw_metrics(f, metrics))
    assert f"F1 {name}" in drawn(lambda f: draw_training(f, curves, title=name))
    assert f"{name}, along z" in drawn(lambda f: draw_sections(f, {name: box}))
    assert name in drawn(lambda f: draw_montage(f, [box], [name]))
    assert name in drawn(lambda f: ZRangeChooser(f, {name: box[0]}))


def test_powers_of_ten_stay_formulas():
    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot([1, 1000], [1, 1000])
    axes.set_yscale("log")
    axes.set_title("$x$")

    literal(figure)
    figure.canvas.draw()

    assert not axes.title.get_parse_math()
    assert all(label.get_parse_math() for label in axes.get_yticklabels())
    assert not any(label.get_parse_math() for label in axes.get_xticklabels())
