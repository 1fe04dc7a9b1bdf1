"""How many picks are kept of how many: by class, in words, and in the folder."""

import json

import numpy as np
import pytest

from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.tests.support.phantoms import write_tomogram
from etpicker_plugin.window.document.class_changes import remove_class, rename_class
from etpicker_plugin.window.document.counts import (
    Count,
    count_picks,
    describe,
    read_saved,
    total,
)
from etpicker_plugin.window.document.session import Session

ROWS = "a,1,2,3,0.9\nb,4,5,6,0.2\nb,7,8,9,0.8\nc,9,9,9,\nnegative,2,2,2,\n"


@pytest.fixture
def session(tmp_path):
    write_tomogram(tmp_path / "TS.mrc", np.zeros((11, 21, 31), np.float32))
    (tmp_path / "TS.csv").write_text("class,x,y,z,score\n" + ROWS)
    (tmp_path / "out").mkdir()
    config = ViewConfig(
        tomogram=(str(tmp_path / "TS.mrc"),),
        coordinates=(str(tmp_path / "TS.csv"),),
        diameter={"a": 120.0, "b": 90.0, "c": 70.0},
    )
    return Session(config, tmp_path / "out")


def counts(session):
    found = count_picks(session.documents, session.classes)
    return {name: (count.kept, count.there) for name, count in found.items()}


def test_each_class_is_counted_with_and_without_the_cut_off(session):
    session.classes.change("b", threshold=0.5)
    assert counts(session) == {
        "a": (1, 1),
        "b": (1, 2),
        "c": (1, 1),
        "negative": (1, 1),
    }


def test_a_joined_class_counts_as_one_and_a_removed_one_not_at_all(session):
    rename_class(session, "b", "a")
    remove_class(session, "c")
    assert counts(session) == {"a": (3, 3), "negative": (1, 1)}


@pytest.mark.parametrize(
    ("kept", "there", "words"),
    [
        (52, 72, "52 of 72 picks; 20 are below the cut-off"),
        (1, 2, "1 of 2 picks; 1 is below the cut-off"),
        (1200, 1200, "all 1,200 picks"),
        (1, 1, "the one pick"),
    ],
)
def test_the_words(kept, there, words):
    assert describe(Count(kept=kept, there=there)) == words


def test_saving_notes_the_sum_for_whom_the_window_is_closed(session):
    assert read_saved(session.folder) is None
    session.classes.change("b", threshold=0.5)
    session.save()
    assert read_saved(session.folder) == Count(kept=4, there=5)
    assert total(count_picks(session.documents, session.classes)) == Count(4, 5)


@pytest.mark.parametrize("text", ["", "[]", '{"kept": "x", "there": 1}', "{}"])
def test_a_note_that_cannot_be_read_is_none(tmp_path, text):
    (tmp_path / "saved.json").write_text(text)
    assert read_saved(tmp_path) is None


def test_a_class_of_the_file_keeps_what_is_known_of_it(session):
    session.classes.change("b", model_threshold=0.31)
    items = json.loads(session.classes.path.read_text())["classes"]
    assert items[1] == {
        "name": "b",
        "diameter_ang": 90.0,
        "threshold": 0.0,
        "model_threshold": 0.31,
    }
