"""The real window: cut-off, gallery, two sets in their colours, many picks."""

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest

from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.tests.support.window_driver import wait_drawn, wait_until
from etpicker_plugin.window.drawing.slices import Z

SCORES = (0.2, 0.9, 0.5, 0.7)
ROWS = [
    "large,20,20,20,0.2",
    "large,30,40,20,0.9",
    "large,50,30,20,0.5",
    "large,60,50,20,0.7",
    "small,10,50,20,0.4",
]


@pytest.fixture
def window(open_window, phantoms, tmp_path):
    (tmp_path / "TS_a.csv").write_text("class,x,y,z,score\n" + "\n".join(ROWS) + "\n")
    other = "class,x,y,z\nlarge,31,40,20\nlarge,70,10,20\n"
    (tmp_path / "other.csv").write_text(other)
    window = open_window(
        phantoms[0] / "TS_a.mrc",
        coordinates=[tmp_path / "TS_a.csv"],
        compare=[tmp_path / "other.csv"],
    )
    window.tabs.setCurrentWidget(window.judge)
    wait_drawn(window)
    return window


def shown_circles(window):
    """Return the groups of circles that the xy view shows."""
    return window.views.views[Z].circles.groups


def saved_scores(window):
    window.save()
    found = read_csv(window.session.folder / "TS_a.csv", tomogram_id="TS_a")
    return sorted(found.of_class("large").scores.tolist())


def test_the_cut_off_hides_counts_and_is_saved(window):
    panel = window.judge.scores
    assert panel.scores.tolist() == list(SCORES)
    panel.cut.setValue(0.6)
    assert "<b>2</b> of 4" in panel.count.text()
    assert len(shown_circles(window)[0].radii) == 2
    assert saved_scores(window) == [0.7, 0.9]
    panel.all.click()
    assert saved_scores(window) == [0.2, 0.5, 0.7, 0.9]


def test_dragging_the_line_is_kept_when_it_is_let_go(window):
    panel = window.judge.scores
    panel.line.setValue(0.55)  # As while it is dragged.
    assert window.session.classes["large"].threshold == pytest.approx(0.55)
    assert "0.55" not in window.session.classes.path.read_text()
    panel.line.sigPositionChangeFinished.emit(panel.line)
    assert "0.55" in window.session.classes.path.read_text()


def test_without_a_valley_the_cut_off_says_so_and_stays(window):
    panel = window.judge.scores
    panel.cut.setValue(0.3)
    panel.automatic.click()
    assert "too few" in panel.reason.text()
    assert window.session.classes["large"].threshold == 0.3


def test_the_gallery_is_sorted_jumps_and_rejects(window):
    gallery = window.judge.gallery
    assert gallery.pictures.ids.tolist() == [1, 3, 2, 0]
    assert not gallery.pictures.data(
        gallery.pictures.index(0), Qt.DecorationRole
    ).isNull()
    gallery.setCurrentIndex(gallery.pictures.index(1))
    assert window.editor.selected == 3
    assert window.state.cursor_zyx == [20, 50, 60]
    QTest.keyClick(gallery, Qt.Key_X)
    assert window.editor.annotation.alive.tolist() == [True, True, True, False, True]
    wait_until(lambda: gallery.pictures.ids.tolist() == [1, 2, 0], what="the gallery")
    assert gallery.currentIndex().row() == 1


def test_two_sets_in_their_colours(window):
    window.judge.agreeing.setChecked(True)
    assert window.judge.numbers.text() == "both 1 · only here 4 · only the other 1"
    both, here, other = (group.centres.tolist() for group in shown_circles(window))
    assert both == [[30, 40]]
    assert len(here) == 4
    assert other == [[70, 10]]
    window.editor.add([20.0, 10.0, 70.0], "large")
    wait_until(
        lambda: (
            window.judge.numbers.text() == "both 2 · only here 4 · only the other 0"
        ),
        what="comparing again",
    )
    window.judge.agreeing.setChecked(False)
    assert len(shown_circles(window)) == 2


def test_circles_are_drawn_where_the_picks_are(window):
    """Few and many circles: the coloured pixels lie on the circle's line."""
    from etpicker_plugin.window.qt import marks

    view = window.views.views[Z]
    window.state.move_cursor([20, 0, 0])
    wait_drawn(window)
    wanted = view.pixel_of([20, 20, 20])
    radius = 7.0 * window.state.scale
    for many in (marks.MANY, 0):
        pixels = coloured_pixels(view, many=many)
        distances = np.hypot(*(pixels - [wanted.x() - 0.5, wanted.y() - 0.5]).T)
        near = distances[(distances < 1.3 * radius) & (distances > 0.5 * radius)]
        assert len(near) > 100
        np.testing.assert_allclose(near, radius, atol=2.1)


