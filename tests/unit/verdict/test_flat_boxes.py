"""Boxes of micrographs: centred, bright, normalised, in stacks that RELION reads."""

import mrcfile
import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.relion.read import read_particles
from etpicker_plugin.engine.subtomograms.boxes import crop_boxes, find_inside
from etpicker_plugin.engine.verdict.flat.joint import (
    read_classification,
    write_inputs,
)
from etpicker_plugin.engine.verdict.flat.stacks import (
    image_names,
    read_images,
    write_stacks,
)
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.cutting import cut_box
from etpicker_plugin.engine.verdict.places.geometry import choose_geometry
from etpicker_plugin.engine.volumes.tomogram import read_tomogram
from etpicker_plugin.tests.support.micrographs import write_micrograph

SHAPE = (170, 230)
PLACES = {"a": [[60.25, 80.5], [100.0, 150.75]], "b": [[80.6, 40.2], [3.0, 200.0]]}
PIXEL_SIZE, DIAMETER = 2.0, 74.0
GEOMETRY = choose_geometry(DIAMETER, PIXEL_SIZE, None)
"""Boxes of 26 pixels of 4 Å: twice the micrograph's."""


def blob(place_yx, shape=SHAPE, sigma=5.0):
    y, x = np.indices(shape)
    away = (y - place_yx[0]) ** 2 + (x - place_yx[1]) ** 2
    return np.exp(-away / 2 / sigma**2)


@pytest.fixture
def cut(tmp_path):
    """Boxes of two micrographs, in turn: dark blobs, a slope, and hot pixels."""
    micrographs = {}
    for name, places in PLACES.items():
        image = 5000.0 - 0.4 * np.indices(SHAPE)[1]
        image += np.random.default_rng(4).normal(0, 5, SHAPE)
        image -= 60 * sum(blob(place) for place in places)
        image[[20, 150, 140], [20, 210, 100]] = 1e6
        path = write_micrograph(tmp_path / f"{name}.mrc", image, pixel_size=PIXEL_SIZE)
        micrographs[name] = read_tomogram(path)
    yx = np.array([PLACES["a"][0], PLACES["b"][0], PLACES["a"][1], PLACES["b"][1]])
    candidates = Candidates(
        tomogram_ids=np.array(["a", "b", "a", "b"]),
        positions_zyx=np.c_[np.zeros(4), yx],
        particles=np.arange(4),
        half=np.array([1, 2, 1, 2]),
        rows={"one": np.arange(4)},
        at_border={"one": 0},
    )
    folder = tmp_path / "boxes"
    write_stacks(
        micrographs,
        candidates,
        folder,
        geometry=GEOMETRY,
        invert=True,
        on_stack=lambda _done, _total: None,
    )
    return tmp_path, candidates, micrographs


def test_boxes_are_centred_bright_and_normalised(cut):
    folder, candidates, _ = cut
    images = read_images(folder / "boxes", candidates)
    assert images.shape == (4, 26, 26)
    steps = np.arange(26) - 13
    outside = np.hypot(steps[:, None], steps) > GEOMETRY.radius_vox
    for image in images[:3]:
        weights = np.clip(image - 3, 0, None)
        y, x = (np.average(steps, weights=weights.sum(axis=1 - i)) for i in (0, 1))
        assert (y, x) == pytest.approx((0, 0), abs=0.15)
        assert image[13, 13] > 8
        assert image[outside].mean() == pytest.approx(0, abs=1e-4)
        assert image[outside].std() == pytest.approx(1, abs=1e-4)
    assert images[3].shape == (26, 26)  # whole at the edge, where pixels repeat


def test_stacks_and_their_names_belong_together(cut):
    folder, candidates, _ = cut
    names = image_names(candidates, "boxes")
    assert names == [
        "000001@boxes/boxes_000001.mrcs",
        "000001@boxes/boxes_000002.mrcs",
        "000002@boxes/boxes_000001.mrcs",
        "000002@boxes/boxes_000002.mrcs",
    ]
    images = read_images(folder / "boxes", candidates)
    with mrcfile.open(folder / "boxes/boxes_000002.mrcs") as stack:
        assert stack.is_image_stack()
        assert stack.voxel_size.x == pytest.approx(4.0)
        assert np.array_equal(stack.data[0], images[1])
    write_inputs(folder, candidates, GEOMETRY)
    table, optics = read_particles(folder / "particles.star")
    assert list(table["rlnImageName"]) == names
    assert list(table["rlnMicrographName"]) == ["a.mrc", "b.mrc", "a.mrc", "b.mrc"]
    assert table["rlnCoordinateX"].iloc[1] == 40.2
    assert table["rlnCoordinateY"].iloc[1] == 80.6
    assert optics["rlnImageDimensionality"].iloc[0] == 2
    assert optics["rlnImageSize"].iloc[0] == 26


