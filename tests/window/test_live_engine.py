"""The page *Live* with the engine behind it: from one click to picks and a model."""

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest

from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.simulation.simulate import simulate
from etpicker_plugin.tests.support.window_driver import click, wait_drawn, wait_until
from etpicker_plugin.window.drawing.slices import Z
from etpicker_plugin.window.live import engine
from etpicker_plugin.window.qt.pages import LIVE

VOXEL_SIZE = 20.0
DIAMETER = 320.0
NAMES = "TS_01", "TS_02"
ANSWERED_WITHIN_S = 240


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Two small tomograms of ribosomes among others, and their true centres zyx."""
    folder = tmp_path_factory.mktemp("simulated")
    config = SimulateConfig(
        out=str(folder),
        name="TS",
        tomograms=2,
        shape=(126, 110, 58),
        voxel_size=VOXEL_SIZE,
        species=("ribosome", "proteasome"),
        particles=10,
        snr=0.08,
        tilt_step=6.0,
        membranes=1,
        filaments=1,
        gold=0,
        seed=3,
    )
    simulate(config, folder, on_progress=ignore_progress)
    truth = {n: read_csv(folder / f"{n}.csv", tomogram_id=n) for n in NAMES}
    return folder, {
        name: found.positions_zyx[found.class_names == "ribosome"]
        for name, found in truth.items()
    }


def settle(window):
    """Wait until the answer to what is marked now is drawn."""
    live = window.live
    QTest.qWait(150)
    wait_until(
        lambda: live.picker.is_solved, what="an answer", within_s=ANSWERED_WITHIN_S
    )
    QTest.qWait(150)
    wait_drawn(window)


def press(window, place, button=Qt.LeftButton):
    """Click a place in the xy slice, and wait for what follows from it."""
    window.views.go_to(place)
    wait_drawn(window)
    click(window.views.views[Z], [window.state.cursor_zyx[0], *place[1:]], button)
    settle(window)


def distances(places, truth):
    """Return how far each place is from the nearest true centre, in voxels."""
    return np.linalg.norm(np.asarray(places)[:, None] - truth[None], axis=2).min(axis=1)


@pytest.mark.slow
def test_from_one_click_to_picks_and_a_model(open_window, simulated):
    folder, truth = simulated
    window = open_window(
        *(folder / f"{name}.mrc" for name in NAMES), diameter={"ribosome": DIAMETER}
    )
    live, here = window.live, truth["TS_01"]
    radius = DIAMETER / VOXEL_SIZE / 2
    window.tabs.setCurrentIndex(LIVE)
    press(window, here[0])
    found = live.picker.proposed(window.editor.document)
    near = distances(here[1:], found.positions_zyx)
    assert (near < radius / 2).mean() > 0.55

    # Far below the cut-off there are wrong ones; two of them are rejected.
    live.page.cut_off.cut.setValue(float(live.picker.scores("ribosome").min()))
    settle(window)
    rejected = []
    for _ in range(2):
        found = live.questions
        wrong = found.chosen(distances(found.positions_zyx, here) > radius)
        rejected.append(wrong.positions_zyx[np.argmax(wrong.scores)])
        press(window, rejected[-1], Qt.RightButton)
    live.page.cut_off.automatic.click()
    settle(window)
    found = live.picker.open_questions(window.editor.document)
    right = found.chosen(distances(found.positions_zyx, here) < radius / 2)
    accepted = right.positions_zyx[np.argmax(right.scores)]
    press(window, accepted)

    live.page.keep.click()
    wait_until(
        lambda: live.page.saved.text() != "", what="saving", within_s=ANSWERED_WITHIN_S
    )
    cut_off = live.picker.cut_off("ribosome")
    window.close()

    out = window.session.folder
    marks = read_csv(out / "TS_01.csv", tomogram_id="TS_01")
    negatives = marks.positions_zyx[marks.class_names == NEGATIVE]
    np.testing.assert_allclose(negatives, rejected, atol=1e-3)
    by_hand = np.isnan(marks.scores) & (marks.class_names == "ribosome")
    assert by_hand.sum() == 2
    np.testing.assert_allclose(marks.positions_zyx[by_hand][1], accepted, atol=1e-3)
    for name in NAMES:
        picks = read_csv(out / f"{name}.csv", tomogram_id=name)
        ribosomes = picks.positions_zyx[picks.class_names == "ribosome"]
        assert (distances(truth[name], ribosomes) < radius / 2).mean() > 0.55
        assert (distances(ribosomes, truth[name]) < radius / 2).mean() > 0.55
        assert np.nanmin(picks.scores) >= cut_off - 1e-4

    card = read_card(out / "live_model.safetensors")
    (learnt,) = card.classes
    assert (learnt.name, learnt.diameter_ang) == ("ribosome", DIAMETER)
    assert learnt.threshold == pytest.approx(cut_off, abs=1e-6)
    (taught,) = card.tomograms
    assert taught.tomogram_id == "TS_01"
    assert taught.particles == {"ribosome": 2, NEGATIVE: 2}


@pytest.mark.slow
def test_refine_trains_compares_and_takes_over(open_window, simulated, monkeypatch):
    """For a second only; what comes of it is judged, and taken all the same."""
    monkeypatch.setattr(engine, "REFINE_MINUTES", 0.02)
    folder, truth = simulated
    window = open_window(folder / "TS_01.mrc", diameter={"ribosome": DIAMETER})
    live, here = window.live, truth["TS_01"]
    rows = read_csv(folder / "TS_01.csv", tomogram_id="TS_01")
    for name, places in (
        ("ribosome", here),
        (NEGATIVE, rows.of_class("proteasome").positions_zyx),
    ):
        for place in places:
            window.editor.add_at(place.tolist(), name)
    window.tabs.setCurrentIndex(LIVE)
    settle(window)
    panel = live.refine.panel
    panel.start.click()
    assert live.process.is_running()
    wait_until(
        lambda: not live.refine.process.is_running(),
        what="a training",
        within_s=ANSWERED_WITHIN_S,
    )
    assert "the refined model found" in panel.text.text()
    if live.refine.models.in_use is None:
        panel.use.click()
    settle(window)
    found = live.picker._all["TS_01"]
    found = found.chosen(found.scores >= live.picker.cut_off("ribosome"))
    assert (distances(here, found.positions_zyx) < DIAMETER / VOXEL_SIZE / 4).all()
    live.save_model()
    wait_until(
        lambda: live.page.saved.text() != "", what="saving", within_s=ANSWERED_WITHIN_S
    )
    window.close()
    card = read_card(window.session.folder / "live_model.safetensors")
    assert card.training["refined"]["sha256"] == file_sha256(live.refine.models.model())
    assert card.training["refined"]["steps"] >= 1
    assert card.tomograms[0].particles["ribosome"] == len(here)
