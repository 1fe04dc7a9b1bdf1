"""Classes renamed, joined and removed: in every tomogram, undone, and after a kill."""

import json
from functools import partial

import numpy as np
import pytest

from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError, ResourceError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.tests.support.phantoms import write_tomogram
from etpicker_plugin.window.document.class_changes import (
    picks_of,
    redo,
    remove_class,
    rename_class,
    undo,
)
from etpicker_plugin.window.document.journal import Journal
from etpicker_plugin.window.document.session import Session

ROWS = {
    "TS_1": "a,1,2,3,0.9\nb,4,5.5,6,0.2\nb,7,8,9,0.8\n",
    "TS_2": "b,3,2,1,0.4\nc,5,4,3,0.6\n",
}
DIAMETERS = {"a": 120.0, "b": 90.0, "c": 70.0}


@pytest.fixture
def data(tmp_path):
    for name, rows in ROWS.items():
        write_tomogram(tmp_path / f"{name}.mrc", np.zeros((11, 21, 31), np.float32))
        (tmp_path / f"{name}.csv").write_text("class,x,y,z,score\n" + rows)
    return tmp_path


@pytest.fixture
def open_session(data):
    opened = []

    def open_it(**values):
        for session in opened:
            session._lock.close()
        (data / "annotation").mkdir(exist_ok=True)
        config = ViewConfig(
            tomogram=tuple(str(data / f"{name}.mrc") for name in ROWS),
            coordinates=tuple(str(data / f"{name}.csv") for name in ROWS),
            **{"diameter": DIAMETERS, **values},
        )
        opened.append(Session(config, data / "annotation"))
        return opened[-1]

    return open_it


def names_of(session):
    """Return the class of every pick that is there, tomogram by tomogram."""
    return [d.annotation.to_particles().class_names.tolist() for d in session.documents]


def listed(session):
    return [(c.name, c.diameter_ang, c.threshold) for c in session.classes]


def test_a_class_is_renamed_in_every_tomogram_and_keeps_place_size_and_cut_off(
    open_session,
):
    session = open_session()
    session.classes.change("b", threshold=0.3)
    rename_class(session, "b", "80S")
    assert names_of(session) == [["a", "80S", "80S"], ["80S", "c"]]
    assert listed(session) == [("a", 120, 0), ("80S", 90, 0.3), ("c", 70, 0)]
    again = open_session()
    assert names_of(again) == names_of(session)
    assert listed(again) == listed(session)


def test_undo_takes_a_new_name_back_everywhere_whatever_was_edited_since(open_session):
    session = open_session()
    first, second = session.documents
    rename_class(session, "b", "80S")
    session.classes.change("80S", diameter_ang=95.0)
    second.journal.apply(second.annotation.relabelling([1], "80S"))
    second.journal.apply(second.annotation.adding([4, 4, 4], "80S"))
    change = undo(session, first)
    assert change.kind == "rename b"
    assert names_of(session) == [["a", "b", "b"], ["b", "b", "b"]]
    assert listed(session) == [("a", 120, 0), ("b", 95, 0), ("c", 70, 0)]
    assert undo(session, first) is None
    assert undo(session, second).kind == "add"
    assert undo(session, second).kind == "relabel"
    assert undo(session, second) is None
    assert names_of(session) == [["a", "b", "b"], ["b", "c"]]
    assert names_of(open_session()) == names_of(session)


def test_two_classes_become_one_and_two_again(open_session):
    session = open_session()
    first = session.documents[0]
    rename_class(session, "b", "a")
    assert names_of(session) == [["a", "a", "a"], ["a", "c"]]
    assert listed(session) == [("a", 120, 0), ("c", 70, 0)]
    assert first.annotation.ids_of("a").tolist() == [0, 1, 2]
    first.journal.apply(first.annotation.adding([1, 1, 1], "a"))
    undo(session, session.documents[1])
    assert names_of(session) == [["a", "b", "b", "a"], ["b", "c"]]
    assert listed(session) == [(n, d, 0) for n, d in DIAMETERS.items()]
    redo(session, session.documents[1])
    assert names_of(session) == [["a", "a", "a", "a"], ["a", "c"]]
    assert names_of(open_session()) == names_of(session)


