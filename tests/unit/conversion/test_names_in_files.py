"""Names that files hold: none leads out of the output folder, none breaks a file."""

import json
import logging

import numpy as np
import pytest
import starfile

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.conversion.convert import convert
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.catalogue import CATALOGUE
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.formats.copick_json import copick_run
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.volumes.tomogram import write_volume
from etpicker_plugin.tests.support.hand_made import ALONE

FRAME = {"dimensions": (41, 57, 33), "voxel_size": 10.0}
POINT = {"location": {"x": 120.0, "y": 500.0, "z": 70.0}}
OUTSIDE = ["../escaped", "..", "a/b", "/tmp/escaped", ".hidden", "a\\b", "a\0b", "a\nb"]
OUTSIDE += ["x" * 300, "\x1b[2J", 7, ["a"]]
WRITTEN = [known.name for known in CATALOGUE if 3 in known.dimensions]


def run(folder, paths, source, target, **parameters):
    out = folder / "deep" / "out"
    out.mkdir(parents=True, exist_ok=True)
    config = ConvertConfig(
        input=tuple(map(str, paths)),
        input_format=source,
        output_format=target,
        out=str(out),
        binning=1.0,
        **parameters,
    )
    return convert(config, out, on_progress=ignore_progress)


def copick_file(path, **values):
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"run_name": "TS_1", "unit": "angstrom", "points": [POINT], **values}
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


def csv_file(path, *classes, **more):
    cells = "".join(f",{value}" for value in more.values())
    rows = "".join(f'"{name}",12,50,7{cells}\n' for name in classes)
    header = ",".join(("class,x,y,z", *more))
    path.write_text(f"{header}\n{rows}", encoding="utf-8")
    return path


def star_file(path, *names):
    rows = "".join(f"{name} 120 500 70\n" for name in names)
    labels = "_rlnTomoName #1\n" + "".join(
        f"_rlnCenteredCoordinate{axis}Angst #{n}\n" for n, axis in enumerate("XYZ", 2)
    )
    path.write_text(f"data_particles\n\nloop_\n{labels}{rows}\n", encoding="utf-8")
    return path


