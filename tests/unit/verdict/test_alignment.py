"""Turning boxes and averaging them: planted truths."""

import numpy as np
from scipy import ndimage

from etpicker_plugin.engine.relion.poses import rotation_of
from etpicker_plugin.engine.subtomograms.wedge import missing_wedge
from etpicker_plugin.engine.verdict.alignment.averages import average_subsets
from etpicker_plugin.engine.verdict.alignment.likelihood import soft_sphere
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