def test_a_removed_class_is_neither_counted_nor_saved_and_comes_back(open_session):
    session = open_session()
    assert picks_of(session, "b") == 3
    remove_class(session, "b")
    session.save()
    saved = read_csv(session.folder / "TS_1.csv", tomogram_id="TS_1")
    assert saved.class_names.tolist() == ["a"]
    assert session.classes.names() == ["a", "c"]
    second = session.documents[1]
    added = second.annotation.adding([6, 6, 6], "b")
    second.journal.apply(added)
    assert names_of(session) == [["a"], ["c", "b"]]
    assert names_of(open_session()) == names_of(session)
    undo(session, session.documents[0])
    assert names_of(session) == [["a", "b", "b"], ["b", "c", "b"]]


def test_a_class_given_on_the_command_line_does_not_come_back_by_that(open_session):
    session = open_session()
    remove_class(session, "b")
    rename_class(session, "c", "ring")
    assert open_session().classes.names() == ["a", "ring"]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("", "Rename"),
        ("my ring", "Rename"),
        ("a,b", "holds ','"),
        ("negative", "without"),
    ],
)
def test_what_is_no_name_is_refused_and_changes_nothing(open_session, name, what):
    session = open_session()
    with pytest.raises(ConfigError, match=what):
        rename_class(session, "b", name)
    assert names_of(session) == [["a", "b", "b"], ["b", "c"]]


def test_the_last_class_stays(open_session):
    session = open_session()
    for name in "ab":
        remove_class(session, name)
    with pytest.raises(ConfigError, match="only class"):
        remove_class(session, "c")


class Killed(Exception):
    """Stands for a kill -9."""


def stop_after(monkeypatch, calls):
    """Let journals be written so many times, and then no more, as a kill does."""
    original, left = Journal.change_class, iter(range(calls))

    def write(journal, change, what):
        if next(left, None) is None:
            raise Killed
        original(journal, change, what)

    monkeypatch.setattr(Journal, "change_class", write)


@pytest.mark.parametrize("calls", [0, 1])
@pytest.mark.parametrize("back", [False, True])
def test_a_change_that_a_kill_cut_short_is_finished_on_opening(
    open_session, monkeypatch, calls, back
):
    session = open_session()
    if back:
        rename_class(session, "b", "80S")
    undoing = partial(undo, session, session.documents[0])
    step = undoing if back else partial(rename_class, session, "b", "80S")
    with monkeypatch.context() as patched:
        stop_after(patched, calls)
        with pytest.raises(Killed):
            step()
    assert "pending" in json.loads(session.classes.path.read_text())
    again = open_session()
    new = "b" if back else "80S"
    assert names_of(again) == [["a", new, new], [new, "c"]]
    assert again.classes.names() == ["a", new, "c"]
    assert "pending" not in json.loads(again.classes.path.read_text())
    assert names_of(open_session()) == names_of(again)


def test_a_full_disk_changes_nothing(open_session, monkeypatch):
    def full(*_):
        raise OSError("the disk is full")

    session = open_session()
    with monkeypatch.context() as patched:
        patched.setattr("etpicker_plugin.engine.atomic.os.replace", full)
        with pytest.raises(ResourceError, match="full"):
            rename_class(session, "b", "80S")
    assert names_of(session) == [["a", "b", "b"], ["b", "c"]]
    assert session.classes.names() == ["a", "b", "c"]


def test_a_pending_change_that_cannot_be_read_is_told(open_session):
    session = open_session()
    path = session.classes.path
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "pending": {"what": "class", "was": 3}}))
    with pytest.raises(InputDataError, match=r"classes\.json"):
        open_session()


def test_a_number_alone_is_the_diameter_of_the_only_class(open_session, data):
    for name in ROWS:
        (data / f"{name}.csv").write_text("class,x,y,z\nring,1,2,3\n")
    session = open_session(diameter={"*": 323.0})
    assert listed(session) == [("ring", 323, 0)]
    assert session.classes.guessed() == []


def test_a_number_alone_for_several_classes_is_refused(open_session):
    with pytest.raises(ConfigError, match=r"there are 3 \(a, b, c\)\. .*, a=323 say"):
        open_session(diameter={"*": 323.0})
