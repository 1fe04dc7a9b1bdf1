"""The command: boxes with particles in their centres, a table, nothing lost."""

import csv
import json

import mrcfile
import numpy as np
import pytest
import starfile

from etpicker_plugin.engine.config.extract import ExtractConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.relion_star import read_star
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.subtomograms.boxes import crop_boxes
from etpicker_plugin.engine.subtomograms.extract import extract
from etpicker_plugin.engine.subtomograms.wedge import missing_wedge
from etpicker_plugin.engine.volumes.tomogram import write_volume

SHAPES = {"TS_a": (37, 51, 63), "TS_b": (41, 47, 59)}
CENTRES_XYZ = {
    "TS_a": [("ring", 25.4, 20.2, 18.7), ("ring", 44.0, 33.5, 17.0)],
    "TS_b": [("ring", 30.0, 20.6, 20.3), ("dot", 40.0, 30.0, 20.0)],
}
AT_EDGE = ("ring", 5.0, 20.0, 20.0)


def draw(shape_zyx, centres, *, voxel=10.0, seed=0):
    """Return noise around 100 with dark blobs."""
    volume = np.random.default_rng(seed).normal(0, 0.02, shape_zyx)
    z, y, x = np.ogrid[tuple(slice(0, n) for n in shape_zyx)]
    for _, cx, cy, cz in centres:
        r2 = (x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2
        volume -= np.exp(-r2 * voxel**2 / (2 * 30**2))
    return (100 + 40 * volume).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "picks").mkdir()
    for name, shape in SHAPES.items():
        write_volume(tmp_path / f"{name}.mrc", draw(shape, CENTRES_XYZ[name]), 10.0)
        rows = [*CENTRES_XYZ[name], AT_EDGE]
        lines = [f"{c},{x},{y},{z},0.{n}5" for n, (c, x, y, z) in enumerate(rows)]
        path = tmp_path / "picks" / f"{name}.csv"
        path.write_text("class,x,y,z,score\n" + "\n".join(lines) + "\n")
    return tmp_path


def config(folder, **changes):
    values = {
        "coordinates": (str(folder / "picks"),),
        "tomogram": tuple(str(folder / f"{n}.mrc") for n in SHAPES),
        "diameter": {"ring": 120.0},
        "tilt_range": (-60.0, 50.0),
        "box_size": 18,
        "out": str(folder / "out"),
    }
    return ExtractConfig(**{**values, **changes})


def run(settings, folder):
    out = folder / "out"
    out.mkdir(exist_ok=True)
    return extract(settings, out, on_progress=ignore_progress)