def coloured_pixels(view, *, many):
    """Return columns and rows of the orange pixels that circles are drawn with."""
    from etpicker_plugin.window.qt import marks
    from etpicker_plugin.window.qt.marks import draw_circles

    kept, marks.MANY = marks.MANY, many
    image = draw_circles(
        view.circles.groups[:1], view.box.viewRect(), view.box.size().toSize()
    )
    marks.MANY = kept
    pointer = image.constBits()
    pointer.setsize(image.sizeInBytes())
    pixels = np.frombuffer(pointer, np.uint8).reshape(image.height(), image.width(), 4)
    rows, columns = np.nonzero(pixels[..., 3] > 127)
    return np.stack([columns, rows], axis=1)


def test_a_hundred_thousand_picks_in_one_small_tomogram(
    open_window, phantoms, tmp_path
):
    generator = np.random.default_rng(0)
    positions = generator.uniform(0, [74, 62, 40], (100_000, 3)).round(1)
    rows = "\n".join(f"large,{x},{y},{z}" for x, y, z in positions.tolist())
    (tmp_path / "many.csv").write_text("class,x,y,z\n" + rows + "\n")
    window = open_window(phantoms[0] / "TS_a.mrc", coordinates=[tmp_path / "many.csv"])
    window.state.step(0, 1)
    wait_drawn(window)
    pick = window.editor.add([20.0, 30.0, 40.0])
    window.editor.undo()
    assert pick == 100_000
    assert window.editor.annotation.alive.sum() == 100_000


def test_suggestions_are_answered_by_a_key_and_each_once(window):
    page = window.suggest
    window.tabs.setCurrentIndex(2)
    window.session.classes.change("large", threshold=0.5)
    page.start.click()
    asked = list(page.queue)
    assert sorted(asked) == [0, 1, 2, 3]
    assert asked[0] == 2  # The score at the cut-off.
    assert window.state.cursor_zyx == [20, 30, 50]
    page.accept.click()
    page.decline.click()
    page.pass_by.click()
    annotation = window.editor.annotation
    assert np.isnan(annotation.scores[asked[0]])
    assert annotation.class_of(asked[0]) == "large"
    assert annotation.class_of(asked[1]) == "negative"
    assert page.queue == asked[3:]
    page.start.click()
    assert page.queue == asked[3:]
    window.tools.undo.trigger()
    assert annotation.class_of(asked[1]) == "large"
    assert annotation.scores[asked[1]] == SCORES[asked[1]]


def test_a_cut_off_counts_in_every_tomogram(open_window, phantoms, tmp_path):
    for name, scores in (("TS_a", (0.2, 0.9)), ("TS_b", (0.3, 0.4, 0.8))):
        rows = [f"large,{10 + i},12,14,{score}" for i, score in enumerate(scores)]
        (tmp_path / f"{name}.csv").write_text("class,x,y,z,score\n" + "\n".join(rows))
    names = ("TS_a", "TS_b")
    window = open_window(
        *(phantoms[0] / f"{name}.mrc" for name in names),
        coordinates=[tmp_path / f"{name}.csv" for name in names],
    )

    def counts():
        return [window.tomograms.item(row, 1).text() for row in (0, 1)]

    assert counts() == ["2", "3"]
    window.judge.scores.cut.setValue(0.35)
    wait_until(lambda: counts() == ["1", "2"], what="counting both")


@pytest.mark.parametrize(("score", "page"), [("", "annotate"), (",0.7", "judge")])
def test_picks_with_scores_are_there_to_be_judged(
    score, page, open_window, phantoms, tmp_path
):
    header = "class,x,y,z" + (",score" if score else "")
    (tmp_path / "TS_a.csv").write_text(f"{header}\nlarge,20,30,10{score}\n")
    window = open_window(phantoms[0] / "TS_a.mrc", coordinates=[tmp_path / "TS_a.csv"])
    assert window.tabs.currentWidget().isAncestorOf(
        {"annotate": window.classes, "judge": window.judge.gallery}[page]
    )


@pytest.fixture
def two_windows(open_window, phantoms, tmp_path):
    """A window on two tomograms, with scores that interleave."""
    for name, scores in (("TS_a", (0.2, 0.9)), ("TS_b", (0.3, 0.4, 0.8))):
        rows = [f"large,{10 + 9 * i},12,14,{score}" for i, score in enumerate(scores)]
        (tmp_path / f"{name}.csv").write_text("class,x,y,z,score\n" + "\n".join(rows))
    window = open_window(
        *(phantoms[0] / f"{name}.mrc" for name in ("TS_a", "TS_b")),
        coordinates=[tmp_path / f"{name}.csv" for name in ("TS_a", "TS_b")],
    )
    wait_drawn(window)
    return window


