"""The window shows names as they are, whatever they look like."""

import shutil

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QApplication, QLabel, QMessageBox

NAME = "<img src=x><b>TS&1"
CLASS = "<i>80S</i> ribosome"


@pytest.fixture
def window(open_window, phantoms, tmp_path):
    """The window on a tomogram and picks of a class that look like HTML."""
    tomogram = tmp_path / f"{NAME}.mrc"
    shutil.copy(phantoms[0] / "TS_a.mrc", tomogram)
    csv = tmp_path / f"{NAME}.csv"
    csv.write_text(f"class,x,y,z,score\n{CLASS},20,21,22,0.5\n", encoding="utf-8")
    return open_window(tomogram, coordinates=[csv], diameter={CLASS: 100.0})


def test_labels(window):
    assert "&lt;img src=x&gt;&lt;b&gt;TS&amp;1" in window.views.corner.text()
    assert window.views.corner.textFormat() == Qt.RichText
    tip = window.tomograms.item(0, 0).toolTip()
    assert "&lt;img src=x&gt;" in tip
    assert "<img" not in tip
    for label in window.findChildren(QLabel):
        assert "<img" not in label.text()
        assert "<i>80S" not in label.text()


def test_questions(window):
    window.tabs.setCurrentWidget(window.suggest)
    window.editor.choose_class(CLASS)
    window.suggest.suggest()
    assert "<i>" not in window.suggest.state.text()
    assert "&lt;i&gt;80S" in window.suggest.state.text()


def test_messages(window):
    window.complain(f"{NAME} cannot be used")
    box = window.findChild(QMessageBox)
    assert box.textFormat() == Qt.PlainText
    assert box.text() == f"{NAME} cannot be used"
    box.close()
    QApplication.processEvents()


@pytest.mark.parametrize("name", ["26S proteasome", "a=b", "a'b", "x" * 300, "<b>"])
def test_new_classes_have_names_that_training_takes(window, name):
    said = []
    window.classes.failed.connect(said.append)
    before = list(window.classes.classes.names())

    window.classes.add_class(name)

    assert window.classes.classes.names() == before
    assert "for example" in said[0]
