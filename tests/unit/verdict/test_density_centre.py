"""Where picks lie beside their density: planted shifts, turned and lopsided bodies."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.relion.poses import rotation_of
from etpicker_plugin.engine.subtomograms.wedge import missing_wedge
from etpicker_plugin.engine.verdict.alignment.turning import to_particle
from etpicker_plugin.engine.verdict.origins.compose import (
    density_offsets,
    draw_particles,
    error_of,
)
from etpicker_plugin.engine.verdict.origins.density import (
    CLIP,
    DensityGeometry,
    correlation_maps,
    cut_boxes,
    density_geometry,
    find_peak,
    radial_template,
)
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.geometry import choose_geometry
from etpicker_plugin.engine.volumes.tomogram import Tomogram

SIZE = 26
RADIUS = 6.0
REACH = 6


def lopsided_body():
    """Return an asymmetric smooth map whose centre of mass is the middle."""
    volume = np.zeros((SIZE,) * 3)
    for place, height in (
        ((13, 13, 16), 3.0),
        ((10, 12, 12), 2.0),
        ((15, 16, 11), 4.0),
    ):
        volume[place] = height
    smooth = ndimage.gaussian_filter(volume, 1.5) * 20
    return ndimage.shift(smooth, SIZE // 2 - np.array(ndimage.center_of_mass(smooth)))


def random_matrices(n, seed=0):
    generator = np.random.default_rng(seed)
    return rotation_of(generator.uniform((-180, 0, -180), (180, 180, 180), (n, 3)))


def boxes_of(body, matrices, shift_zyx, *, noise, generator):
    """Return boxes whose particles stand off by a shift, with wedge and noise."""
    wedge = np.fft.ifftshift(missing_wedge(SIZE, tilt_range=(-60.0, 60.0)))
    boxes = []
    for number, matrix in enumerate(matrices):
        box = ndimage.shift(to_particle(body, matrix, order=3), shift_zyx, order=3)
        if number % 5 == 0:
            box = np.zeros_like(box)  # a pick of nothing
        box = box + noise * body.std() * generator.normal(size=box.shape)
        boxes.append(np.fft.ifftn(np.fft.fftn(box) * wedge).real)
    return boxes


def offsets_of(boxes, *, scale, generator):
    template = radial_template(np.mean(boxes, axis=0), radius_vox=RADIUS)
    maps = correlation_maps(boxes, template, reach_vox=REACH)
    weights = draw_particles(len(boxes), 100, generator)
    return density_offsets(maps, weights, scale=scale)


@pytest.mark.parametrize(
    "shift_zyx", [(-1.0, 0, 0), (0, -1.5, 0), (0, 0, 1.0), (1.2, -0.8, 2.0)]
)
def test_a_shift_of_the_picks_is_found_in_noise(shift_zyx):
    generator = np.random.default_rng(7)
    boxes = boxes_of(
        lopsided_body(),
        random_matrices(60, seed=1),
        shift_zyx,
        noise=3,
        generator=generator,
    )
    drawn = offsets_of(boxes, scale=2.0, generator=generator)
    # The particles stand beside the boxes' middle: the picks lie on the other side.
    np.testing.assert_allclose(drawn[0], -2.0 * np.array(shift_zyx), atol=0.5)
    assert (np.abs(drawn[0] + 2.0 * np.array(shift_zyx)) < 4 * error_of(drawn)).all()
    assert error_of(drawn).max() < 0.4


def test_a_draw_without_any_of_the_boxes_keeps_what_was_measured():
    generator = np.random.default_rng(3)
    maps = generator.normal(size=(4, 5, 5, 5)).astype(np.float32)
    weights = np.array([[1.0, 1, 1, 1], [0, 0, 0, 0], [0, 4, 0, 0]])
    drawn = density_offsets(maps, weights, scale=2.0)
    np.testing.assert_array_equal(drawn[1], drawn[0])
    np.testing.assert_allclose(drawn[2], -2.0 * find_peak(maps[1]), atol=1e-5)


def test_boxes_of_nothing_have_no_sure_place():
    generator = np.random.default_rng(3)
    boxes = [generator.normal(size=(SIZE,) * 3) for _ in range(40)]
    drawn = offsets_of(boxes, scale=1.0, generator=generator)
    assert (np.abs(drawn[0]) < 4 * error_of(drawn)).all()


def test_where_all_lie_alike_another_point_looks_like_an_offset():
    generator = np.random.default_rng(5)
    z, y, x = np.indices((SIZE,) * 3) - SIZE // 2
    inside = (z / 3) ** 2 + (y / 4) ** 2 + ((x - 2) / 5) ** 2 <= 1
    body = ndimage.gaussian_filter(inside.astype(float), 1.0)  # its middle lies off
    alike = np.repeat(rotation_of([90, 0, 0]), 40, axis=0)  # x to -y
    boxes = boxes_of(body, alike, (0, 0, 0), noise=2, generator=generator)
    drawn = offsets_of(boxes, scale=1.0, generator=generator)
    np.testing.assert_allclose(drawn[0], (0, 2.0, 0), atol=0.3)

    boxes = boxes_of(
        body, random_matrices(120), (0, 0, 0), noise=2, generator=generator
    )
    drawn = offsets_of(boxes, scale=1.0, generator=generator)
    assert (np.abs(drawn[0]) < 4 * error_of(drawn)).all()
    assert error_of(drawn).max() < 0.4


def test_the_template_is_round_whatever_the_map():
    body = ndimage.shift(lopsided_body(), (0, 1.0, 2.0))
    template = radial_template(body, radius_vox=RADIUS)
    np.testing.assert_allclose(template, template.transpose(2, 0, 1), atol=1e-12)
    np.testing.assert_allclose(
        template[1:, 1:, 1:], template[:0:-1, 1:, 1:], atol=1e-12
    )
    assert template.sum() == pytest.approx(0.0, abs=1e-9)
    assert template[13, 13, 13] > template[13, 13, 18]
    assert template[0, 13, 13] == 0.0


def test_the_peak_between_voxels():
    z, y, x = np.mgrid[-4:5, -4:5, -4:5]
    peak = -((z - 0.3) ** 2) - (y + 1.4) ** 2 - 2 * (x - 2.0) ** 2
    np.testing.assert_allclose(find_peak(peak), [0.3, -1.4, 2.0], atol=1e-9)
    assert find_peak(x.astype(float))[2] == 4.0


def test_the_boxes_hold_the_profile_at_the_farthest_place():
    size = density_geometry(choose_geometry(323.0, 10.0, None))
    assert size.scale == pytest.approx(32.3 / 12)
    assert (size.reach_vox, size.radius_vox) == (6, pytest.approx(6.0))
    assert size.box // 2 >= size.reach_vox + size.radius_vox + 2
    coarse = density_geometry(choose_geometry(100.0, 10.0, None))
    assert (coarse.scale, coarse.radius_vox) == (1.0, 5.0)
    finer_than_aligned = density_geometry(choose_geometry(320.0, 10.0, 40.0))
    assert finer_than_aligned.scale == 4.0


@pytest.mark.parametrize("invert", [True, False])
def test_boxes_are_bright_and_gold_is_clipped(invert):
    data = np.random.default_rng(0).normal(size=(30, 36, 42)).astype(np.float32)
    sign = -1 if invert else 1
    data[14, 17, 20] += sign * 1000.0  # gold, and 3 voxels further along x
    data[14, 17, 23] -= sign * 1000.0  # its fringe
    tomogram = Tomogram(
        tomogram_id="TS", path=Path("TS.mrc"), data=data, voxel_size=10.0
    )
    candidates = Candidates(
        tomogram_ids=np.array(["TS"]),
        positions_zyx=np.array([[14.0, 17.0, 20.0]]),
        particles=np.array([0]),
        half=np.array([1]),
        rows={"a": np.array([0])},
        at_border={},
    )

    sets = PickSets(tomograms={"TS": tomogram}, voxel_size=10.0, picks={}, left_out=())
    size = DensityGeometry(scale=1.0, radius_vox=5.0)
    (box,) = cut_boxes(sets, candidates, np.array([0]), size, invert=invert)
    middle = size.box // 2
    assert box.shape == (size.box,) * 3
    assert box[middle, middle, middle] == CLIP
    assert box[middle, middle, middle + 3] == -CLIP
