"""Tables of boxes, references and masks: what is found, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from etpicker_plugin.engine.averaging.average import plan_search, write_aligned
from etpicker_plugin.engine.averaging.inputs import (
    check_count,
    check_reference,
    choose_diameter,
    read_boxes,
)
from etpicker_plugin.engine.averaging.maps import check_mask
from etpicker_plugin.engine.config.average import AverageConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.relion.read import read_particles
from etpicker_plugin.engine.subtomograms.star import (
    BoxSet,
    Optics,
    write_particles_star,
    write_tables,
)
from etpicker_plugin.engine.volumes.tomogram import write_volume
from etpicker_plugin.tests.support.mrc_headers import write_mrc

BOX, VOXEL = 12, 20.0


@pytest.fixture
def folder(tmp_path):
    """Two tomograms of three and two boxes, with their table and record."""
    sets = []
    for name, count in (("TS_a", 3), ("TS_b", 2)):
        images = [f"boxes/{name}/{n}.mrc" for n in range(count)]
        for image in images:
            (tmp_path / image).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / image).write_bytes(b"box")
        sets.append(
            BoxSet(
                particles=make_particles(name, np.arange(3.0 * count).reshape(-1, 3)),
                images=images,
                wedge="wedge.mrc",
                voxel_size=10.0,
            )
        )
    (tmp_path / "wedge.mrc").write_bytes(b"wedge")
    optics = Optics(box=BOX, voxel_size=VOXEL)
    write_particles_star(sets, tmp_path / "particles.star", optics=optics)
    record = {"diameters_ang": {"a": 150.0, "b": 130.0}}
    (tmp_path / "particles.json").write_text(json.dumps(record))
    return tmp_path


def config(**changes):
    return AverageConfig(**{"particles": "p", "out": "o", **changes})


def rewrite(folder, change):
    particles, optics = read_particles(folder / "particles.star")
    tables = change({"optics": optics, "particles": particles})
    write_tables(tables, folder / "particles.star")


# boxes ------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["", "particles.star"])
def test_a_folder_or_its_table_with_absolute_paths(folder, named):
    boxes = read_boxes(folder / named)

    assert len(boxes) == 5
    assert (boxes.box, boxes.voxel_size) == (BOX, VOXEL)
    assert boxes.particles["rlnImageName"][4] == str(folder / "boxes/TS_b/1.mrc")
    assert set(boxes.particles["rlnCtfImage"]) == {str(folder / "wedge.mrc")}


def test_relion_s_paths_count_from_the_working_folder(folder, tmp_path, monkeypatch):
    (folder / "elsewhere").mkdir()
    text = (folder / "particles.star").read_text()
    (folder / "elsewhere" / "run_data.star").write_text(text)
    monkeypatch.chdir(folder)

    boxes = read_boxes("elsewhere/run_data.star")

    assert boxes.particles["rlnImageName"][0] == str(folder / "boxes/TS_a/0.mrc")
    assert boxes.record == {}


def drop(table, column):
    def change(tables):
        return {**tables, table: tables[table].drop(columns=column)}

    return change


def replace(table, column, value):
    def change(tables):
        tables[table].loc[0, column] = value
        return tables

    return change


def second_optics_group(tables):
    other = tables["optics"].copy()
    other["rlnOpticsGroup"], other["rlnImagePixelSize"] = 2, 25.0
    tables["optics"] = type(other)(
        [*tables["optics"].to_dict("records"), *other.to_dict("records")]
    )
    tables["particles"].loc[0, "rlnOpticsGroup"] = 2
    return tables


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop("particles", "rlnCtfImage"), "no column rlnCtfImage"),
        (drop("particles", "rlnImageName"), "no table 'particles' with rlnImageName"),
        (drop("optics", "rlnImageSize"), "optics table has no rlnImageSize"),
        (
            replace("particles", "rlnImageName", "boxes/TS_a/1.mrc"),
            "stands in it twice",
        ),
        (replace("particles", "rlnImageName", "gone.mrc"), r"1 of 6 files.*gone\.mrc"),
        (replace("optics", "rlnImageSize", 13), "an even edge"),
        (replace("optics", "rlnImageDimensionality", 2), "images of 2 dimensions"),
        (second_optics_group, "several sizes, voxel sizes"),
    ],
)
def test_tables_that_cannot_be_averaged(folder, change, message):
    rewrite(folder, change)

    with pytest.raises(InputDataError, match=message):
        read_boxes(folder)


def test_too_few_boxes_for_half_sets(folder):
    boxes = read_boxes(folder)

    check_count(boxes, "classify")
    with pytest.raises(
        InputDataError, match=r"5 box\(es\), too few to refine.*least 8"
    ):
        check_count(boxes, "refine")


# maps -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "voxel_size", "message"),
    [
        ((14, 14, 14), VOXEL, r"\(14, 14, 14\) at 20 Å; the boxes have \(12, 12, 12\)"),
        ((12, 12, 12), 10.0, "--rescale_angpix 20 --new_box 12"),
    ],
)
def test_a_reference_of_another_grid(folder, shape, voxel_size, message):
    volume = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    write_volume(folder / "r.mrc", volume, voxel_size)

    with pytest.raises(InputDataError, match=message):
        check_reference(str(folder / "r.mrc"), read_boxes(folder))


def test_a_reference_without_contrast(folder):
    write_volume(folder / "r.mrc", np.ones((BOX,) * 3, np.float32), VOXEL)

    with pytest.raises(InputDataError, match="all voxels are equal"):
        check_reference(str(folder / "r.mrc"), read_boxes(folder))


def test_maps_whose_axes_relion_would_exchange(folder):
    cube = np.random.default_rng(0).random((BOX,) * 3).astype("f4")
    for name in ("r.mrc", "m.mrc"):
        write_mrc(folder / name, cube, axes=(2, 1, 3), cell=(BOX * VOXEL,) * 3)

    with pytest.raises(InputDataError, match=r"Reference .* in another order"):
        check_reference(str(folder / "r.mrc"), read_boxes(folder))
    with pytest.raises(InputDataError, match=r"Mask .*m\.mrc: .* in another order"):
        check_mask(str(folder / "m.mrc"), box=BOX, voxel_size=VOXEL)


@pytest.mark.parametrize(
    ("box", "highest", "message"),
    [(14, 1.0, "size"), (BOX, 2.0, "expected 0 to 1"), (BOX, 0.0, "expected 0 to 1")],
)
def test_masks_that_do_not_fit(tmp_path, box, highest, message):
    mask = np.zeros((box,) * 3, np.float32)
    mask[3:6] = highest
    write_volume(tmp_path / "m.mrc", mask, VOXEL)

    with pytest.raises(InputDataError, match=message):
        check_mask(str(tmp_path / "m.mrc"), box=BOX, voxel_size=VOXEL)


# settings ---------------------------------------------------------------------


def test_the_diameter_is_given_or_the_extraction_s(folder):
    boxes = read_boxes(folder)

    assert choose_diameter(config(diameter=200.0), boxes) == 200.0
    assert choose_diameter(config(), boxes) == 150.0
    with pytest.raises(ConfigError, match=r"between four voxels \(80 Å\).*\(240 Å\)"):
        choose_diameter(config(diameter=300.0), boxes)
    (folder / "particles.json").unlink()
    with pytest.raises(ConfigError, match="Give --diameter in Å"):
        choose_diameter(config(), read_boxes(folder))


def test_what_is_not_given_is_worked_out(folder):
    boxes = read_boxes(folder)

    refine = plan_search(config(reference="r", ranks=5, threads=8), boxes)
    classify = plan_search(
        config(task="classify", offset_range=60.0, threads=8), boxes, own_reference=True
    )

    assert (refine.ranks, refine.threads) == (5, 2)
    assert refine.initial_lowpass_ang == 80.0  # four voxels; a fifth would be 30 Å
    assert (refine.offset_range_vox, refine.offset_step_vox) == (4.0, 2.0)
    assert not refine.correct_greyscale
    assert (classify.ranks, classify.threads) == (1, 8)
    assert (classify.offset_range_vox, classify.offset_step_vox) == (3.0, 1.5)
    assert classify.correct_greyscale


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": 2}, "Classify first"),
        ({"ranks": 2}, "expected 3 or more"),
        ({"iterations": 1}, "can be correlations"),
        ({"symmetry": "D2"}, "relion_align_symmetry"),
        ({"diameter": -3.0}, "above 0"),
    ],
)
def test_traps_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        config(**changes)
    config(symmetry="D2", reference="r.mrc", task="classify", classes=3, iterations=2)


# results ----------------------------------------------------------------------


def test_aligned_particles_keep_the_given_order(folder):
    boxes = read_boxes(folder)
    shuffled = boxes.particles.iloc[[3, 0, 4, 2, 1]]
    tables = {"optics": boxes.optics, "particles": shuffled}
    write_tables(tables, folder / "data.star")

    assert write_aligned(folder / "data.star", boxes, folder / "aligned.star") == 5

    aligned, _ = read_particles(folder / "aligned.star")
    assert aligned["rlnImageName"].tolist() == boxes.particles["rlnImageName"].tolist()
    assert aligned["rlnCoordinateZ"].tolist() == [0.0, 3.0, 6.0, 0.0, 3.0]
    write_tables({**tables, "particles": shuffled[:4]}, folder / "data.star")
    with pytest.raises(InputDataError, match="other boxes"):
        write_aligned(folder / "data.star", boxes, Path("never.star"))
