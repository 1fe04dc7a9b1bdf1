"""``etpicker convert``: what it refuses to guess, and what it leaves beside a file."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.conversion import convert as conversion
from etpicker_plugin.engine.conversion.convert import convert
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.formats.names import match_names, name_class, number_classes
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.volumes.tomogram import write_volume

CSV = "class,x,y,z,score\nribosome,12.25,50,7,0.75\nring,30,3,20,0.5\n"
POSITIONS_ZYX = [[7, 50, 12.25], [20, 3, 30]]
FRAME = {"dimensions": (41, 57, 33), "voxel_size": 10.0}


def text_file(folder, name, text=CSV):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def tomogram_file(folder, name, shape_zyx=(33, 57, 41)):
    path = folder / name
    write_volume(path, np.zeros(shape_zyx, np.int8), 10.0)
    return str(path)


def run(folder, paths, source, target, **parameters):
    out = folder / "out"
    out.mkdir(exist_ok=True)
    config = ConvertConfig(
        input=tuple(paths),
        input_format=source,
        output_format=target,
        out=str(out),
        **parameters,
    )
    return convert(config, out, on_progress=ignore_progress)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ({"voxel_size": 10.0}, "dimensions are not known"),
        ({"dimensions": (41, 57, 33)}, "voxel size is not known"),
        ({**FRAME, "output_format": "relion4"}, "binning is not known"),
        ({**FRAME, "input_format": "relion4"}, "binning is not known"),
        ({**FRAME, "relion5_centre": "half-minus-one"}, "an unbinned pixel below half"),
        ({**FRAME, "tomogram": ("a.mrc",)}, "both given"),
        ({**FRAME, "dimensions": (41, 57, 33, 1)}, "expected three numbers"),
        ({**FRAME, "dimensions": (41, 57, 0)}, "expected three numbers"),
        ({**FRAME, "voxel_size": 0.0}, "--voxel-size: got 0"),
        ({**FRAME, "binning": -2.0}, "--binning: got -2"),
        ({**FRAME, "class_name": ()}, "--class-name"),
        ({**FRAME, "groups": "filament"}, "--groups: .* csv say themselves"),
        (
            {**FRAME, "input_format": "txt", "score_column": "a"},
            "--score-column: .*txt",
        ),
    ],
)
def test_nothing_is_guessed(missing, message):
    formats = {"input_format": "csv", "output_format": "relion5", **missing}

    with pytest.raises(ConfigError, match=message):
        ConvertConfig(input=("a.csv",), out="out", **formats)


@pytest.mark.parametrize("target", ["csv", "relion3", "relion4", "relion5"])
def test_there_and_back_through_the_command(tmp_path, target):
    source = text_file(tmp_path, "TS_01.csv")
    frame = {**FRAME, "binning": 4.0, "class_name": ("ring", "ribosome")}

    (there,) = run(tmp_path, [source], "csv", target, **frame)
    back_folder = tmp_path / "back"
    back_folder.mkdir()
    (back,) = run(back_folder, [str(there)], target, "csv", **frame)

    particles = read_csv(back, tomogram_id="TS_01")
    assert back.name == "TS_01.csv"
    assert np.allclose(particles.positions_zyx, POSITIONS_ZYX, atol=1e-3)
    assert particles.class_names.tolist() == ["ribosome", "ring"]
    assert particles.scores.tolist() == [0.75, 0.5]


def test_coords_number_the_classes_as_told(tmp_path):
    source = text_file(tmp_path, "TS_01.csv")

    (path,) = run(
        tmp_path,
        [source],
        "csv",
        "deepetpicker",
        class_name=("ribosome", "ring"),
        **FRAME,
    )

    assert path.read_text() == "1\t12\t50\t7\n2\t30\t3\t20\n"


def test_scores_of_the_column_that_is_named(tmp_path):
    text = "class,x,y,z,score,cc\nring,30,3,20,0.5,0.25\n"
    paths = [text_file(tmp_path, "TS_01.csv", text)]

    (path,) = run(tmp_path, paths, "csv", "csv", score_column="CC", **FRAME)

    assert path.read_text() == "class,x,y,z,score\nring,30.000,3.000,20.000,0.25\n"


def test_the_sidecar_says_what_the_file_holds(tmp_path, caplog):
    source = text_file(tmp_path, "TS_01.csv")

    (path,) = run(tmp_path, [source], "csv", "deepetpicker", binning=4.0, **FRAME)

    record = json.loads((path.parent / "TS_01.coords.json").read_text("utf-8"))
    assert record == {
        "file": "TS_01.coords",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "format": "deepetpicker",
        "positions": "x y z, whole voxels from 0",
        "tomograms": [
            {
                "tomogram_id": "TS_01",
                "dimensions_xyz": [41, 57, 33],
                "voxel_size_ang": 10.0,
                "binning": 4.0,
                "n_particles": 2,
            }
        ],
        "class_numbers": {"ribosome": 1, "ring": 2},
        "not_held": ["fractions of a voxel", "scores", "class names"],
        "sources": [
            {"file": source, "sha256": hashlib.sha256(CSV.encode()).hexdigest()}
        ],
        "source_format": "csv",
        "kept": {
            "TS_01": {
                "class_names": ["ribosome", "ring"],
                "scores": [0.75, 0.5],
                "positions_xyz": [[12.25, 50, 7], [30, 3, 20]],
            }
        },
    }
    assert "does not hold: fractions of a voxel, scores, class names" in caplog.text


def test_the_sidecar_names_relion5s_centre(tmp_path):
    source = text_file(tmp_path, "TS_01.csv")

    (path,) = run(
        tmp_path,
        [source],
        "csv",
        "relion5",
        relion5_centre="half-minus-one",
        binning=2.0,
        **FRAME,
    )

    record = json.loads((path.parent / "particles.star.json").read_text("utf-8"))
    assert record["relion5_centre"] == "half-minus-one"
    assert record["not_held"] == []


@pytest.mark.parametrize("name", ["TS_01.txt", "TS_01.txt.json"])
def test_neither_file_nor_sidecar_is_overwritten(tmp_path, name):
    source = text_file(tmp_path, "TS_01.csv")
    (tmp_path / "out").mkdir()
    old = tmp_path / "out" / name
    old.write_text("mine")

    with pytest.raises(ConfigError, match=f"{name} exists and is not overwritten"):
        run(tmp_path, [source], "csv", "txt", **FRAME)

    assert old.read_text() == "mine"
    assert [p.name for p in (tmp_path / "out").iterdir()] == [name]


def test_files_and_tomograms_pair_up_by_name_in_any_order(tmp_path):
    tomograms = [
        tomogram_file(tmp_path, "TS_01.mrc", (33, 57, 41)),
        tomogram_file(tmp_path, "TS_02.mrc", (9, 10, 11)),
    ]
    small = "class,x,y,z\nring,10,9,8\n"
    sources = [
        text_file(tmp_path, "TS_02.csv", small),
        text_file(tmp_path, "TS_01.csv"),
    ]

    written = run(tmp_path, sources, "csv", "txt", tomogram=tuple(tomograms))

    texts = {path.name: path.read_text() for path in written}
    assert texts == {
        "TS_01.txt": "12.250 50.000 7.000\n30.000 3.000 20.000\n",
        "TS_02.txt": "10.000 9.000 8.000\n",
    }


def test_one_file_and_one_tomogram_need_no_common_name(tmp_path):
    tomogram = tomogram_file(tmp_path, "TS_01.mrc")
    source = text_file(tmp_path, "clicked.csv")

    (path,) = run(tmp_path, [source], "csv", "txt", tomogram=(tomogram,))

    assert path.name == "TS_01.txt"


def test_names_that_do_not_pair_up_are_listed(tmp_path):
    tomograms = [tomogram_file(tmp_path, f"TS_{n}.mrc") for n in (1, 3)]
    sources = [text_file(tmp_path, f"TS_{n}.csv") for n in (1, 2)]

    with pytest.raises(
        ConfigError,
        match="without a tomogram: TS_2; tomograms without coordinates: TS_3",
    ):
        run(tmp_path, sources, "csv", "txt", tomogram=tuple(tomograms))


def test_a_star_file_of_another_tomogram_is_refused(tmp_path):
    (star,) = run(
        tmp_path, [text_file(tmp_path, "TS_01.csv")], "csv", "relion5", **FRAME
    )
    tomogram = tomogram_file(tmp_path, "TS_02.mrc")
    other = tmp_path / "other"
    other.mkdir()

    with pytest.raises(InputDataError, match="without a tomogram: TS_01"):
        run(other, [str(star)], "relion5", "csv", tomogram=(tomogram,))


def test_two_inputs_of_one_name_are_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    sources = [text_file(tmp_path / name, "TS_01.csv") for name in ("a", "b")]

    with pytest.raises(ConfigError, match="same name"):
        run(tmp_path, sources, "csv", "txt", **FRAME)


def test_one_star_file_at_a_time(tmp_path):
    with pytest.raises(ConfigError, match="2 relion5 files, expected one"):
        run(tmp_path, ["a.star", "b.star"], "relion5", "csv", **FRAME)


@pytest.mark.parametrize("source_format", ["csv", "txt", "deepetpicker", "relion3"])
def test_positions_outside_the_tomogram_are_refused(tmp_path, source_format):
    """A file with z and x swapped has a z of 40 in a tomogram of 33 slices."""
    text = {
        "csv": "class,x,y,z\nring,20,3,40\n",
        "txt": "20 3 40\n",
        "deepetpicker": "1 20 3 40\n",
        "relion3": "data_\n\nloop_\n_rlnMicrographName #1\n_rlnCoordinateX #2\n"
        "_rlnCoordinateY #3\n_rlnCoordinateZ #4\nTS_01 20 3 40\n",
    }[source_format]
    source = text_file(tmp_path, "TS_01.in", text)

    with pytest.raises(InputDataError, match="1 of 1 lie outside"):
        run(tmp_path, [source], source_format, "csv", **FRAME)
    assert list((tmp_path / "out").iterdir()) == []


def test_names_match_in_short():
    match = match_names(
        ["Tomograms/TS_01.mrc", "TS_02", "TS_01.5"], ["TS_01", "TS_02", "TS_03"]
    )

    assert match.pairs == {"Tomograms/TS_01.mrc": "TS_01", "TS_02": "TS_02"}
    assert match.unmatched == ("TS_01.5",)
    assert match.unused == ("TS_03",)


def test_names_match_as_other_programs_spell_them():
    """TIFF ends otherwise, and STAR files hold no blanks."""
    match = match_names(
        ["mics/c.03.tif", "mics/b_b_2.5.mrc", "a_x"], ["c.03", "b b 2.5", "a x", "a\tx"]
    )

    assert match.pairs == {"mics/c.03.tif": "c.03", "mics/b_b_2.5.mrc": "b b 2.5"}
    assert match.unmatched == ("a_x",)


def test_a_tiff_is_named_as_one(tmp_path):
    source = text_file(tmp_path, "c.03.csv", "class,x,y\na,11.5,7\n")
    image = tmp_path / "c.03.tif"
    tifffile.imwrite(image, np.zeros((57, 41), np.float32))

    (star,) = run(
        tmp_path,
        [source],
        "csv",
        "relion-micrographs",
        tomogram=(str(image),),
        voxel_size=1.5,
    )

    assert "c.03.tif" in star.read_text()


def test_classes_are_numbered_by_the_order_then_by_name():
    assert number_classes(["b", "a", "c"], order=("c", "d")) == {
        "c": 1,
        "d": 2,
        "a": 3,
        "b": 4,
    }
    assert [name_class(n, order=("c", "d")) for n in (1, 2, 3)] == ["c", "d", "class_3"]


def test_the_sidecar_names_how_the_source_was_counted(tmp_path):
    row = " ".join(["1"] + ["0"] * 18 + ["1 0 1 0 13.25 51 8"])
    source = text_file(tmp_path, "TS_01.tbl", row + "\n")

    (path,) = run(tmp_path, [source], "dynamo", "csv", dynamo_first_voxel="1", **FRAME)

    assert read_csv(path, tomogram_id="TS_01").positions_zyx.tolist() == [
        [7, 50, 12.25]
    ]
    record = json.loads((path.parent / "TS_01.csv.json").read_text("utf-8"))
    assert record["source_options"] == {"first_voxel": 1}
    assert "first_voxel" not in record


# what a kill leaves ---------------------------------------------------------------


def three_inputs(folder):
    return [
        text_file(folder, f"{name}.csv", f"class,x,y,z,score\na,{n + 1},2,3,0.5\n")
        for n, name in enumerate(("TS_01", "TS_02", "TS_03"))
    ]


def kill_at_the_second(monkeypatch, where):
    calls = []

    def stop(*_, **__):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt

    original = getattr(conversion, where)

    def wrapped(*args, **kwargs):
        stop()
        return original(*args, **kwargs)

    monkeypatch.setattr(conversion, where, wrapped)


@pytest.fixture
def killed(tmp_path, monkeypatch):
    """The second of three files is written, and its sidecar is not."""
    paths = three_inputs(tmp_path)
    tomograms = tuple(tomogram_file(tmp_path, f"TS_0{n}.mrc") for n in (1, 2, 3))
    with monkeypatch.context() as patch:
        kill_at_the_second(patch, "write_sidecar")
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, paths, "csv", "txt", tomogram=tomograms)
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == [".convert.json", "TS_01.txt", "TS_01.txt.json", "TS_02.txt"]
    return paths, tomograms


def test_a_killed_conversion_can_be_run_again(tmp_path, killed):
    paths, tomograms = killed
    written = run(tmp_path, paths, "csv", "txt", tomogram=tomograms)

    assert [p.read_text() for p in written] == [
        f"{n}.000 2.000 3.000\n" for n in (1, 2, 3)
    ]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        name for p in written for name in (p.name, f"{p.name}.json")
    )
    with pytest.raises(ConfigError, match="exists and is not overwritten"):
        run(tmp_path, paths, "csv", "txt", tomogram=tomograms)


def test_what_was_edited_after_the_kill_is_kept(tmp_path, killed):
    paths, tomograms = killed
    (tmp_path / "out" / "TS_01.txt").write_text("mine")
    run(tmp_path, paths, "csv", "txt", tomogram=tomograms)

    assert (tmp_path / "out" / "TS_01.txt.old-1").read_text() == "mine"
    assert (tmp_path / "out" / "TS_01.txt").read_text() == "1.000 2.000 3.000\n"


def test_another_conversion_does_not_go_on_with_it(tmp_path, killed):
    paths, tomograms = killed
    Path(paths[2]).write_text("class,x,y,z,score\na,9,2,3,0.5\n")

    with pytest.raises(ConfigError, match="exists and is not overwritten"):
        run(tmp_path, paths, "csv", "txt", tomogram=tomograms)


def test_a_sidecar_that_is_cut_short_is_said_not_to_be_used(tmp_path, caplog):
    (written,) = run(
        tmp_path, [text_file(tmp_path, "TS_01.csv")], "csv", "txt", **FRAME
    )
    sidecar = written.with_name("TS_01.txt.json")
    sidecar.write_bytes(sidecar.read_bytes()[:-20])
    (tmp_path / "again").mkdir()

    run(tmp_path / "again", [str(written)], "txt", "csv", **FRAME)

    assert "TS_01.txt.json cannot be read" in caplog.text


def test_filaments_are_kept_where_their_program_tells_them_alone(tmp_path, caplog):
    """crYOLO's boxes are of filaments all, or none: the sidecar keeps a mixture's."""
    text = "class,x,y,score,filament\nmt,11.5,7,0.9,mt_3\nmt,19,9,0.8,mt_3\n"
    mixed = text + "ribosome,30,21,0.7,\n"
    for name, rows, told in (("alone", text, False), ("mixed", mixed, True)):
        folder = tmp_path / name
        folder.mkdir()
        caplog.clear()
        source = text_file(folder, "m.csv", rows)
        image = tomogram_file(folder, "m.mrc", (1, 57, 41))
        (cbox,) = run(folder, [source], "csv", "cryolo", tomogram=(image,))
        assert ("classes, filament" in caplog.text) == told
        (back,) = run(tmp_path, [str(cbox)], "cryolo", "csv", tomogram=(image,))
        found = read_csv(back, tomogram_id="m").optional["filament"]
        assert [bool(name) for name in found] == [True, True, False][: len(found)]
        back.unlink()
        back.with_name("m.csv.json").unlink()
