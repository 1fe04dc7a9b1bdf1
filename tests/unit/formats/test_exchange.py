"""``etpicker convert`` with other programs' formats: names, losses, round trips."""

import json
from pathlib import Path

import numpy as np
import pytest

from etpicker_plugin.engine.config.convert import FORMATS, ConvertConfig
from etpicker_plugin.engine.conversion.convert import convert
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.catalogue import format_named
from etpicker_plugin.engine.formats.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.formats.names import split_class
from etpicker_plugin.engine.orientation import from_relion_angles
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.volumes.tomogram import write_volume
from etpicker_plugin.tests.support.hand_made import ALONE

SHAPES_ZYX = {"TS_01": (33, 57, 41), "TS_02": (45, 29, 51)}
CLASSES = ("ribosome", "ring_2")
OTHERS = [n for n in FORMATS if n != "csv" and 3 in format_named(n).dimensions]


def run(out, paths, source, target, **parameters):
    out.mkdir(parents=True, exist_ok=True)
    config = ConvertConfig(
        input=tuple(map(str, paths)),
        input_format=source,
        output_format=target,
        out=str(out),
        **parameters,
    )
    return convert(config, out, on_progress=ignore_progress)


def make_tomograms(folder):
    paths = []
    for name, shape_zyx in SHAPES_ZYX.items():
        paths.append(folder / f"{name}.mrc")
        write_volume(paths[-1], np.zeros(shape_zyx, np.int8), 10.0)
    return tuple(map(str, paths))


def draw_particles(name, count=60):
    generator = np.random.default_rng(len(name) + count)
    shape = np.array(SHAPES_ZYX[name])
    return make_particles(
        name,
        generator.uniform(-0.5, shape - 0.5, (count, 3)),
        class_names=generator.choice(CLASSES, count),
        scores=generator.uniform(0.1, 1, count),
        rotations=from_relion_angles(generator.uniform(-180, 180, (count, 3))),
    )


def sorted_rows(particles):
    """Sort by class and position: a file per class changes the order."""
    order = np.lexsort((*particles.positions_zyx.T, particles.class_names))
    return particles.select(order)


def assert_same(read, wanted):
    read, wanted = sorted_rows(read), sorted_rows(wanted)
    assert read.class_names.tolist() == wanted.class_names.tolist()
    assert np.abs(read.positions_zyx - wanted.positions_zyx).max() < 0.01
    assert np.allclose(read.scores, wanted.scores, rtol=1e-5)
    assert np.allclose(read.rotations, wanted.rotations, atol=1e-4)


@pytest.mark.parametrize("target", OTHERS)
def test_there_and_back_with_all_that_is_known(tmp_path, target):
    """What a format cannot hold comes back from the sidecar."""
    tomograms = make_tomograms(tmp_path)
    kind = ALONE.get(target, {})
    wanted = {name: draw_particles(name).having(kind) for name in SHAPES_ZYX}
    for name, particles in wanted.items():
        write_csv(particles, tmp_path / f"{name}.csv")
    given = {"tomogram": tomograms, "binning": 3.7, "class_name": CLASSES}
    sources = [tmp_path / f"{name}.csv" for name in SHAPES_ZYX]

    there = run(tmp_path / "there", sources, "csv", target, **given)
    back = run(tmp_path / "back", there, target, "csv", **given)

    assert sorted(path.stem for path in back) == list(SHAPES_ZYX)
    for path in back:
        if target == "copick":  # Its names have no underscores.
            text = path.read_text().replace("ring-2", "ring_2")
            path.write_text(text)
        assert_same(read_csv(path, tomogram_id=path.stem), wanted[path.stem])


@pytest.mark.parametrize("target", OTHERS)
def test_without_its_sidecar_a_file_still_gives_the_positions(tmp_path, target):
    (tomogram, _) = make_tomograms(tmp_path)
    wanted = draw_particles("TS_01").having(ALONE.get(target, {}))
    write_csv(wanted, tmp_path / "TS_01.csv")
    given = {"tomogram": (tomogram,), "binning": 3.7}

    there = run(tmp_path / "there", [tmp_path / "TS_01.csv"], "csv", target, **given)
    for path in there:
        format_named(target).sidecar(path).unlink()
    (back,) = run(tmp_path / "back", there, target, "csv", **given)

    read = read_csv(back, tomogram_id="TS_01")
    distances = np.linalg.norm(
        read.positions_zyx[:, None] - wanted.positions_zyx[None], axis=-1
    )
    nearest = distances.argmin(axis=1)
    tolerance = 0.9 if target == "deepetpicker" else 0.01
    assert distances.min(axis=1).max() < tolerance
    assert sorted(nearest) == list(range(len(wanted)))


