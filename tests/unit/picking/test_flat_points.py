"""Points on bands and rings of one plane: as in volumes, and nothing across it."""

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from etpicker_plugin.engine.picking.ridges import find_lines
from etpicker_plugin.engine.picking.sheets import find_sheets
from etpicker_plugin.tests.support.tubes import painted_tubes

SHAPE = (1, 113, 147)
KERNEL = 3


def arc(centre_yx, radius, first, last):
    turn = np.linspace(first, last, 600)
    y, x = centre_yx[0] + radius * np.sin(turn), centre_yx[1] + radius * np.cos(turn)
    return np.stack([0 * turn, y, x], axis=1)


def found_by(finder, *curves, kernel=KERNEL, radius=1.5):
    plane = torch.from_numpy(painted_tubes(SHAPE, curves, radius=radius))
    peaks = finder(plane, kernel, min_score=0.15)
    assert (peaks.positions_zyx[:, 0] == 0).all()
    assert (peaks.optional["direction"][:, 0] == 0).all()
    return peaks


@pytest.mark.parametrize(("radius", "kernel"), [(1.5, 3), (3.0, 5)])
def test_a_band_gives_points_along_its_middle(radius, kernel):
    curve = arc((-40.3, 60.7), 110.0, 0.9, 2.1)
    peaks = found_by(find_lines, curve, kernel=kernel, radius=radius)

    distance, nearest = cKDTree(curve).query(peaks.positions_zyx)
    inner = (nearest > 60) & (nearest < 540)
    assert distance[inner].max() < 0.35
    assert distance[inner].mean() < 0.1
    along = np.gradient(curve, axis=0)[nearest]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    cosine = np.abs(np.sum(along * peaks.optional["direction"], axis=1))[inner]
    assert np.degrees(np.arccos(cosine.min())) < 8
    assert cKDTree(peaks.positions_zyx).query(curve[60:540])[0].max() < 1.1


def test_a_disc_is_no_line():
    y, x = np.indices(SHAPE[1:])
    disc = (np.hypot(y - 50.2, x - 70.4) < 4).astype(np.float32)[None]
    found = find_lines(torch.from_numpy(disc), KERNEL, min_score=0.15).positions_zyx
    assert np.linalg.norm(found - (0, 50.2, 70.4), axis=1).max(initial=0) < 2


@pytest.mark.parametrize("centre", [(51.3, 70.6), (12.4, 139.5)], ids=["whole", "cut"])
def test_a_ring_gives_points_with_its_normals(centre):
    ring = arc(centre, 31.7, 0, 2 * np.pi)
    peaks = found_by(find_sheets, ring)

    offset = peaks.positions_zyx[:, 1:] - centre
    distance = np.linalg.norm(offset, axis=1)
    off = np.abs(distance - 31.7)
    assert off.max() < 0.7  # beside an edge of the image too
    assert off.mean() < 0.06
    outward = offset / distance[:, None]
    cosine = np.abs((outward * peaks.optional["direction"][:, 1:]).sum(axis=1))
    assert np.degrees(np.arccos(np.minimum(cosine, 1))).mean() < 3
    inside = ((ring > -0.5) & (ring < np.array(SHAPE) - 0.5)).all(axis=1)
    assert cKDTree(peaks.positions_zyx).query(ring[inside])[0].max() < 1.5
