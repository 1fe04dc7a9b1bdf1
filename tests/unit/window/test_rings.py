import numpy as np

from etpicker_plugin.window.drawing.rings import count_dashes, stamp_rings


def test_a_ring_has_its_radius_about_its_centre():
    alpha = np.zeros((41, 61), dtype=np.uint8)
    stamp_rings(alpha, np.array([[35.2, 14.0]]), np.array([9.0]), width_px=1.6)
    rows, columns = np.nonzero(alpha > 127)
    distances = np.hypot(rows - 14, columns - 35)
    assert distances.min() > 7.9
    assert distances.max() < 10.1
    assert alpha[14, 35 + 9] == alpha[14 - 9, 35] == 255
    assert alpha[14, 35] == 0


def test_rings_beyond_the_edge_are_cut_and_overlaps_stay_opaque():
    alpha = np.zeros((20, 30), dtype=np.uint8)
    centres = np.array([[0, 0], [29, 19], [-50, 5], [10, 10], [10, 10]])
    radii = np.array([6.0, 6.0, 3.0, 4.0, 4.0])
    stamp_rings(alpha, centres, radii, width_px=1.6)
    assert alpha[0, 6] == alpha[6, 0] == alpha[19, 23] == alpha[10, 14] == 255
    assert alpha[0, 20] == 0


def test_no_ring_changes_nothing():
    alpha = np.zeros((5, 7), dtype=np.uint8)
    stamp_rings(alpha, np.zeros((0, 2)), np.zeros(0), width_px=1.6)
    assert not alpha.any()


def test_a_dashed_ring_has_gaps_evenly_round_it():
    alpha = np.zeros((61, 71), dtype=np.uint8)
    stamp_rings(
        alpha, np.array([[35, 30]]), np.array([20.0]), width_px=1.6, dashed=True
    )
    angles = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    rows = np.rint(30 + 20 * np.sin(angles)).astype(int)
    columns = np.rint(35 + 20 * np.cos(angles)).astype(int)
    inked = alpha[rows, columns] > 0
    begun = int((inked & ~np.roll(inked, 1)).sum())
    assert begun == count_dashes(20.0) == 13  # 126 pixels round, 10 each.
    assert 0.55 < inked.mean() < 0.8
    assert count_dashes(1.0) == 6
