"""What a training beside the live picker is given, and when it is refused."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from etpicker_plugin.engine.config.refine import RefineConfig
from etpicker_plugin.engine.errors import ConfigError, ResourceError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.live import refine
from etpicker_plugin.engine.live.learning import training_config
from etpicker_plugin.engine.live.refine import read_marks
from etpicker_plugin.engine.live.requests import Solve
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.tests.support.phantoms import write_tomogram


def question(count):
    xyz = [[10.0 + i, 5.0, 3.0] for i in range(count)]
    return {
        "do": "solve",
        "number": 1,
        "classes": [{"name": "a", "diameter_ang": 90.0}],
        "marks": {"TS_1": {"a": xyz, NEGATIVE: [[1, 2, 3]] * 20}},
    }


def test_too_few_particles_are_refused_however_many_are_rejected(tmp_path):
    file = tmp_path / "marks.json"
    file.write_text(json.dumps(question(9)))
    with pytest.raises(ConfigError, match=r"9 particle\(s\).*expected 10 or more"):
        read_marks(file)
    file.write_text(json.dumps(question(10)))
    assert len(read_marks(file).places("TS_1", "a")) == 10


@pytest.mark.parametrize("text", ["", '{"do": "save", "path": "x"}', "\xff"])
def test_what_is_no_question_is_refused(tmp_path, text):
    file = tmp_path / "marks.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError):
        read_marks(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_marks(tmp_path / "none.json")


def test_no_room_is_said_before_it_learns(tmp_path, monkeypatch):
    (tmp_path / "TS_1_7.500A.features").write_bytes(bytes(3_000_000))
    (tmp_path / "TS_2_7.500A.features").write_bytes(bytes(5_000_000))
    free = SimpleNamespace(free=2_999_999)
    monkeypatch.setattr(refine.shutil, "disk_usage", lambda _path: free)
    config = RefineConfig(
        tomogram=("TS_1.mrc", "TS_2.mrc"),
        out=str(tmp_path),
        marks="",
        features=str(tmp_path),
    )
    kept = Solve(number=1, diameters={}, marks={"TS_1": {"a": np.ones((1, 3))}})
    with pytest.raises(ResourceError, match=r"3 MB is free; it takes 3 MB"):
        refine.require_room(config, kept, tmp_path)
    free.free = 3_000_000
    refine.require_room(config, kept, tmp_path)


def test_it_ends_with_the_window_even_with_one_that_is_killed():
    code = (
        "import sys, time; from etpicker_plugin.engine.live.refine import end_with; "
        "end_with(sys.stdin); print('on', flush=True); time.sleep(300)"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as run:
        assert run.stdout.readline() == b"on\n"
        assert run.poll() is None
        run.stdin.close()
        assert run.wait(20) == os.EX_TEMPFAIL


def test_it_learns_by_the_windows_names_from_tomograms_with_particles(tmp_path):
    """Two files of the same name; one tomogram holds rejected places alone."""
    paths = [tmp_path / folder / "tomo.mrc" for folder in ("x", "y", "z")]
    for path in paths:
        path.parent.mkdir()
        write_tomogram(path, np.zeros((11, 21, 31), np.float32))
    config = RefineConfig(
        tomogram=tuple(map(str, paths)),
        name=("TS_1", "TS_2", "TS_3"),
        voxel_size=(7.5,) * 3,
        out=str(tmp_path / "out"),
        marks="",
        features="",
        steps=3,
    )
    here = np.array([[3.0, 5.5, 10.25]])
    marks = {
        "TS_2": {NEGATIVE: here},
        "TS_3": {"a": here + 1, NEGATIVE: here},
        "TS_1": {"a": here, "b": here + 2},
    }
    asked = Solve(number=1, diameters={"b": 60.0, "a": 90.0, "c": 50.0}, marks=marks)
    given = training_config(config, asked, tmp_path / "out")
    names = [str(path).rpartition("/")[2] for path in given.tomogram]
    assert names == ["TS_1.mrc", "TS_3.mrc"]
    assert given.diameter == {"b": 60.0, "a": 90.0}
    assert (given.voxel_size, given.trust_voxel_size) == (7.5, True)
    assert (given.annotation, given.steps) == ("sparse", 3)
    read = read_csv(tmp_path / "out" / "marks" / "TS_3.csv", tomogram_id="TS_3")
    np.testing.assert_allclose(read.positions_zyx, [here[0] + 1, here[0]])
    assert read.class_names.tolist() == ["a", NEGATIVE]