def files_in(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("run_name", OUTSIDE, ids=repr)
@pytest.mark.parametrize("target", ["csv", "copick", "relion5", "portal", "eman2"])
def test_a_run_never_leads_out_of_the_folder(tmp_path, run_name, target):
    path = copick_file(tmp_path / "p.json", run_name=run_name)

    with pytest.raises(InputDataError, match="run_name"):
        run(tmp_path, [path], "copick", target, **FRAME)
    assert files_in(tmp_path) == {"p.json"}


@pytest.mark.parametrize("name", ["..", "../x/..", ".TS_1", "a\\b"])
def test_nor_does_a_tomogram_of_a_star_file(tmp_path, name):
    path = star_file(tmp_path / "p.star", "TS_1", name)

    with pytest.raises(InputDataError, match="cannot be a file's"):
        run(tmp_path, [path], "relion5", "csv", **FRAME)
    assert files_in(tmp_path) == {"p.star"}


@pytest.mark.parametrize("name", ["../../x", ".x", "x" * 140])
def test_nor_a_class_where_each_has_its_file(tmp_path, name):
    path = csv_file(tmp_path / ("TS_1" + "y" * 90 + ".csv"), name)

    with pytest.raises(InputDataError, match=r"cannot be a file's|a name of"):
        run(tmp_path, [path], "csv", "portal", **FRAME)
    assert files_in(tmp_path) == {path.name}


@pytest.mark.parametrize("name", ["a\nb", "\x1b[2J", "x" * 300])
@pytest.mark.parametrize("target", WRITTEN)
def test_a_class_that_breaks_lines_is_refused_by_every_format(tmp_path, name, target):
    path = csv_file(tmp_path / "TS_1.csv", "fine", name)

    with pytest.raises(InputDataError, match=r"Class: the name|a quote is closed"):
        run(tmp_path, [path], "csv", target, **FRAME)
    assert files_in(tmp_path) == {"TS_1.csv"}


@pytest.mark.parametrize("target", sorted(set(WRITTEN) - {"copick", "portal"}))
def test_odd_names_stay_or_are_said_to_change(tmp_path, target, caplog):
    names = ["26S 'x' #1", "a=b;$c$", "é"]
    path = csv_file(tmp_path / "TS_1.csv", *names, **ALONE.get(target, {}))

    with caplog.at_level(logging.WARNING):
        files = run(tmp_path, [path], "csv", target, **FRAME)
    back = tmp_path / "again"
    (csv,) = run(back, files, target, "csv", **FRAME)

    found = sorted(set(read_csv(csv, tomogram_id="x").class_names.tolist()))
    if "'26S 'x' #1' is 26S__x___1" in caplog.text:
        names[0] = "26S__x___1"
    assert found == names


def test_blanks_in_a_star_file(tmp_path, caplog):
    volume = np.zeros((33, 57, 41), np.int8)
    write_volume(tmp_path / "my tomo.mrc", volume, 10.0)
    path = csv_file(tmp_path / "my tomo.csv", "80S ribosome")

    with caplog.at_level(logging.WARNING):
        (star,) = run(
            tmp_path,
            [path],
            "csv",
            "relion5",
            tomogram=(str(tmp_path / "my tomo.mrc"),),
        )

    table = starfile.read(star)
    assert "my tomo" not in star.read_text(encoding="utf-8")
    assert set(table["etpickerClassName"]) == {"80S_ribosome"}
    assert "'my tomo' is my_tomo" in caplog.text
    assert "'80S ribosome' is 80S_ribosome" in caplog.text


def test_two_classes_of_one_word_are_refused(tmp_path):
    path = csv_file(tmp_path / "TS_1.csv", "80S ribosome", "80S_ribosome")

    with pytest.raises(ConfigError, match="would both be 80S_ribosome"):
        run(tmp_path, [path], "csv", "relion5", **FRAME)


def test_a_copick_file_keeps_its_run_under_any_path(tmp_path, monkeypatch):
    project = tmp_path / "ExperimentRuns" / "TS_7" / "Picks" / "a.json"
    copick_file(project, run_name="another")
    elsewhere = copick_file(tmp_path / "my" / "Picks" / "a.json", run_name="TS_8")
    alone = tmp_path / "TS_9" / "Picks" / "a.json"
    copick_file(alone, run_name=None)
    loose = copick_file(tmp_path / "x.json", run_name="TS_10")

    assert copick_run(project) == "TS_7"
    assert copick_run(elsewhere) == "TS_8"
    assert copick_run(alone) == "TS_9"
    assert copick_run(loose) == "TS_10"
    monkeypatch.chdir(project.parent)
    assert copick_run(project.relative_to(project.parent)) == "TS_7"


def test_hidden_files_are_passed_over(tmp_path, caplog):
    path = csv_file(tmp_path / "TS_1.csv", "a")
    hidden = tmp_path / "._TS_1.csv"
    hidden.write_bytes(b"\0\5\x16\7")

    (star,) = run(tmp_path, [hidden, path], "csv", "relion5", **FRAME)

    assert len(starfile.read(star)) == 1
    assert "hidden files are passed over" in caplog.text


@pytest.mark.parametrize("target", ["warp", "warp-normalised", "relion5"])
def test_two_voxel_sizes_in_one_file(tmp_path, target):
    for name, size in (("TS_1", 10.0), ("TS_2", 5.0)):
        write_volume(tmp_path / f"{name}.mrc", np.zeros((33, 57, 41), np.int8), size)
        csv_file(tmp_path / f"{name}.csv", "a")
    words = {
        "paths": [tmp_path / "TS_1.csv", tmp_path / "TS_2.csv"],
        "source": "csv",
        "target": target,
        "tomogram": tuple(str(tmp_path / f"TS_{n}.mrc") for n in (1, 2)),
    }

    if target == "warp":
        with pytest.raises(ConfigError, match=r"TS_1 10 Å, TS_2 5 Å.*one pixel size"):
            run(tmp_path, **words)
        assert not files_in(tmp_path / "deep")
    else:
        run(tmp_path, **words)
