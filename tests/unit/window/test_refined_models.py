"""Refined models: their folders, which one is in use, and what is said of them."""

import json

import pytest

from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.window.live.events import (
    BETTER,
    NOT_BETTER,
    TOO_FEW,
    Refined,
    Refining,
    read_event,
)
from etpicker_plugin.window.live.refined import MODEL_FILE, NOTE_FILE, RefinedModels
from etpicker_plugin.window.live.verdicts import describe_progress, describe_verdict


def make(models):
    """Finish a training, and offer what it has made."""
    path = models.begin()
    (path / MODEL_FILE).write_text(path.name)
    models.offer(path)
    return path


def folders(models):
    return sorted(path.name for path in models.folder.glob("refined_*"))


def test_the_shipped_weights_come_first(tmp_path):
    models = RefinedModels(tmp_path)
    assert (models.in_use, models.offered, models.model()) == (None, None, None)
    assert models.features() == tmp_path


def test_it_is_used_when_it_is_asked_for_and_by_the_next_window(tmp_path):
    models = RefinedModels(tmp_path)
    path = make(models)
    assert models.in_use is None
    models.use_offered()
    assert (models.in_use, models.offered) == (path, None)
    again = RefinedModels(tmp_path)
    assert again.model() == path / MODEL_FILE
    assert again.features() == path
    again.use_shipped()
    assert (again.in_use, again.offered) == (None, path)
    again.use_offered()
    assert again.in_use == path


def test_a_newer_one_takes_the_place_of_the_one_before(tmp_path):
    models = RefinedModels(tmp_path)
    make(models)
    second = make(models)  # The first was not wanted.
    assert folders(models) == [second.name]
    models.use_offered()
    third = make(models)
    assert folders(models) == sorted([second.name, third.name])
    models.use_offered()
    assert folders(models) == [third.name]


def test_what_a_window_left_unfinished_is_removed(tmp_path):
    models = RefinedModels(tmp_path)
    used = make(models)
    models.use_offered()
    models.begin()
    make(models)
    assert len(folders(models)) == 3
    assert folders(RefinedModels(tmp_path)) == [used.name]


@pytest.mark.parametrize("note", ["", "{}", '{"in_use": "../elsewhere"}', "\xff["])
def test_a_note_that_says_nothing_is_passed_over(tmp_path, note):
    (tmp_path / "refined_1").mkdir()
    (tmp_path / NOTE_FILE).write_text(note, encoding="latin-1")
    assert RefinedModels(tmp_path).in_use is None


def test_a_model_that_was_deleted_is_not_used(tmp_path):
    models = RefinedModels(tmp_path)
    path = make(models)
    models.use_offered()
    (path / MODEL_FILE).unlink()
    assert RefinedModels(tmp_path).in_use is None


def test_where_nothing_can_be_written_it_is_said(tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(ResourceError, match="refined_1"):
        RefinedModels(tmp_path / "folder").begin()


# ------------------------------- in words --------------------------------------
def refined(verdict):
    counts = {
        "held_out": {"particles": 10, "rejected": 6},
        "live": {"particles": 8, "rejected": 3},
        "refined": {"particles": 9, "rejected": 1},
    }
    line = json.dumps({"event": "refined", "verdict": verdict, **counts})
    event = read_event(line.encode())
    assert isinstance(event, Refined)
    return describe_verdict(event)


def test_the_verdict_says_what_was_measured():
    said = refined(BETTER)
    assert "found 9 of 10 particles and 1 of 6 rejected places" in said
    assert "the live model 8 and 3." in said
    assert "is better: candidates come from it" in said
    assert "not clearly better, and candidates stay" in refined(NOT_BETTER)
    assert "too few to tell" in refined(TOO_FEW)


def test_progress_says_what_is_left():
    line = b'{"event": "refining", "what": "training", "done": 3, "total": 90, '
    event = read_event(line + b'"left_s": 150.2}')
    assert event == Refining(what="training", done=3, total=90, left_s=150.2)
    assert describe_progress(event) == "Refine learns, 3 min left …"
    event = read_event(line.replace(b"training", b"features") + b'"left_s": null}')
    assert describe_progress(event) == "Refine looks at the tomograms …"