def centre_of_mass(box):
    """Of what stands out around the centre; a neighbour lies farther off."""
    grid = np.indices(box.shape)
    near = sum((g - box.shape[0] // 2) ** 2 for g in grid) <= 5**2
    box = np.clip(box - 0.3 * box.max(), 0, None) * near
    return np.array([(g * box).sum() / box.sum() for g in grid])


@pytest.mark.parametrize(("voxel_size", "edge"), [(None, 18), (16.0, 14)])
def test_particles_are_bright_in_the_centre_of_their_boxes(folder, voxel_size, edge):
    settings = config(folder, box_voxel_size=voxel_size, box_size=edge)

    result = run(settings, folder)

    tables = starfile.read(result.star, always_dict=True)
    optics, particles = tables["optics"], tables["particles"]
    assert optics["rlnImageSize"].tolist() == [edge]
    assert optics["rlnImagePixelSize"].tolist() == [voxel_size or 10.0]
    assert optics["rlnImageDimensionality"].tolist() == [3]
    assert len(particles) == 3
    for name in particles["rlnImageName"]:
        with mrcfile.open(folder / "out" / name) as mrc:
            assert mrc.is_volume()
            assert float(mrc.voxel_size.x) == pytest.approx(voxel_size or 10.0)
            assert mrc.data.dtype == np.float32
            np.testing.assert_allclose(centre_of_mass(mrc.data), edge // 2, atol=0.06)


def test_table_reads_back_as_coordinates(folder):
    result = run(config(folder), folder)

    frames = {
        name: TomogramFrame(tomogram_id=name, shape_zyx=shape, voxel_size=10.0)
        for name, shape in SHAPES.items()
    }
    first, second = read_star(result.star, frames=frames, version="relion3")
    np.testing.assert_allclose(
        first.positions_zyx[:, ::-1], [row[1:] for row in CENTRES_XYZ["TS_a"]]
    )
    np.testing.assert_allclose(second.positions_zyx, [[20.3, 20.6, 30.0]])
    assert first.class_names.tolist() == ["ring", "ring"]
    np.testing.assert_allclose(first.scores, [0.05, 0.15])
    text = result.star.read_text()
    assert text.count("# version 30001") == 2
    particles = starfile.read(result.star)["particles"]
    assert particles["rlnMicrographName"].tolist() == ["TS_a.mrc"] * 2 + ["TS_b.mrc"]
    assert particles["rlnImageName"][2] == "boxes/TS_b/000001.mrc"
    assert set(particles["rlnCtfImage"]) == {"wedge.mrc"}


def test_orientations_start_the_alignment(folder):
    (folder / "picks" / "TS_a.csv").write_text(
        "class,x,y,z,score,rot,tilt,psi\n"
        "ring,25.4,20.2,18.7,1,30,40,-50\nring,44.0,33.5,17.0,1,,,\n"
    )

    result = run(config(folder), folder)

    particles = starfile.read(result.star)["particles"]
    angles = particles[["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"]].to_numpy()
    np.testing.assert_allclose(angles, [[30, 40, -50], [0, 0, 0], [0, 0, 0]], atol=1e-6)


def test_what_has_no_whole_box_is_listed(folder):
    write_volume(
        folder / "TS_b.mrc", np.full(SHAPES["TS_b"], 7, dtype=np.float32), 10.0
    )

    run(config(folder), folder)

    with (folder / "out" / "left_out.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(r["tomogram"], r["x"], r["reason"]) for r in rows] == [
        ("TS_a", "5.000", "box reaches beyond the tomogram"),
        ("TS_b", "5.000", "box reaches beyond the tomogram"),
        ("TS_b", "30.000", "box holds one value, NaN or infinity"),
    ]
    assert rows[0]["score"] == "0.25"
    record = json.loads((folder / "out" / "particles.json").read_text())
    assert record["extracted"] == {"ring": 2}
    assert record["left_out"] == 3
    assert record["voxel_size_ang"] == 10.0


def test_wedge_is_that_of_the_tilt_range(folder):
    run(config(folder), folder)

    with mrcfile.open(folder / "out" / "wedge.mrc") as mrc:
        expected = missing_wedge(18, tilt_range=(-60, 50))
        np.testing.assert_array_equal(mrc.data, expected)


def test_classes_have_their_own_radius_and_bright_stays_bright(folder):
    settings = config(
        folder,
        diameter={"ring": 120.0, "dot": 60.0},
        normalisation="background",
        invert=False,
    )

    result = run(settings, folder)

    (*_, dot) = starfile.read(result.star)["particles"]["rlnImageName"]
    with mrcfile.open(folder / "out" / dot) as mrc:
        box = mrc.data
    steps = np.arange(18) - 9
    r2 = steps[:, None, None] ** 2 + steps[:, None] ** 2 + steps**2
    assert box[r2 > 9].std() == pytest.approx(1, rel=1e-4)
    assert box[9, 9, 9] < -5


# again ------------------------------------------------------------------------


def test_a_second_run_makes_only_what_is_missing(folder):
    first = run(config(folder), folder)
    boxes = sorted((folder / "out" / "boxes").rglob("*.mrc"))
    before = {b: (b.stat().st_mtime_ns, b.read_bytes()) for b in boxes}
    boxes[1].unlink()
    (folder / "out" / "particles.json").unlink()

    again = run(config(folder), folder)

    assert boxes[0].stat().st_mtime_ns == before[boxes[0]][0]
    data = slice(1024, None)  # The header holds the time.
    assert boxes[1].read_bytes()[data] == before[boxes[1]][1][data]
    assert [s.images for s in again.sets] == [s.images for s in first.sets]


def test_other_boxes_are_not_overwritten(folder):
    run(config(folder), folder)
    before = (folder / "out" / "particles.star").read_text()

    with pytest.raises(ConfigError, match="never overwritten"):
        run(config(folder, invert=False), folder)

    assert (folder / "out" / "particles.star").read_text() == before


def test_edited_coordinates_are_noticed(folder):
    run(config(folder), folder)
    path = folder / "picks" / "TS_b.csv"
    path.write_text(path.read_text().replace("30.0", "30.5"))

    with pytest.raises(ConfigError, match="coordinates of TS_b has changed"):
        run(config(folder), folder)

    (folder / "out" / "particles.json").unlink()
    with pytest.raises(ConfigError, match="coordinates of TS_b has changed"):
        run(config(folder), folder)


def test_boxes_of_a_tomogram_that_changes_meanwhile_are_refused(folder, monkeypatch):
    def crop_and_change(*arguments, **keywords):
        boxes = crop_boxes(*arguments, **keywords)
        write_volume(folder / "x.mrc", np.zeros(SHAPES["TS_a"], np.float32), 10.0)
        (folder / "x.mrc").rename(folder / "TS_a.mrc")
        return boxes

    module = "etpicker_plugin.engine.subtomograms.extract.crop_boxes"
    monkeypatch.setattr(module, crop_and_change)
    with pytest.raises(InputDataError, match="changed or replaced"):
        run(config(folder), folder)
    assert not (folder / "out" / "particles.star").exists()


def test_a_table_that_was_cut_short_is_made_again(folder, caplog):
    run(config(folder), folder)
    star = folder / "out" / "particles.star"
    before = starfile.read(star)["particles"]
    text = star.read_text()
    star.write_text(text[:-40])

    run(config(folder), folder)

    assert starfile.read(star)["particles"].equals(before)
    assert star.with_name("particles.star.old-1").read_text() == text[:-40]
    assert "particles.star is not as it was written" in caplog.text


# what is refused --------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"box_size": 17}, "even number"),
        ({"tilt_range": (60.0, -60.0)}, "lowest and the highest"),
        ({"tilt_range": (60.0,)}, "lowest and the highest"),
        ({"diameter": {"ring": 3.0}}, "in Å, not in voxels"),
        ({"voltage": -1.0}, "voltage"),
    ],
)
def test_contradictions_are_refused(folder, changes, message):
    with pytest.raises(ConfigError, match=message):
        config(folder, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"box_size": 12}, "too small for a diameter of 120 Å. Expected at least 14"),
        ({"box_voxel_size": 5.0}, "finer voxels hold nothing new"),
        ({"diameter": {"rings": 120.0}}, "no coordinates of this class.*: dot, ring"),
    ],
)
def test_what_does_not_fit_the_tomograms_is_refused(folder, changes, message):
    with pytest.raises(ConfigError, match=message):
        run(config(folder, **changes), folder)

    assert list((folder / "out").iterdir()) == []


