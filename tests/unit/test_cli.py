"""The command line: exit codes, error.json, and help that does not wait for torch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import torch

from etpicker_plugin.engine.cli import COMMANDS, main, make_output_folder
from etpicker_plugin.engine.errors import ResourceError

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from etpicker_plugin.engine.cli import COMMANDS, main
for command in COMMANDS:
    try:
        main([command, "--help"])
    except SystemExit as stopped:
        print("left with", stopped.code)
sys.exit(main(sys.argv[1:]))
"""
FRAME = "--dimensions 41 57 33 --voxel-size 10".split()


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    """Let ``main`` find the variable set that it would set for the whole process."""
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture
def csv_file(tmp_path):
    path = tmp_path / "TS_01.csv"
    path.write_text("class,x,y,z\nring,30,3,20\n", encoding="utf-8")
    return path


@pytest.fixture
def tomogram(tmp_path):
    path = tmp_path / "TS_01.mrc"
    with mrcfile.new(path) as mrc:
        mrc.set_data(np.zeros((33, 57, 41), np.int8))
        mrc.set_volume()
        mrc.voxel_size = 10.0
    return path


def converting(path, out, *more):
    words = f"convert --input {path} --input-format csv --output-format txt --out {out}"
    return [*words.split(), *more]


def error_in(folder):
    return json.loads((folder / "records" / "error.json").read_text(encoding="utf-8"))


def in_a_process(*words):
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True
    )


