"""Pieces cut out of tomograms: whole particles, the right voxels, nothing held out."""

from dataclasses import replace

import numpy as np
import pytest

from etpicker_plugin.engine.model.exemplars import size_in_bytes
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.training.keep import (
    EDGE,
    Provenance,
    adjoining_boxes,
    keep_exemplars,
    spread_boxes,
)
from etpicker_plugin.engine.training.patches import TrainingVolume
from etpicker_plugin.engine.training.split import Region
from etpicker_plugin.engine.training.validation import ValidationPart
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SHAPE = (25, 150, 210)
SPLIT = 120
FROM_LAB = Provenance(round=3, owner="lab", licence="CC0")


@pytest.fixture
def tomogram():
    """A ramp, so that a voxel tells where it is; held out from y = 120."""
    z, y, x = np.ogrid[tuple(slice(0, n) for n in SHAPE)]
    image = ((z + 3 * y + 7 * x) % 1024).astype(np.float16)
    generator = np.random.default_rng(1)
    positions = generator.uniform(0, 1, (60, 3)) * (np.array(SHAPE) - 1)
    channels = np.arange(60) % 2
    learnable = np.ones(SHAPE, bool)
    learnable[:, SPLIT:] = False
    volume = TrainingVolume(
        tomogram_id="TS_7",
        image=ArrayVolume(image),
        learnable=ArrayVolume(learnable),
        positions_zyx=positions,
        channels=channels,
        annotation=("complete", "unknown"),
    )
    part = ValidationPart(
        tomogram_id="TS_7",
        image=ArrayVolume(image),
        region=Region((0, SPLIT, 0), SHAPE),
        allowed=ArrayVolume(np.ones(SHAPE, bool)),
        positions_zyx=positions,
        channels=channels,
        annotation=("complete", "unknown"),
    )
    return volume, part


def keep(volume, part, *, budget=10**9, earlier=()):
    network = make_network("fast", 2).eval()
    return keep_exemplars(
        network,
        [volume],
        [part],
        classes=("a", "b"),
        provenance=FROM_LAB,
        earlier=earlier,
        budget=budget,
    )


def test_pieces_hold_the_voxels_and_centres_of_their_place(tomogram):
    volume, part = tomogram
    kept = keep(volume, part)

    assert {e.held_out for e in kept} == {True, False}
    for e in kept:
        start = np.array(e.origin_zyx)
        stop = start + e.image.shape
        box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        np.testing.assert_array_equal(e.image, volume.image.data[box])
        back = e.positions_zyx + start
        distance = np.linalg.norm(back[:, None] - volume.positions_zyx, axis=2)
        assert distance.min(axis=1).max() < 1e-3
        assert e.annotation == {"a": "complete"}
        assert (e.round, e.owner, e.licence) == (3, "lab", "CC0")


def test_negatives_stay_with_the_pieces_that_are_learnt(tomogram):
    volume, part = tomogram
    negatives = np.array([[3.25, 60.0, 100.5], [20.0, 90.0, 30.0], [9.0, 140.0, 9.0]])
    kept = keep(replace(volume, negatives_zyx=negatives), part)

    found = set()
    for e in kept:
        assert not (e.held_out and e.negatives_zyx)
        size = np.array(e.image.shape)
        for place in e.negatives_zyx:
            assert ((np.array(place) > -16) & (place < size + 16)).all()
            found.add(tuple((np.array(place) + e.origin_zyx).tolist()))
    # The third lies in what is held out, farther from what is learnt than it looks.
    assert found == {(3.25, 60.0, 100.5), (20.0, 90.0, 30.0)}


def test_what_is_learnt_and_what_is_held_out_stay_apart(tomogram):
    for e in keep(*tomogram):
        first = e.origin_zyx[1] + e.counted_start[1]
        last = e.origin_zyx[1] + e.counted_stop[1]
        if e.held_out:
            assert first >= SPLIT
            assert e.counted_start[1] % 8 == 0
        else:
            assert last <= SPLIT


def test_held_out_pieces_cover_the_region_once(tomogram):
    _, part = tomogram
    held_out = [e for e in keep(*tomogram) if e.held_out]
    inside = part.region.contains(part.positions_zyx)
    covered = np.zeros(SHAPE, int)
    for start, stop in adjoining_boxes(np.array([0, SPLIT, 0]), np.array(SHAPE)):
        covered[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] += 1

    assert (covered[:, SPLIT:] == 1).all()
    assert (covered[:, :SPLIT] == 0).all()
    assert len(held_out) == 3  # 25 x 30 x 210 voxels
    assert sum(sum(e.count().values()) for e in held_out) == inside.sum()


def test_every_particle_lies_well_inside_a_box(tomogram):
    positions = tomogram[0].positions_zyx
    low, high = np.zeros(3, np.intp), np.array(SHAPE)

    boxes = spread_boxes(positions, low, high)

    assert len(boxes) < len(positions) / 2
    for position in positions:
        margins = [
            np.minimum(
                np.where(start > low, position - start, EDGE),
                np.where(stop < high, stop - 1 - position, EDGE),
            ).min()
            for start, stop in boxes
            if ((position >= start - 0.5) & (position < stop)).all()
        ]
        assert max(margins) >= 16


def test_voxels_outside_a_mask_are_not_kept(tomogram):
    volume, part = tomogram
    volume.learnable.data[:, :, :105] = False

    learnt = [e for e in keep(volume, part) if not e.held_out]

    assert learnt
    for e in learnt:
        assert e.origin_zyx[2] + e.image.shape[2] > 105
        assert np.isnan(e.image).sum() == (
            e.image[:, :, : max(105 - e.origin_zyx[2], 0)].size
        )


def test_the_memory_does_not_grow_over_ten_rounds(tomogram):
    volume, part = tomogram
    budget, memory, rounds = 2_000_000, [], []
    for number in range(10):
        provenance = Provenance(round=number, owner="lab", licence="")
        memory = keep_exemplars(
            make_network("fast", 2).eval(),
            [volume],
            [part],
            classes=("a", "b"),
            provenance=provenance,
            earlier=memory,
            budget=budget,
        )
        rounds.append({e.round for e in memory})
        assert size_in_bytes(memory) <= budget
        assert {e.held_out for e in memory} == {True, False}
    assert rounds[0] == {0}
    assert len(rounds[-1]) > 1
    assert size_in_bytes(memory) > budget / 2
