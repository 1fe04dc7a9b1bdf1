"""Turning boxes, averaging them, and finding where picks lie: planted truths."""

import numpy as np
import pytest
from scipy import ndimage

from etpicker_plugin.engine.relion.poses import rotation_of
from etpicker_plugin.engine.subtomograms.wedge import missing_wedge
from etpicker_plugin.engine.verdict.alignment.averages import average_subsets
from etpicker_plugin.engine.verdict.alignment.likelihood import soft_sphere
from etpicker_plugin.engine.verdict.alignment.origin import (
    centre_map,
    correlation_map,
    find_peak,
    set_offset,
)
from etpicker_plugin.engine.verdict.alignment.turning import to_particle, to_reference

SIZE = 16


def planted_map():
    """Return an asymmetric smooth map, nothing near its faces."""
    volume = np.zeros((SIZE,) * 3)
    for place, height in (((8, 8, 11), 3.0), ((5, 7, 7), 2.0), ((10, 11, 6), 4.0)):
        volume[place] = height
    return ndimage.gaussian_filter(volume, 1.2) * 20


def random_matrices(n, seed=0):
    generator = np.random.default_rng(seed)
    angles = generator.uniform((-180, 0, -180), (180, 180, 180), (n, 3))
    return rotation_of(angles)


def measured(box, wedge):
    spectrum = np.fft.fftn(box) * np.fft.ifftshift(wedge)
    return np.fft.ifftn(spectrum).real


def test_a_point_goes_where_the_matrix_says():
    reference = np.zeros((SIZE,) * 3)
    reference[8 + 1, 8 + 2, 8 + 4] = 1.0  # at x, y, z = 4, 2, 1 from the centre
    matrix = rotation_of([90, 0, 0])[0]  # takes x, y, z to y, -x, z
    particle = to_particle(reference, matrix)
    assert np.unravel_index(particle.argmax(), particle.shape) == (9, 4, 10)
    back = to_reference(particle, matrix, order=1)
    np.testing.assert_allclose(back, reference, atol=1e-9)


def test_the_origin_is_what_the_particle_must_be_moved_by():
    particle = np.zeros((SIZE,) * 3)
    particle[8 + 2, 8 - 1, 8 + 3] = 1.0
    centred = to_reference(particle, np.eye(3), origin_zyx=(-2, 1, -3), order=1)
    assert np.unravel_index(centred.argmax(), centred.shape) == (8, 8, 8)


def test_wedged_and_turned_copies_average_to_the_map():
    truth = planted_map()
    wedge = missing_wedge(SIZE, tilt_range=(-60.0, 60.0))
    matrices = random_matrices(40)
    boxes = [measured(to_particle(truth, m, order=3), wedge) for m in matrices]
    membership = np.zeros((3, 40), bool)
    membership[0, ::2], membership[1, 1::2] = True, True

    one, two, none = average_subsets(
        boxes, list(matrices), np.zeros((40, 3)), membership, wedge=wedge
    )

    inside = soft_sphere(SIZE, radius_vox=5.0, edge_vox=0.01) > 0.5
    for average in (one, two):
        assert np.corrcoef(average[inside], truth[inside])[0, 1] > 0.97
    assert not none.any()
    wrong = average_subsets(
        boxes,
        [m.T for m in matrices],
        np.zeros((40, 3)),
        membership,
        wedge=wedge,
    )[0]
    assert np.corrcoef(wrong[inside], truth[inside])[0, 1] < 0.8


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_shift_of_the_picks_along_one_axis_is_found_in_noise(axis):
    truth = planted_map()
    generator = np.random.default_rng(7)
    shift = np.zeros(3)
    shift[axis] = -1.0  # the particles stand one box voxel below: picks lie above
    maps = []
    for number, matrix in enumerate(random_matrices(60, seed=axis)):
        box = ndimage.shift(to_particle(truth, matrix, order=3), shift, order=3)
        if number % 5 == 0:
            box = np.zeros_like(box)  # a pick of nothing
        box = box + 3 * truth.std() * generator.normal(size=box.shape)
        maps.append(correlation_map(box, truth, matrix))
    offset = set_offset(maps, scale=2.0, generator=generator)
    expected = np.zeros(3)
    expected[2 - axis] = 2.0
    np.testing.assert_allclose(offset.mean_xyz, expected, atol=0.5)
    assert offset.alarming_axes == ("xyz"[2 - axis],)


def test_a_map_is_moved_to_its_particle_s_centre():
    body = ndimage.gaussian_filter(
        np.pad(np.ones((4, 5, 3)), ((3, 9), (6, 5), (7, 6))), 0.7
    )
    noise = 0.02 * np.random.default_rng(0).normal(size=body.shape)
    moved = centre_map(body + noise, radius_vox=7.0)
    np.testing.assert_allclose(ndimage.center_of_mass(moved > 0.5), 8.0, atol=0.4)
    assert centre_map(np.zeros((8, 8, 8)), radius_vox=3.0).max() == 0.0


def test_the_peak_between_voxels():
    z, y, x = np.mgrid[-4:5, -4:5, -4:5]
    peak = -((z - 0.3) ** 2) - (y + 1.4) ** 2 - 2 * (x - 2.0) ** 2
    np.testing.assert_allclose(find_peak(peak), [0.3, -1.4, 2.0], atol=1e-9)
    assert find_peak(x.astype(float))[2] == 4.0