def test_a_file_in_the_way_of_an_output_is_named(tmp_path, caplog):
    (tmp_path / "TS_01.csv").write_text("class,x,y,z\nring,30,3,20\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "ExperimentRuns").write_text("a file, no folder")
    words = f"convert --input {tmp_path}/TS_01.csv --input-format csv"
    out = f"--output-format copick --out {tmp_path}/out"

    assert main([*words.split(), *out.split(), *FRAME]) == 5

    assert "ExperimentRuns" in caplog.text
    assert error_in(tmp_path / "out")["kind"] == "ResourceError"


# what succeeds --------------------------------------------------------------------


def test_success_writes_outputs_and_progress_and_clears_an_old_error(
    tmp_path, csv_file
):
    out = tmp_path / "new" / "out"
    records = out / "records"
    records.mkdir(parents=True)
    (records / "error.json").write_text("{}")

    assert main(converting(csv_file, out, *FRAME)) == 0

    assert (out / "TS_01.txt").read_text() == "30.000 3.000 20.000\n"
    assert sorted(os.listdir(out)) == ["TS_01.txt", "TS_01.txt.json", "records"]
    assert sorted(os.listdir(records)) == ["finished.json", "progress.jsonl"]
    (line,) = (records / "progress.jsonl").read_text().splitlines()
    assert {**json.loads(line), "time": 0} == {
        "time": 0,
        "stage": "convert",
        "done": 1,
        "total": 1,
    }


def test_the_file_gives_parameters_and_flags_win(tmp_path, csv_file):
    parameters = {
        "input": [str(csv_file)],
        "input_format": "csv",
        "output_format": "txt",
        "dimensions": [41, 57, 33],
        "voxel_size": 10.0,
        "out": str(tmp_path / "out"),
    }
    path = tmp_path / "convert.json"
    path.write_text(json.dumps(parameters))

    code = main(["convert", "--config", str(path), "--output-format", "deepetpicker"])

    assert code == 0
    assert (tmp_path / "out" / "TS_01.coords").read_text() == "1\t30\t3\t20\n"


# what fails -----------------------------------------------------------------------


def test_a_contradiction_ends_with_2_and_touches_nothing(tmp_path, csv_file, caplog):
    code = main(converting(csv_file, tmp_path / "out"))

    assert code == 2
    assert "does not guess" in caplog.text
    assert not (tmp_path / "out").exists()


def test_a_contradiction_found_while_running_is_left_in_error_json(tmp_path, csv_file):
    out = tmp_path / "out"
    words = converting(csv_file, out, *FRAME)
    assert main(words) == 0

    assert main(words) == 2

    error = error_in(out)
    assert (error["kind"], error["exit_code"]) == ("ConfigError", 2)
    assert "TS_01.txt exists and is not overwritten" in error["message"]


def test_a_bad_input_ends_with_3(tmp_path, csv_file, caplog):
    csv_file.write_text("class,x,y,z\nring,20,3,40\n")
    out = tmp_path / "out"

    assert main(converting(csv_file, out, *FRAME)) == 3

    error = error_in(out)
    assert (error["kind"], error["exit_code"]) == ("InputDataError", 3)
    assert "1 of 1 lie outside" in error["message"]
    assert error["message"] in caplog.text
    assert not list(out.glob("TS_01*"))


@pytest.mark.parametrize("content", [None, b"no model at all" * 100])
def test_a_bad_model_ends_with_4(tmp_path, tomogram, content):
    model, out = tmp_path / "model.safetensors", tmp_path / "out"
    if content is not None:
        model.write_bytes(content)

    code = main(
        f"pick --model {model} --tomogram {tomogram} --out {out} --device cpu".split()
    )

    assert code == 4
    error = error_in(out)
    assert (error["kind"], error["exit_code"]) == ("CheckpointError", 4)
    assert "model.safetensors" in error["message"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
@pytest.mark.parametrize("command", ["train", "pick"])
def test_no_gpu_where_one_is_asked_for_ends_with_5(
    tmp_path, tomogram, csv_file, command
):
    out = tmp_path / "out"
    words = {
        "train": f"--coordinates {csv_file} --diameter ring=100",
        "pick": f"--model {tmp_path / 'model.safetensors'}",
    }[command]

    code = main(
        f"{command} --tomogram {tomogram} {words} --device cuda --out {out}".split()
    )

    assert code == 5
    error = error_in(out)
    assert (error["kind"], error["exit_code"]) == ("ResourceError", 5)
    assert "--device cuda" in error["message"]


def test_an_output_folder_that_cannot_be_written_ends_with_5(
    tmp_path, csv_file, caplog
):
    blocked = tmp_path / "a_file"
    blocked.write_text("mine")

    assert main(converting(csv_file, blocked / "out", *FRAME)) == 5

    assert "cannot be written" in caplog.text
    assert blocked.read_text() == "mine"


def test_the_output_folder_is_tried_and_left_clean(tmp_path):
    folder = make_output_folder(tmp_path / "a" / "b")

    assert folder.is_dir()
    assert list(folder.iterdir()) == []
    with pytest.raises(ResourceError, match="/proc/etpicker cannot be written"):
        make_output_folder(Path("/proc/etpicker"))


@pytest.mark.parametrize(
    "words", [[], ["fly"], ["pick", "--nothing", "1"], ["pick", "--device", "tpu"]]
)
def test_words_that_are_no_command_end_with_2(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(words)

    assert stopped.value.code == 2
    assert "usage: etpicker" in capsys.readouterr().err


# a process of its own -------------------------------------------------------------


def test_help_and_converting_need_no_torch(tmp_path, csv_file):
    out = tmp_path / "out"

    done = in_a_process("-c", WITHOUT_TORCH, *converting(csv_file, out, *FRAME))

    assert done.returncode == 0, done.stderr
    helps = done.stdout.split("left with 0\n")
    for command, text in zip(COMMANDS, helps, strict=False):
        assert text.startswith(f"usage: etpicker {command} [-h] [--config FILE.json]")
        assert ("--out OUT" in text) == (command not in ("models", "doctor"))
    assert len(helps) == len(COMMANDS) + 1
    assert (out / "TS_01.txt").read_text() == "30.000 3.000 20.000\n"


def test_the_module_is_the_command():
    done = in_a_process("-m", "etpicker_plugin.engine", "pick")

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Missing parameter(s): --model, --tomogram, --out" in done.stderr
