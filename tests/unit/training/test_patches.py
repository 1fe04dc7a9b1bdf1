"""Patches: around particles, never of what is held out, replayed by the seed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from etpicker_plugin.engine.species import SizeVox
from etpicker_plugin.engine.training import patches
from etpicker_plugin.engine.training.augment import draw_augmentation
from etpicker_plugin.engine.training.patches import (
    PatchSampler,
    TrainingVolume,
    stream_batches,
)
from etpicker_plugin.engine.training.weak_labels import LabelSettings
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SIZE = 16
LABELS = LabelSettings(
    shape="ball", sizes=(SizeVox(diameter=8.0, label_diameter=5.0),) * 2, stride=2
)


def volume_with(
    shape, centres, channels, *, learnable=None, negatives=(), annotation="complete"
):
    """Noise of sd 0.05 with a dark blob of depth 4 at every centre."""
    image = np.random.default_rng(0).normal(0, 0.05, shape)
    offsets = np.indices(shape)
    for centre in centres:
        squared = sum((o - c) ** 2 for o, c in zip(offsets, centre, strict=True))
        image -= 4 * np.exp(-squared / 4)
    allowed = np.ones(shape, dtype=bool) if learnable is None else learnable
    return TrainingVolume(
        tomogram_id="TS_1",
        annotation=(annotation,) * 2,
        image=ArrayVolume(image.astype(np.float16)),
        learnable=ArrayVolume(allowed),
        positions_zyx=np.array(centres, float),
        channels=np.array(channels, np.intp),
        negatives_zyx=np.array(negatives, float).reshape(-1, 3),
    )


class WatchedVolume(ArrayVolume):
    """Voxels that tell the middle of the box which is read, and stop there."""

    def read(self, start, stop):
        raise Read((np.array(start) + stop) // 2)


class Read(Exception):
    """Where a patch would have been read."""


def centres_drawn(volume, steps):
    """Return the ``(steps, 3)`` voxels around which patches are cut, step by step."""
    watched = replace(volume, image=WatchedVolume(volume.image.data))
    sampler, centres = sampler_of(watched), []
    for step in range(steps):
        with pytest.raises(Read) as read:
            sampler.patch(step, 0)
        centres.append(read.value.args[0])
    return np.array(centres)


def sampler_of(*volumes, seed=0):
    return PatchSampler(list(volumes), patch_size=SIZE, labels=LABELS, seed=seed)


def test_labels_lie_on_the_dark_blobs():
    volume = volume_with((11, 40, 52), [(5, 12, 30), (6, 30, 14)], [0, 1])
    sampler = sampler_of(volume)
    compared = 0
    for step in range(40):
        image, target, weight = sampler.patch(step, 0)
        assert image.shape == (1, SIZE, SIZE, SIZE)
        assert target.shape == weight.shape == (2, 8, 8, 8)
        marked = (target.amax(0) > 0) & (weight[0] > 0)
        coarse = torch.nn.functional.avg_pool3d(image, 2)[0]
        if marked.sum() > 1:
            assert coarse[marked].mean() < coarse[~marked].mean() - 0.5
            compared += 1
    assert compared > 10


def test_both_classes_and_all_volumes_are_drawn():
    first = volume_with((20, 30, 40), [(9, 9, 9)] * 9, [0] * 9)
    second = volume_with((12, 25, 31), [(6, 12, 15)], [1])
    sampler = sampler_of(first, second)

    batch = sampler.batch(0, 60)

    seen = (batch.target.amax((2, 3, 4)) > 0).float().mean(0)
    assert batch.image.shape == (60, 1, SIZE, SIZE, SIZE)
    # Classes are drawn alike however many particles they have.
    assert 0.2 < float(seen[0]) < 0.7
    assert 0.2 < float(seen[1]) < 0.7


def test_held_out_and_outside_voxels_have_no_weight():
    learnable = np.ones((9, 32, 40), dtype=bool)
    learnable[:, :, 24:] = False
    volume = volume_with(
        (9, 32, 40), [(4, 16, 12), (4, 16, 30)], [0, 0], learnable=learnable
    )
    sampler = sampler_of(volume)

    _, target, weight = zip(*[sampler.patch(s, 0) for s in range(30)], strict=True)
    learnt = torch.stack(target) * torch.stack(weight)

    assert learnt.sum() > 0
    for one in weight:
        # 9 of 16 slices exist at most: the rest is outside, whatever the flips.
        assert (one[0].amax((1, 2)) > 0).sum() <= 6
    # No patch is cut around the held-out particle, nor around any held-out voxel.
    assert centres_drawn(volume, 300)[:, 2].max() < 24


def test_the_seed_replays_a_batch_and_another_does_not():
    volume = volume_with((11, 40, 52), [(5, 12, 30), (6, 30, 14)], [0, 1])
    first = sampler_of(volume).batch(3, 2)
    second = sampler_of(volume).batch(3, 2)
    other = sampler_of(volume, seed=1).batch(3, 2)

    assert torch.equal(first.image, second.image)
    assert torch.equal(first.target, second.target)
    assert not torch.equal(first.image, other.image)


def test_batches_come_in_order_from_any_step():
    volume = volume_with((11, 40, 52), [(5, 12, 30)], [0])
    sampler = sampler_of(volume)

    streamed = list(stream_batches(sampler, first_step=4, last_step=9, batch_size=1))

    assert len(streamed) == 5
    for step, batch in enumerate(streamed, start=4):
        again = sampler.batch(step, 1)
        # The number of threads changes the last bits of a Fourier transform.
        torch.testing.assert_close(batch.image, again.image, rtol=0, atol=1e-5)
        assert torch.equal(batch.target, again.target)


def test_negatives_are_drawn_as_often_as_particles_up_to_a_quarter():
    shape, centre = (11, 40, 52), (5, 12, 12)
    few = volume_with(shape, [centre] * 9, [0] * 9, negatives=[(5, 30, 44)])
    many = volume_with(shape, [centre], [0], negatives=[(5, 30, 44), (5, 31, 44)])

    def count(volume):
        """Return how many of 4000 draws lie where a jittered negative can."""
        away = np.abs(centres_drawn(volume, 4000) - (5, 30, 44)).max(axis=1)
        return np.count_nonzero(away <= SIZE / 4 + 1)

    # Of any places (a fifth), some 5 % lie there too: 11 * 11 * 12 of 11 * 40 * 52.
    by_chance = 4000 * 0.2 * 0.06
    assert abs(count(few) - 4000 * 0.8 * 0.1 - by_chance) < 80
    assert abs(count(many) - 4000 * 0.8 * 0.25 - by_chance) < 100


def test_a_negative_weighs_fully_where_the_annotation_is_sparse(monkeypatch):
    # Its particle is 26 voxels away: what is certain near it is the negative's doing.
    negative, shape = (6, 30, 44), (13, 42, 54)
    volume = volume_with(
        shape, [(6, 12, 12)], [0], negatives=[negative], annotation="sparse"
    )
    plain = draw_augmentation(np.random.default_rng(0), SIZE)
    unmoved = replace(plain, matrix=np.eye(3), exact=True)
    monkeypatch.setattr(patches, "draw_augmentation", lambda *_: unmoved)
    centres = centres_drawn(volume, 100)
    step = int(np.argmin(np.abs(centres - negative).max(axis=1)))

    _, target, weight = sampler_of(volume).patch(step, 0)

    # The middles of the output's voxels, which are two of the image's wide.
    first = np.reshape(centres[step] - SIZE // 2, (3, 1, 1, 1))
    middles = first + np.indices((8, 8, 8)) * 2 + 0.5
    away = np.sqrt(((middles - np.reshape(negative, (3, 1, 1, 1))) ** 2).sum(0))
    outside = ((middles < 0) | (middles > np.reshape(shape, (3, 1, 1, 1)) - 1)).any(0)
    expected = np.where(outside, 0.0, np.where(away <= 4.0, 1.0, 0.5))
    assert np.count_nonzero(expected == 1.0) > 10
    assert target.sum() == 0
    np.testing.assert_array_equal(weight.numpy(), np.stack([expected] * 2))


def test_held_out_negatives_are_not_drawn():
    learnable = np.ones((9, 32, 40), dtype=bool)
    learnable[:, :, 24:] = False
    volume = volume_with(
        (9, 32, 40),
        [(4, 5, 5)],
        [0],
        learnable=learnable,
        negatives=[(4, 8, 30), (4, 24, 16), (4, 50, 10)],
    )

    drawn = centres_drawn(volume, 600)

    # Those held out and outside can only be drawn jittered by up to 4 voxels.
    assert drawn[:, 2].max() < 24
    assert drawn[:, 1].max() < 46
    by_chance = 0.2 * 9 * 9 * 9 / (9 * 32 * 24)
    near = np.abs(drawn - (4, 24, 16)).max(axis=1) <= SIZE / 4
    assert near.mean() == pytest.approx(0.8 * 0.25 + by_chance, abs=0.05)


def test_negatives_change_no_draw_but_those_they_take():
    volume = volume_with((11, 40, 52), [(5, 12, 30)], [0])
    other = volume_with((11, 40, 52), [(5, 12, 30)], [0], negatives=[(5, 30, 5)])

    same = (centres_drawn(volume, 200) == centres_drawn(other, 200)).all(axis=1)

    assert 0.65 < same.mean() < 0.95


def test_a_mark_of_many_points_is_worth_a_few_where_it_may_be_learnt():
    learnable = np.ones((24, 20, 16), dtype=bool)
    learnable[:, :, 8:] = False
    places = [(z, 4, 4) for z in range(2, 9)] + [(z, 9, 12) for z in range(2, 9)]
    places += [(20, 9, 4), (20, 15, 4), (4, 14, 4), (9, 14, 4)]
    marks = np.array([0] * 7 + [1] * 7 + [2, 3, 4, 4])
    volume = volume_with((24, 20, 16), places, [0] * 18, learnable=learnable)

    # Four of the first seven, none of the next, two particles, both points of the last.
    assert replace(volume, marks=marks).count_marks() == 4 + 0 + 2 + 2
    assert volume.count_marks() == 7 + 4  # without it, each is its own