def test_stacks_that_are_there_are_kept(cut):
    folder, candidates, micrographs = cut
    path = folder / "boxes/boxes_000001.mrcs"
    before = path.stat().st_mtime_ns
    (folder / "boxes/boxes_000002.mrcs").unlink()
    told = []
    write_stacks(
        micrographs,
        candidates,
        folder / "boxes",
        geometry=GEOMETRY,
        invert=True,
        on_stack=lambda done, total: told.append((done, total)),
    )
    assert path.stat().st_mtime_ns == before
    assert (folder / "boxes/boxes_000002.mrcs").is_file()
    assert told == [(1, 2), (2, 2)]


def test_a_box_of_one_value_is_told(tmp_path):
    image = np.random.default_rng(1).normal(0, 1, SHAPE)
    image[:, 100:] = np.median(image)
    path = write_micrograph(tmp_path / "half.mrc", image, pixel_size=4.0)
    candidates = Candidates(
        tomogram_ids=np.array(["half"]),
        positions_zyx=np.array([[0.0, 85, 170]]),
        particles=np.zeros(1, int),
        half=np.ones(1, int),
        rows={"one": np.zeros(1, int)},
        at_border={"one": 0},
    )
    with pytest.raises(InputDataError, match=r"half holds one value.*170, 85"):
        write_stacks(
            {"half": read_tomogram(path)},
            candidates,
            tmp_path / "boxes",
            geometry=choose_geometry(74.0, 4.0, None),
            invert=True,
            on_stack=lambda _done, _total: None,
        )


@pytest.mark.parametrize("scale", [1.0, 1.7])
def test_a_slice_is_cut_as_the_middle_of_a_thick_one(scale):
    plane = blob((40.3, 51.6), (90, 100))
    thick = np.repeat(plane[None], 60, axis=0)
    (flat,), left_out = crop_boxes(
        plane[None], np.array([[0.0, 40.3, 51.6]]), box=12, scale=scale
    )
    (whole,), _ = crop_boxes(thick, np.array([[30.0, 40.3, 51.6]]), box=12, scale=scale)
    assert flat.shape == (1, 12, 12)
    assert not len(left_out)
    assert flat[0] == pytest.approx(whole[6], abs=1e-5)
    edge = np.array([[0.0, 2.0, 50.0], [0.0, 45.0, 50.0]])
    assert find_inside(edge, (1, 90, 100), box=12, scale=scale).tolist() == [
        False,
        True,
    ]
    at_edge = cut_box(plane[None], np.array([0.0, 1.0, 50.0]), box=12, scale=scale)
    assert at_edge.shape == (1, 12, 12)


def test_classes_are_read_in_our_order(cut):
    folder, candidates, _ = cut
    names = image_names(candidates, "boxes")
    classes = {name: number for number, name in enumerate(names, 1)}
    rows = "\n".join(f"{n} {classes[n]} 0.{classes[n]}" for n in sorted(names))
    head = "loop_\n_rlnImageName #1\n_rlnClassNumber #2\n"
    (folder / "run_it005_data.star").write_text(
        "data_optics\n\nloop_\n_rlnOpticsGroup #1\n1\n\n"
        f"data_particles\n\n{head}_rlnMaxValueProbDistribution #3\n{rows}\n"
    )
    (folder / "run_it005_model.star").write_text(
        "data_model_classes\n\nloop_\n_rlnClassDistribution #1\n"
        "_rlnAccuracyRotations #2\n_rlnAccuracyTranslationsAngst #3\n"
        "_rlnEstimatedResolution #4\n" + "0.25 5 3 20\n" * 4
    )
    with mrcfile.new(folder / "run_it005_classes.mrcs") as stack:
        stack.set_data(np.zeros((4, 26, 26), np.float32))
    found = read_classification(folder / "run_it005_optimiser.star", candidates, 5)
    assert found.classes.tolist() == [0, 1, 2, 3]
    assert found.probability.tolist() == [0.1, 0.2, 0.3, 0.4]
    assert found.averages.shape == (4, 26, 26)