def test_a_sidecar_of_a_file_that_was_changed_is_not_used(tmp_path, caplog):
    (tomogram, _) = make_tomograms(tmp_path)
    write_csv(draw_particles("TS_01", 3), tmp_path / "TS_01.csv")
    given = {"tomogram": (tomogram,)}
    (there,) = run(tmp_path / "there", [tmp_path / "TS_01.csv"], "csv", "txt", **given)
    there.write_text("1 2 3\n" + there.read_text())

    (back,) = run(tmp_path / "back", [there], "txt", "csv", **given)

    read = read_csv(back, tomogram_id="TS_01")
    assert len(read) == 4
    assert set(read.class_names) == {"particle"}
    assert np.isnan(read.scores).all()
    assert "TS_01.txt was changed" in caplog.text


def test_a_damaged_sidecar_is_named(tmp_path):
    (tomogram, _) = make_tomograms(tmp_path)
    write_csv(draw_particles("TS_01", 3), tmp_path / "TS_01.csv")
    given = {"tomogram": (tomogram,)}
    (there,) = run(tmp_path / "there", [tmp_path / "TS_01.csv"], "csv", "txt", **given)
    sidecar = format_named("txt").sidecar(there)
    record = json.loads(sidecar.read_text())
    record["kept"]["TS_01"]["scores"] = ["a", "b", "c"]
    sidecar.write_text(json.dumps(record))

    with pytest.raises(InputDataError, match=r"TS_01\.txt\.json is damaged"):
        run(tmp_path / "back", [there], "txt", "csv", **given)


# names ----------------------------------------------------------------------------


def test_copick_writes_a_project_and_its_sidecars_outside(tmp_path):
    tomograms = make_tomograms(tmp_path)
    for name in SHAPES_ZYX:
        write_csv(draw_particles(name), tmp_path / f"{name}.csv")
    sources = [tmp_path / f"{name}.csv" for name in SHAPES_ZYX]

    run(tmp_path / "out", sources, "csv", "copick", tomogram=tomograms)

    found = {p.relative_to(tmp_path / "out").as_posix() for p in walk(tmp_path / "out")}
    assert found == {
        f"{folder}etpicker_1_{name}.json"
        for tomogram in SHAPES_ZYX
        for folder in (f"ExperimentRuns/{tomogram}/Picks/", f"{tomogram}_")
        for name in ("ribosome", "ring-2")
    }


