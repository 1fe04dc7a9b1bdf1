"""Finished files are compared with what was noted of them; nothing is lost."""

import pytest

from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.result_files import (
    are_as_written,
    hash_results,
    keeping_former,
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
