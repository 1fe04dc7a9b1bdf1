"""From a probability and a tomogram to a vesicle's picks."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from etpicker_plugin.engine.picking.assemble import assemble
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks
from etpicker_plugin.engine.picking.sheets import find_sheets
from etpicker_plugin.engine.picking.vesicle_picks import assemble_vesicles
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SHAPE = (47, 71, 93)
LIPOSOME = Species("liposome", 400.0, 70.0, threshold=0.2, kind="vesicle")
TRUE = (((22.3, 30.1, 30.7), 18.0), ((25.1, 40.2, 70.4), 15.0))


def depths(centre, radius):
    grid = np.moveaxis(np.indices(SHAPE), 0, -1)
    return np.linalg.norm(grid - np.array(centre), axis=-1) - radius


def points(shift):
    """Return points of membranes that a network sees a little off, of channel 1."""
    probability = np.random.default_rng(1).uniform(0, 0.15, SHAPE)
    for centre, radius in TRUE:
        depth = np.abs(depths(np.array(centre) + shift, radius))
        probability = np.maximum(probability, 0.9 * (depth < 2))
    found = find_sheets(torch.from_numpy(probability).float(), 3, min_score=0.2)
    return replace(found, channels=np.ones(len(found), np.intp))


def tomogram():
    density = np.random.default_rng(2).normal(0, 0.5, SHAPE)
    for centre, radius in TRUE:
        for side in (-1.8, 1.8):
            depth = depths(centre, radius) - side
            density -= np.exp(-0.5 * (depth / 0.8) ** 2)
    return ArrayVolume(density.astype(np.float16))


@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.0), (0.8, -1.0, 0.7)])
def test_a_row_is_a_vesicle_refined_on_the_tomogram(shift):
    picks = assemble_vesicles(points(shift), LIPOSOME, tomogram(), voxel_size=10.0)

    assert picks.channels.tolist() == [1, 1]
    order = np.argsort(-picks.optional["radius"])
    np.testing.assert_allclose(picks.optional["radius"][order], [180, 150], atol=4)
    expected = [centre for centre, _ in TRUE]
    np.testing.assert_allclose(picks.positions_zyx[order], expected, atol=0.25)
    assert (picks.scores > 0.4).all()
    assert (picks.scores < 0.95).all()
    # Spheres: three half axes are the radius, and lie in no direction.
    half_axes, radii = picks.optional["half_axes"], picks.optional["radius"]
    np.testing.assert_array_equal(half_axes, np.repeat(radii[:, None], 3, axis=1))
    assert np.isnan(picks.optional["rotation"]).all()
    assert picks.optional["vesicle"].tolist() == ["liposome_1", "liposome_2"]
    assert (picks.optional["completeness"] > 0.9).all()
    assert (picks.optional["residual"] < 5).all()


@pytest.mark.parametrize(("faint", "found"), [(0.1, True), (0.06, False)])
def test_a_membrane_is_followed_where_it_is_faint(faint, found):
    """Of one vesicle a third is above the threshold of 0.2; of the other nothing is."""
    probability = np.zeros(SHAPE)
    for centre, radius in TRUE:
        probability[np.abs(depths(centre, radius)) < 2] = faint
    probability[:, :24] *= 0.9 / faint
    seen = find_sheets(torch.from_numpy(probability).float(), 3, min_score=0.05)

    picks = assemble_vesicles(seen, LIPOSOME, tomogram(), voxel_size=10.0)

    radii = np.sort(picks.optional["radius"])[::-1]
    np.testing.assert_allclose(radii, [180, 150] if found else [180], atol=4)
    if found:
        assert picks.scores[-1] < LIPOSOME.threshold


def test_a_vesicle_that_is_no_sphere_has_axes():
    """Half axes of 14, 16 and 19 voxels along z, y and x."""
    half_axes, centre = np.array([14.0, 16, 19]), np.array([23.2, 35.4, 45.6])
    own = (np.moveaxis(np.indices(SHAPE), 0, -1) - centre) / half_axes
    level = np.linalg.norm(own, axis=-1)
    depth = level * (level - 1) / np.linalg.norm(own / half_axes, axis=-1)
    seen = torch.from_numpy(0.9 * (abs(depth) < 2)).float()
    found = find_sheets(seen, 3, min_score=0.2)
    density = np.random.default_rng(2).normal(0, 0.3, SHAPE)
    for side in (-1.8, 1.8):
        density -= np.exp(-0.5 * ((depth - side) / 0.8) ** 2)

    picks = assemble_vesicles(
        found, LIPOSOME, ArrayVolume(density.astype(np.float16)), voxel_size=10.0
    )

    assert len(picks) == 1
    # The top and bottom are not looked at: there it is drawn towards a sphere.
    np.testing.assert_allclose(picks.optional["half_axes"], [[140, 160, 190]], atol=7)
    # a along z, b along y and c along x.
    np.testing.assert_allclose(
        np.abs(picks.optional["rotation"][0]), np.eye(3)[::-1], atol=0.15
    )


def test_no_points_are_no_picks():
    picks = assemble_vesicles(join_peaks([]), LIPOSOME, tomogram(), voxel_size=10.0)

    assert len(picks) == 0


def test_points_that_make_no_vesicle_are_no_picks():
    few = points((0.0, 0.0, 0.0)).select(np.arange(15))
    picks = assemble_vesicles(few, LIPOSOME, tomogram(), voxel_size=10.0)

    assert len(picks) == 0
    assert picks.optional["radius"].shape == (0,)


def test_assemble_puts_vesicles_beside_particles():
    particle = Peaks(
        positions_zyx=np.array([[5.0, 30, 8]]),
        scores=np.array([0.9]),
        channels=np.zeros(1, np.intp),
    )
    picks = assemble(
        join_peaks([points((0.0, 0.0, 0.0)), particle]),
        tomogram(),
        (Species("ribosome", 100.0, 80.0, threshold=0.3), LIPOSOME),
        image_shape_zyx=SHAPE,
        voxel_size=10.0,
        filaments={},
    )

    assert picks.channels.tolist() == [0, 1, 1]
    assert np.isnan(picks.optional["radius"][0])
    assert sorted(picks.optional["radius"][1:].round(-1)) == [150, 180]
    assert "direction" not in picks.optional


def test_a_centre_outside_the_image_s_own_voxels_is_left_out():
    """Working voxels of twice the size reach half a voxel further."""
    volume = replace(tomogram(), scale=2.0)
    (_, y, x) = TRUE[1][0]
    for width, kept in ((round(2 * x) - 1, 1), (round(2 * x) + 2, 2)):
        picks = assemble(
            points((0.0, 0.0, 0.0)),
            volume,
            (Species("ribosome", 100.0, 80.0, threshold=0.3), LIPOSOME),
            image_shape_zyx=(94, round(4 * y), width),
            voxel_size=10.0,
            filaments={},
        )

        assert len(picks) == kept
