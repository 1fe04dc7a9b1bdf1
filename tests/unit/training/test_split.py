"""The held-out slab."""

import numpy as np

from etpicker_plugin.engine.training.split import Region, choose_held_out_slab


def test_the_fairest_slab_is_chosen():
    # Class 0: one of five at high x; class 1: one of five at high x. Elsewhere unfair.
    positions = np.array(
        [[5, y, x] for y, x in [(5, 5), (5, 30), (6, 50), (6, 20), (30, 90)]] * 2, float
    )
    channels = np.array([0] * 5 + [1] * 5)

    slab = choose_held_out_slab(
        (16, 64, 100), positions, channels, fraction=0.2, alignment=8
    )

    assert slab == Region((0, 0, 80), (16, 64, 100))
    assert slab.contains(positions).tolist() == [False] * 4 + [True] + [False] * 4 + [
        True
    ]


def test_slab_faces_lie_on_the_grid_and_z_is_never_cut():
    generator = np.random.default_rng(0)
    for shape in ((9, 61, 47), (16, 33, 80)):
        positions = generator.uniform(0, shape, (40, 3))
        slab = choose_held_out_slab(
            shape, positions, np.zeros(40, int), fraction=0.25, alignment=8
        )
        assert (slab.start[0], slab.stop[0]) == (0, shape[0])
        assert all(start % 8 == 0 for start in slab.start)
        share = slab.contains(positions).mean()
        assert 0.05 < share < 0.5


def test_a_box_holds_voxels_up_to_half_a_voxel_outside():
    region = Region((0, 8, 0), (4, 16, 5))

    inside = region.contains(
        np.array([[0, 7.5, 0], [0, 7.4, 0], [3.4, 15.4, 4.4], [0, 15.5, 0]], float)
    )

    assert inside.tolist() == [True, False, True, False]
