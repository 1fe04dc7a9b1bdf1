import json

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError, ResourceError
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.journal import Journal

HEADER = {"tomogram": "TS", "shape_zyx": [5, 7, 9]}


def open_journal(path, header=None):
    first = make_particles("TS", [[1, 2, 3], [4, 5, 6]], scores=np.array([0.5, 0.6]))
    return Journal(path, Annotation(first), header=header or HEADER)


def state(journal):
    found = journal.annotation.to_particles()
    return found.positions_zyx.tolist(), found.class_names.tolist()


def edit_a_lot(journal):
    annotation = journal.annotation
    journal.apply(annotation.adding([0.25, 1, 2], "Å-class"))
    journal.apply(annotation.moving(2, [0.5, 1, 2]))
    journal.apply(annotation.deleting([0]))
    journal.undo()
    journal.undo()
    journal.redo()
    journal.apply(annotation.relabelling([1], "other"))


def test_reopening_gives_the_same_picks_and_the_same_undo(tmp_path):
    path = tmp_path / "TS.journal.jsonl"
    first = open_journal(path)
    edit_a_lot(first)
    again = open_journal(path)
    assert state(again) == state(first)
    assert again.edits == first.edits == 7
    for journal in (first, again):
        journal.annotation.undo()
        journal.annotation.undo()
    assert state(again) == state(first)


def test_every_line_is_on_disk_at_once(tmp_path):
    path = tmp_path / "TS.journal.jsonl"
    journal = open_journal(path)
    for count in (2, 3):
        journal.apply(journal.annotation.adding([1, 1, 1], "a"))
        assert len(path.read_bytes().splitlines()) == count


@pytest.mark.parametrize("keep", range(1, 12))
def test_a_torn_last_line_is_dropped_and_editing_goes_on(tmp_path, keep):
    path = tmp_path / "TS.journal.jsonl"
    edit_a_lot(open_journal(path))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:keep])
    journal = open_journal(path)
    assert state(journal)[0][2] == [0.25, 1, 2]
    journal.apply(journal.annotation.deleting([0]))
    assert state(open_journal(path)) == state(journal)


def test_a_torn_header_begins_anew(tmp_path):
    path = tmp_path / "TS.journal.jsonl"
    path.write_bytes(b'{"format": 1, "tomo')
    open_journal(path)
    assert json.loads(path.read_text())["tomogram"] == "TS"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"edit":"delete","ids":[77],"alive":[false]}', "line 2.*damaged"),
        (b"\xff\xfe nonsense", "line 2.*damaged"),
        (b"[1, 2]", "line 2.*damaged"),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line, message):
    path = tmp_path / "TS.journal.jsonl"
    open_journal(path)
    with path.open("ab") as stream:
        stream.write(line + b"\n")
    with pytest.raises(InputDataError, match=message):
        open_journal(path)


def test_another_tomogram_format_or_file_is_refused(tmp_path):
    path = tmp_path / "TS.journal.jsonl"
    open_journal(path)
    with pytest.raises(InputDataError, match=r"shape zyx \[5, 7, 9\], now"):
        open_journal(path, {**HEADER, "shape_zyx": [5, 7, 8]})
    path.write_text('{"format": 99}\n')
    with pytest.raises(InputDataError, match="format version 99"):
        open_journal(path)
    path.write_text("class,x,y,z\n")
    with pytest.raises(InputDataError, match="no etpicker annotation"):
        open_journal(path)


def test_what_cannot_be_written_is_not_done(tmp_path, monkeypatch):
    path = tmp_path / "TS.journal.jsonl"
    journal = open_journal(path)
    before = path.read_bytes()

    def full(_descriptor):
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ResourceError, match="could not be saved"):
        journal.apply(journal.annotation.adding([1, 1, 1], "a"))
    assert len(journal.annotation) == 2
    assert path.read_bytes() == before
    monkeypatch.undo()
    journal.apply(journal.annotation.adding([1, 1, 1], "a"))
    assert state(open_journal(path)) == state(journal)


@pytest.mark.parametrize(
    "line",
    [
        b'{"edit":"move","ids":[0],"positions_zyx":[[NaN,1,2]]}',
        b'{"edit":"move","ids":[0],"positions_zyx":[[1e999,1,2]]}',
        b'{"edit":"move","ids":[0],"positions_zyx":[[1,2]]}',
        b'{"edit":"move","ids":[0],"positions_zyx":[["1",1,2]]}',
        b'{"edit":"move","ids":[0,1],"positions_zyx":[[1,1,2]]}',
        b'{"edit":"delete","ids":[0],"alive":["no"]}',
        b'{"edit":"delete","ids":[0.5],"alive":[false]}',
        b'{"edit":"delete","ids":[0],"alive":[false],"alive":[true]}',
        b'{"edit":"add","ids":[2],"positions_zyx":[[1,1,2]]}',
        b'{"edit":"confirm","ids":[0],"classes":[7],"scores":[null]}',
        b'{"edit":"close","ids":[0]}',
        b'{"ids":[0]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_edit_is_damage_and_not_a_pick(tmp_path, line):
    path = tmp_path / "TS.journal.jsonl"
    open_journal(path).close()
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(InputDataError, match=r"line 2.*damaged"):
        open_journal(path)


def test_a_link_is_not_written_through(tmp_path):
    (tmp_path / "victim").write_text("precious\n")
    (tmp_path / "TS.journal.jsonl").symlink_to("victim")
    with pytest.raises(ResourceError, match="cannot be opened"):
        open_journal(tmp_path / "TS.journal.jsonl")
    assert (tmp_path / "victim").read_text() == "precious\n"