def test_the_gallery_holds_all_tomograms_and_goes_there(two_windows):
    window, gallery = two_windows, two_windows.judge.gallery
    pictures = gallery.pictures
    assert pictures.places.tolist() == [0, 1, 1, 1, 0]
    assert pictures.ids.tolist() == [1, 2, 1, 0, 0]
    gallery.setCurrentIndex(pictures.index(1))
    wait_drawn(window)
    assert window.editor.document.name == "TS_b"
    assert window.editor.selected == 2
    assert window.state.cursor_zyx == [14, 12, 28]
    QTest.keyClick(gallery, Qt.Key_X)
    wait_until(lambda: pictures.ids.tolist() == [1, 1, 0, 0], what="rejecting")
    assert window.session.documents[0].annotation.alive.all()
    window.judge.every.setChecked(False)
    assert pictures.ids.tolist() == [1, 0]
    assert pictures.places.tolist() == [1, 1]


def test_a_pick_of_another_tomogram_is_shown_before_it_can_be_rejected(two_windows):
    window, gallery = two_windows, two_windows.judge.gallery
    gallery.setCurrentIndex(gallery.pictures.index(0))
    window.tomograms.step(1)
    QTest.keyClick(gallery, Qt.Key_X)
    assert all(d.annotation.alive.all() for d in window.session.documents)
    assert window.editor.document.name == "TS_a"


def test_the_gallery_goes_to_the_cut_off_and_shades_what_is_below(two_windows):
    window, gallery = two_windows, two_windows.judge.gallery
    pictures = gallery.pictures
    window.judge.scores.cut.setValue(0.35)
    QTest.keyClick(window, Qt.Key_G)
    # 0.9, 0.8, 0.4 | 0.3, 0.2
    wait_until(lambda: gallery.currentIndex().row() == 2, what="going there")
    assert window.editor.selected == 1
    assert window.editor.document.name == "TS_b"
    shades = [
        pictures.data(pictures.index(row), Qt.ForegroundRole) is not None
        for row in range(5)
    ]
    assert shades == [False, False, False, True, True]


def test_chips_hide_show_and_count(window):
    chips = window.judge.chips.chips
    window.judge.scores.cut.setValue(0.6)
    wait_until(lambda: "2 of 4" in chips["large"].label.text(), what="counting")
    assert chips["small"].label.text().endswith("1")
    assert chips["large"].property("chosen") is True
    before = [len(g.radii) for g in shown_circles(window)]
    chips["large"].eye.click()
    assert before[0] > 0
    assert len(shown_circles(window)[0].radii) == 0
    assert chips["large"].property("shown") is False
    assert saved_scores(window) == [0.7, 0.9]  # Hiding is only looking away.
    chips["large"].eye.click()
    assert [len(g.radii) for g in shown_circles(window)] == before


def test_a_histogram_without_scores_says_why(open_window, phantoms, tmp_path):
    (tmp_path / "TS_a.csv").write_text("class,x,y,z\nlarge,20,20,20\nlarge,9,9,9\n")
    window = open_window(phantoms[0] / "TS_a.mrc", coordinates=[tmp_path / "TS_a.csv"])
    window.tabs.judge()
    plot = window.judge.scores.plot
    assert plot.text.isVisible()
    assert "No score: the 2 picks" in plot.text.toPlainText()
    assert not plot.line.isVisible()
    QTest.keyClick(window, Qt.Key_2)
    assert plot.text.toPlainText() == "There are no picks of small."


def test_a_pick_below_the_cut_off_is_seen_when_it_is_selected(window):
    window.judge.scores.cut.setValue(0.6)
    gallery = window.judge.gallery
    gallery.refresh("large")
    gallery.setCurrentIndex(gallery.pictures.index(3))  # 0.2
    wait_drawn(window)
    (highlight,) = window.views.views[Z].highlight.groups
    assert highlight.centres.tolist() == [[20, 20]]


def test_a_hidden_class_is_shown_again_when_a_pick_of_it_is_added(window):
    chips = window.judge.chips.chips
    chips["large"].eye.click()
    window.editor.add([20.0, 10.0, 70.0], "large")
    assert len(shown_circles(window)[0].radii) > 0
    wait_until(lambda: chips["large"].property("shown"), what="the chip")
