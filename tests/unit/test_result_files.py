"""Finished files are compared with what was noted of them; nothing is lost."""

import pytest

from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.result_files import (
    are_as_written,
    hash_results,
    keeping_edits,
    keeping_former,
    noted_files,
    read_record,
    set_aside,
)


@pytest.fixture
def noted(tmp_path):
    """Two files and what was noted of them."""
    (tmp_path / "a.csv").write_text("1\n2\n")
    (tmp_path / "a.star").write_text("star")
    return hash_results(tmp_path, ["a.csv", "a.star"])


def test_whole_files_are_taken(tmp_path, noted):
    assert are_as_written(tmp_path, noted)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "a.star"]


def test_an_edited_file_is_kept_under_another_name(tmp_path, noted, caplog):
    (tmp_path / "a.csv").write_text("1\n")
    assert not are_as_written(tmp_path, noted)
    assert (tmp_path / "a.csv.old-1").read_text() == "1\n"
    assert not (tmp_path / "a.csv").exists()
    assert (tmp_path / "a.star").read_text() == "star"
    assert "a.csv is not as it was written" in caplog.text
    assert "kept as a.csv.old-1" in caplog.text


def test_a_missing_file_is_noticed(tmp_path, noted):
    (tmp_path / "a.star").unlink()
    assert not are_as_written(tmp_path, noted)
    assert (tmp_path / "a.csv").exists()


def test_no_file_set_aside_replaces_another(tmp_path):
    path = tmp_path / "a"
    for text in ("first", "second"):
        path.write_text(text)
        set_aside(path)
    set_aside(path)  # nothing there
    assert (tmp_path / "a.old-1").read_text() == "first"
    assert (tmp_path / "a.old-2").read_text() == "second"


@pytest.mark.parametrize(("former", "kept"), [("mine", True), ("new", False)])
def test_what_another_wrote_is_kept(tmp_path, former, kept):
    path = tmp_path / "a.csv"
    path.write_text(former)
    with keeping_former(path) as new:
        new.write_text("new")
    assert path.read_text() == "new"
    assert (tmp_path / "a.csv.old-1").exists() == kept
    assert len(list(tmp_path.iterdir())) == 1 + kept


def test_a_failure_leaves_the_former_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("mine")

    def write():
        with keeping_former(path) as new:
            new.write_text("ne")
            raise OSError("disk")

    with pytest.raises(ResourceError, match="disk"):
        write()

    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_text() == "mine"


@pytest.mark.parametrize("words", ["", "[]", "{", "[" * 100_000, '{"a": 1, "a": 2}'])
def test_a_record_that_is_none_holds_nothing(tmp_path, words):
    (tmp_path / "a.json").write_text(words)
    assert read_record(tmp_path / "a.json") == {}
    assert read_record(tmp_path / "none.json") == {}


@pytest.mark.parametrize(
    "record", [{}, {"files": None}, {"files": ["a.csv"]}, {"files": {"a.csv": 3}}]
)
def test_files_that_are_not_noted_are_made_again(tmp_path, noted, record):
    files = noted_files(record, ["a.csv"])
    assert not are_as_written(tmp_path, files)
    assert (tmp_path / "a.csv.old-1").read_text() == "1\n2\n"


def test_a_record_names_no_other_files(tmp_path, noted):
    files = noted_files({"files": {**noted, "../victim": "00"}}, ["a.csv"])
    assert files == {"a.csv": noted["a.csv"]}


@pytest.mark.parametrize("new", ["mine", "other"])
def test_an_edited_file_is_kept_when_it_is_written_again(tmp_path, new):
    path = tmp_path / "a.txt"
    path.write_text("mine")
    with keeping_edits(path):
        path.write_text(new)

    assert path.read_text() == new
    aside = tmp_path / "a.txt.old-1"
    assert aside.exists() == (new == "other")
    assert not aside.exists() or aside.read_text() == "mine"
