"""The same run, another, or a part of one: told by parameters and by contents."""

import dataclasses
import json

import pytest

from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.run_folder import (
    Run,
    claim_folder,
    differences,
    digest_run,
    named_inputs,
    refusal,
    run_from_values,
    run_values,
)

SHA_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """A command with inputs of every kind."""

    tomogram: tuple[str, ...] = option(REQUIRED, "T.", counts="content")
    clicks: tuple[str, ...] = option((), "C.", counts="content", of="tomogram")
    first_map: str | None = option(None, "M.", counts="content")
    steps: int = option(4, "S.")
    diameter: dict[str, float] = option({}, "D.")
    threads: int = option(1, "N.", counts="no")


@pytest.fixture
def files(tmp_path):
    """Two tomograms and their clicks."""
    for name in ("a.mrc", "b.mrc", "a.csv", "b.csv", "map.mrc"):
        (tmp_path / name).write_text(name)
    return tmp_path


def sample(folder, **changes):
    values = {
        "tomogram": (str(folder / "a.mrc"), str(folder / "b.mrc")),
        "clicks": (str(folder / "a.csv"), str(folder / "b.csv")),
        "first_map": str(folder / "map.mrc"),
    }
    return Sample(**{**values, **changes})


# what counts ----------------------------------------------------------------------


def test_inputs_are_named_after_what_they_belong_to(files):
    (files / "b.csv").write_text("abc")
    run = digest_run(sample(files))

    assert [what for what, _ in run.inputs] == [
        *("tomogram a", "tomogram b", "clicks of a", "clicks of b", "first map"),
    ]
    assert run.sha256("clicks of b") == SHA_OF_ABC
    assert run.parameters == {"steps": 4, "diameter": {}}


def test_a_folder_that_moved_and_other_threads_are_the_same_run(files, tmp_path):
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for path in files.glob("*.*"):
        (moved / path.name).write_bytes(path.read_bytes())
    (moved / "b.csv").rename(moved / "renamed.csv")
    clicks = (str(moved / "a.csv"), str(moved / "renamed.csv"))

    now = digest_run(sample(moved, clicks=clicks, threads=8))

    assert now == digest_run(sample(files))
    assert now.digest == digest_run(sample(files)).digest


def test_a_tomogram_counts_by_its_name_too(files):
    before = digest_run(sample(files))
    (files / "b.mrc").rename(files / "c.mrc")
    now = digest_run(sample(files, tomogram=(f"{files}/a.mrc", f"{files}/c.mrc")))

    assert now.digest != before.digest
    assert differences(before, now) == [
        *("tomogram c is new", "clicks of c is new"),
        *("tomogram b is not given now", "clicks of b is not given now"),
    ]


def test_what_differs_is_said(files):
    before = digest_run(sample(files, diameter={"ring": 80.0}))
    (files / "b.csv").write_text("one more")
    now = digest_run(sample(files, first_map=None, steps=9))

    assert before.digest != now.digest
    assert differences(before, now) == [
        "clicks of b has changed",
        "first map is not given now",
        "--diameter was ring=80.0, is not given",
        "--steps was 4, is 9",
    ]
    assert differences(now, now) == []


def test_the_order_of_inputs_counts(files):
    before = digest_run(sample(files))
    swapped = {
        "tomogram": (f"{files}/b.mrc", f"{files}/a.mrc"),
        "clicks": (f"{files}/b.csv", f"{files}/a.csv"),
    }
    now = digest_run(sample(files, **swapped))

    assert now.digest != before.digest
    assert differences(before, now) == ["the inputs are given in another order"]


def test_a_missing_input_is_an_input_error(files):
    (files / "a.csv").unlink()
    with pytest.raises(InputDataError, match=r"^Clicks of a: .*a\.csv cannot be read"):
        digest_run(sample(files))


def test_the_learning_commands_name_all_their_files():
    values = {
        "tomogram": ("x/TS_1.mrc",),
        "coordinates": ("x/1.csv",),
        "mask": ("x/m.mrc",),
        "validation_tomogram": ("x/TS_2.mrc",),
        "validation_coordinates": ("x/2.csv",),
        "diameter": {"ring": 90.0},
        "out": "o",
    }
    found = dict(named_inputs(TrainConfig(**values)))
    assert found == {
        "tomogram TS_1": "x/TS_1.mrc",
        "coordinates of TS_1": "x/1.csv",
        "mask of TS_1": "x/m.mrc",
        "validation tomogram TS_2": "x/TS_2.mrc",
        "validation coordinates of TS_2": "x/2.csv",
    }
    updated = dict(named_inputs(UpdateConfig(model="m", **values)))
    assert updated == {**found, "model": "m"}


# the folder -----------------------------------------------------------------------


@pytest.fixture
def run(files):
    """One run of the sample."""
    return digest_run(sample(files))


@pytest.fixture
def other(files):
    """The same with other clicks."""
    (files / "a.csv").write_text("edited")
    return digest_run(sample(files))


@pytest.fixture
def out(tmp_path):
    """An empty folder."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def claim(out, run):
    return claim_folder(out, run, result="model", begun=("state",))


def test_an_empty_folder_then_unfinished_then_finished(out, run):
    assert claim(out, run) is False
    (out / "state").touch()
    assert claim(out, run) is False
    (out / "model").touch()
    assert claim(out, run) is True


@pytest.mark.parametrize("left", ["state", "model"])
def test_another_run_is_refused_with_what_differs(out, run, other, left):
    claim(out, run)
    (out / left).touch()
    with pytest.raises(ConfigError, match="clicks of a has changed") as caught:
        claim(out, other)
    assert "never overwritten: give another --out" in str(caught.value)
    assert claim(out, run) is (left == "model")  # the note stayed


def test_a_run_that_left_nothing_makes_room_for_another(out, run, other):
    claim(out, run)
    assert claim(out, other) is False
    (out / "state").touch()
    assert claim(out, other) is False
    with pytest.raises(ConfigError):
        claim(out, run)


@pytest.mark.parametrize("note", [None, "{", "[1]", '{"parameters": 3}'])
def test_results_of_unknown_origin_are_refused(out, run, note):
    (out / "model").touch()
    if note is not None:
        (out / ".run.json").write_text(note)
    with pytest.raises(ConfigError, match="what it was made from is not noted there"):
        claim(out, run)


def test_many_differences_are_cut_short(run):
    other = Run(parameters={f"p{n}": n for n in range(5)}, inputs=())
    text = refusal("out holds", run, other)
    assert "tomogram a is not given now" in text
    assert "and 8 more" in text


def test_a_run_reads_back_from_json(run):
    assert run_from_values(json.loads(json.dumps(run_values(run)))) == run
    assert run_from_values(None) is None


@pytest.mark.parametrize(
    "note",
    [
        "[" * 100_000,
        '{"parameters": {}, "inputs": [["a"]]}',
        '{"parameters": {}, "inputs": [["a", 3]]}',
        '{"parameters": [], "inputs": []}',
        '{"inputs": []}',
    ],
)
def test_a_note_that_cannot_be_read_is_no_run(tmp_path, note):
    run = Run(parameters={"steps": 3}, inputs=(("model", "ab"),))
    (tmp_path / ".run.json").write_text(note)

    assert claim_folder(tmp_path, run, result="model") is False
    (tmp_path / "model").touch()
    assert claim_folder(tmp_path, run, result="model") is True
    (tmp_path / ".run.json").write_text(note)
    with pytest.raises(ConfigError, match="what it was made from is not noted there"):
        claim_folder(tmp_path, run, result="model")
