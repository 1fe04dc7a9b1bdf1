"""What judged picks amount to."""

import numpy as np
import pytest

from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.split import Region
from etpicker_plugin.engine.training.validation import (
    JudgedPicks,
    ValidationPart,
    join_judged,
    judge_parts,
    mirrored,
    result_at,
)
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume


def judged(scores, hits, n_truth):
    return JudgedPicks(
        scores=np.array(scores, float), is_true=np.array(hits, bool), n_truth=n_truth
    )


def test_result_by_hand():
    picks = judged([0.9, 0.3, 0.8, 0.1], [1, 0, 1, 1], 4)

    result = result_at(picks, 0.2, f_alpha=2)

    assert result.precision == pytest.approx(2 / 3)
    assert result.recall == 0.5
    assert result.f1 == pytest.approx(4 / 7)
    # Best first: true, true, false, true, of four.
    assert result.average_precision == pytest.approx((1 + 1 + 3 / 4) / 4)
    assert result.f_alpha == pytest.approx(2 * (2 / 3) * 0.25 / (2 / 3 + 0.25))


def test_nothing_found_is_zero():
    assert result_at(judged([0.5], [0], 3), 0.3, f_alpha=3).f1 == 0.0
    nothing = result_at(judged([], [], 0), 0.3, f_alpha=3)
    assert (nothing.f_alpha, nothing.average_precision) == (0.0, 0.0)


def test_parts_are_pooled():
    pooled = join_judged([judged([0.9], [1], 2), judged([0.5, 0.1], [0, 1], 1)])

    assert pooled.n_truth == 3
    assert pooled.scores.tolist() == [0.9, 0.5, 0.1]
    assert pooled.is_true.tolist() == [True, False, True]


def test_a_mirrored_part_keeps_its_particles_on_their_voxels():
    shape, positions = (5, 7, 9), np.array([[1, 2, 3], [4, 6, 8], [0, 0, 7]])
    image, allowed = np.zeros(shape, np.float16), np.ones(shape, bool)
    image[tuple(positions.T)] = [1, 2, 3]
    allowed[0, 0, 0] = False
    part = ValidationPart(
        tomogram_id="TS_1",
        image=ArrayVolume(image),
        region=Region((0, 0, 2), (5, 3, 8)),
        allowed=ArrayVolume(allowed),
        positions_zyx=positions.astype(float),
        channels=np.zeros(3, int),
        annotation=("complete",),
    )

    for axes in ((0,), (1,), (2,), (0, 2)):
        flipped = mirrored(part, axes)
        index = flipped.positions_zyx.astype(int)
        assert flipped.image.data[tuple(index.T)].tolist() == [1, 2, 3]
        # The first and third lie in the region, before and after.
        assert flipped.region.contains(flipped.positions_zyx).tolist() == [1, 0, 1]
    assert not mirrored(part, (2,)).allowed.data[0, 0, 8]
    assert mirrored(part, (1,)).region == Region((0, 4, 2), (5, 7, 8))


def test_a_mirrored_part_off_the_networks_grid_is_judged():
    # Lengths that are no multiples of 8: the mirrored slab begins between the grid.
    shape = (13, 37, 43)
    image = np.random.default_rng(0).normal(size=shape).astype(np.float16)
    part = ValidationPart(
        tomogram_id="TS_1",
        image=ArrayVolume(image),
        region=Region((0, 0, 0), (13, 16, 43)),
        allowed=ArrayVolume(np.ones(shape, bool)),
        positions_zyx=np.array([[6.0, 15.0, 20.0], [6.0, 17.0, 20.0]]),
        channels=np.zeros(2, int),
        annotation=("complete",),
    )
    network = make_network("fast", 1, seed=0).eval()
    species = [Species(name="a", diameter_ang=60.0, label_diameter_ang=20.0)]

    (judged_there,) = judge_parts(
        network, [mirrored(part, (1,))], species, voxel_size=10.0
    )

    assert judged_there.n_truth == 1
    assert len(judged_there.scores) > 0
