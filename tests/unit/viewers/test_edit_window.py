"""What Scipion's side says of a window that was closed."""

from types import SimpleNamespace

import pytest

from etpicker_plugin.engine.errors import CheckpointError
from etpicker_plugin.viewers import edit_window
from etpicker_plugin.window.document.counts import Count, write_saved


@pytest.fixture
def asked(monkeypatch):
    """The texts of the questions that were asked; each is answered with no."""
    texts = []

    def ask(_title, text, _root):
        texts.append(text)
        return False

    monkeypatch.setattr(edit_window.dialog, "askYesNo", ask)
    monkeypatch.setattr(edit_window, "has_news", lambda *_: True)
    return texts


def test_the_question_says_how_many_of_how_many_are_kept(tmp_path, asked):
    (tmp_path / "annotation").mkdir()
    write_saved(tmp_path / "annotation", Count(kept=52, there=72))
    edit_window.offer_saving(None, None, tmp_path, {}, groups={})
    assert "Kept are 52 of 72 picks; 20 are below the cut-off." in asked[0]


def test_of_an_older_window_it_says_no_number(tmp_path, asked):
    edit_window.offer_saving(None, None, tmp_path, {}, groups={})
    assert asked[0].startswith("The picks were changed. Save them as a new output")


def test_the_models_thresholds_are_known_only_while_its_file_is_there():
    classes = [SimpleNamespace(name="ring", threshold=0.31)]
    model = SimpleNamespace(getCard=lambda: SimpleNamespace(classes=classes))
    protocol = SimpleNamespace(inputModel=SimpleNamespace(get=lambda: model))
    assert edit_window.model_thresholds(protocol) == {"ring": 0.31}

    def gone():
        raise CheckpointError("no such file")

    model.getCard = gone
    assert edit_window.model_thresholds(protocol) == {}
    assert edit_window.model_thresholds(SimpleNamespace()) == {}