def walk(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_portal_s_files_say_the_class_in_their_names(tmp_path):
    tomograms = make_tomograms(tmp_path)
    line = '{"type": "point", "location": {"x": 1, "y": 2, "z": 3}}\n'
    sources = [
        tmp_path / f"{name}.ndjson" for name in ("TS_01_ring", "TS_01-x_y", "TS_02")
    ]
    for path in sources:
        path.write_text(line)

    written = run(
        tmp_path / "out",
        sources,
        "portal",
        "csv",
        tomogram=tomograms,
        class_name=("ribosome",),
    )

    classes = {
        path.stem: read_csv(path, tomogram_id="T").class_names.tolist()
        for path in written
    }
    assert classes == {"TS_01": ["ring", "x_y"], "TS_02": ["ribosome"]}


def test_the_longest_name_of_a_tomogram_fits():
    known = ["TS_1", "TS_1_b4"]

    assert split_class("TS_1_b4_ring", known) == ("TS_1_b4", "ring")
    assert split_class("TS_1_ring", known) == ("TS_1", "ring")
    assert split_class("TS_1_b4", known) == ("TS_1_b4", None)
    assert split_class("TS_10_ring", known) == ("TS_10_ring", None)


@pytest.mark.parametrize(
    ("source", "name", "text"),
    [
        ("eman2", "TS_09_info.json", '{"boxes_3d": [[1, 2, 3, "tm", 0, 0]]}'),
        ("imod", "TS_09.pts", "1 2 3\n"),
        ("artiax-coords", "TS_09.coords", "1 2 3\n"),
        ("copick", "a.json", '{"run_name": "TS_09", "points": []}'),
        ("portal", "TS_09_ring.ndjson", ""),
    ],
)
def test_names_that_do_not_pair_up_are_listed(tmp_path, source, name, text):
    tomograms = make_tomograms(tmp_path)
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(
        ConfigError,
        match=r"without a tomogram: TS_09.*without coordinates: TS_01, TS_02",
    ):
        run(tmp_path / "out", [path], source, "csv", tomogram=tomograms)


def test_eman2_names_tomograms_up_to_two_underscores(tmp_path):
    paths = []
    for name in ("TS_01__bin4", "TS_02__bin4"):
        paths.append(str(tmp_path / f"{name}.mrc"))
        write_volume(Path(paths[-1]), np.zeros((33, 57, 41), np.int8), 10.0)
    infos = [tmp_path / f"TS_0{n}_info.json" for n in (2, 1)]
    for n, info in zip((2, 1), infos, strict=True):
        info.write_text(json.dumps({"boxes_3d": [[n, 2, 3, "tm", 0, 0]]}))

    written = run(tmp_path / "out", infos, "eman2", "csv", tomogram=tuple(paths))

    first = {p.stem: read_csv(p, tomogram_id="T").positions_zyx[0, 2] for p in written}
    assert first == {"TS_01__bin4": 1.0, "TS_02__bin4": 2.0}


def test_eman2_needs_no_binning_when_read_and_asks_for_it_when_written(tmp_path):
    path = tmp_path / "TS_01_info.json"
    record = {"apix_unbin": 2.5, "boxes_3d": [[-31, 88, -36, "tm", 0.5, 0]]}
    path.write_text(json.dumps(record))
    frame = {"dimensions": (41, 57, 33), "voxel_size": 10.0}

    (csv_path,) = run(tmp_path / "out", [path], "eman2", "csv", **frame)

    read = read_csv(csv_path, tomogram_id="TS_01")
    assert read.positions_zyx.tolist() == [[7, 50, 12.25]]
    with pytest.raises(ConfigError, match=r"EMAN2's boxes .*binning is not known"):
        run(tmp_path / "back", [csv_path], "csv", "eman2", **frame)
    with pytest.raises(InputDataError, match=r"apix_unbin is 2\.5 Å"):
        run(tmp_path / "out2", [path], "eman2", "csv", binning=2.0, **frame)


def test_formats_without_voxels_ask_for_the_voxel_size(tmp_path):
    for source in ("dynamo", "copick", "eman2", "warp"):
        with pytest.raises(ConfigError, match=r"does not guess it\. Give --voxel-size"):
            ConvertConfig(
                input=("a",),
                input_format=source,
                output_format="csv",
                out="out",
                dimensions=(41, 57, 33),
            )


def test_one_table_at_a_time(tmp_path):
    frame = {"dimensions": (41, 57, 33), "voxel_size": 10.0}

    with pytest.raises(ConfigError, match="2 dynamo files, expected one"):
        run(tmp_path / "out", ["a.tbl", "b.tbl"], "dynamo", "csv", **frame)


@pytest.mark.parametrize("name", ["particles.tbl", "particles.doc"])
def test_neither_table_nor_map_is_overwritten(tmp_path, name):
    (tomogram, _) = make_tomograms(tmp_path)
    write_csv(draw_particles("TS_01", 3), tmp_path / "TS_01.csv")
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine")

    with pytest.raises(ConfigError, match=f"{name} exists and is not overwritten"):
        run(out, [tmp_path / "TS_01.csv"], "csv", "dynamo", tomogram=(tomogram,))
    assert (out / name).read_text() == "mine"


def test_nothing_to_write_and_two_of_one_name_are_refused(tmp_path):
    (tomogram, _) = make_tomograms(tmp_path)
    source = tmp_path / "TS_01.csv"
    given = {"tomogram": (tomogram,)}

    source.write_text("class,x,y,z\n")
    with pytest.raises(InputDataError, match="no particles to write"):
        run(tmp_path / "a", [source], "csv", "copick", **given)
    source.write_text("class,x,y,z\na_b,1,2,3\na-b,4,5,6\n")
    with pytest.raises(InputDataError, match=r"to one file.*etpicker_1_a-b\.json"):
        run(tmp_path / "b", [source], "csv", "copick", **given)


# handedness -----------------------------------------------------------------------


@pytest.mark.parametrize(("target", "z"), [("txt", 25.0), ("eman2", 36.0)])
def test_mirrored_z_is_told_in_the_sidecar(tmp_path, target, z):
    """Slice 7 of 33 is 25 from the other end; in EMAN2, 9 voxels below is 9 above."""
    (tomogram, _) = make_tomograms(tmp_path)
    source = tmp_path / "TS_01.csv"
    source.write_text("class,x,y,z\nring,12.25,50,7\n")

    (path,) = run(
        tmp_path / "out",
        [source],
        "csv",
        target,
        tomogram=(tomogram,),
        mirror_z=True,
        binning=4.0,
    )

    written = (
        json.loads(path.read_text())["boxes_3d"][0][2]
        if target == "eman2"
        else float(path.read_text().split()[2])
    )
    assert written == z
    sidecar = format_named(target).sidecar(path)
    assert json.loads(sidecar.read_text())["mirrored_z"] is True