def test_not_one_whole_box_is_an_error(folder):
    with pytest.raises(InputDataError, match="Not one of 5 boxes of 48 voxels"):
        run(config(folder, box_size=48), folder)


def test_tomograms_of_several_voxel_sizes_need_one_for_the_boxes(folder):
    volume = draw(SHAPES["TS_b"], CENTRES_XYZ["TS_b"], voxel=13.0)
    write_volume(folder / "TS_b.mrc", volume, 13.0)

    with pytest.raises(ConfigError, match=r"TS_a 10 Å, TS_b 13 Å.*box-voxel-size 13"):
        run(config(folder), folder)
    result = run(config(folder, box_voxel_size=13.0), folder)

    optics = starfile.read(result.star)["optics"]
    assert optics["rlnMicrographPixelSize"].tolist() == [10.0, 13.0]
    for item in result.sets:
        for name in item.images:
            with mrcfile.open(folder / "out" / name) as mrc:
                np.testing.assert_allclose(centre_of_mass(mrc.data), 9, atol=0.06)


def test_names_that_do_not_pair_up_are_named(folder):
    (folder / "picks" / "TS_c.csv").write_text("class,x,y,z\nring,20,20,20\n")

    with pytest.raises(ConfigError, match="without a tomogram: TS_c"):
        run(config(folder), folder)


def test_hidden_files_are_passed_over(folder):
    for name in ("._TS_a.csv", ".TS_b.csv", "._TS_c.csv"):
        (folder / "picks" / name).write_bytes(b"\0\5\x16\7")

    assert len(run(config(folder), folder).sets) == 2


def test_files_of_a_folder_never_go_by_their_order(folder):
    for name, other in (("TS_a", "first"), ("TS_b", "second")):
        (folder / "picks" / f"{name}.csv").rename(folder / "picks" / f"{other}.csv")

    with pytest.raises(ConfigError, match=r"without a tomogram: first.csv, second.csv"):
        run(config(folder), folder)


def test_files_given_go_by_name_in_any_order(folder):
    files = [folder / "picks" / f"{n}_picks.csv" for n in ("TS_b", "TS_a")]
    for file in files:
        file.with_name(file.name.replace("_picks", "")).rename(file)

    result = run(config(folder, coordinates=tuple(map(str, files))), folder)

    assert [s.particles.tomogram_id for s in result.sets] == ["TS_a", "TS_b"]
    x = result.sets[0].particles.positions_zyx[:, 2]
    np.testing.assert_allclose(x, [25.4, 44.0])


def test_a_folder_without_coordinates_is_refused(folder):
    (folder / "empty").mkdir()

    with pytest.raises(InputDataError, match=r"no \.csv in it"):
        run(config(folder, coordinates=(str(folder / "empty"),)), folder)


def test_coordinates_outside_are_refused(folder):
    (folder / "picks" / "TS_a.csv").write_text("class,x,y,z\nring,20,20,200\n")

    with pytest.raises(InputDataError, match="outside the tomogram"):
        run(config(folder), folder)
