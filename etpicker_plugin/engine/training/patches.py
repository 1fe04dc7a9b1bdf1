"""Training patches: around particles, and of background, from many tomograms."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from etpicker_plugin.engine.annotation import COMPLETE, SPARSE, UNKNOWN
from etpicker_plugin.engine.arrays import along_axes
from etpicker_plugin.engine.device import own_cores
from etpicker_plugin.engine.training.augment import (
    Augmentation,
    change_intensity,
    draw_augmentation,
    draw_flat_augmentation,
    move_image,
    move_positions,
    source_margin,
)
from etpicker_plugin.engine.training.weak_labels import (
    LabelSettings,
    paint_labels,
    weigh_negatives,
)
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

UNMARKED_WEIGHT = {COMPLETE: 1.0, SPARSE: 0.5, UNKNOWN: 0.1}
"""What a voxel that nobody marked weighs, by how its class was annotated. With sparse
annotation most are background all the same, and membranes and beads are learnt from
nowhere else. Unknown: nobody looked for this class in this tomogram."""

BACKGROUND_SHARE = 0.2
MOST_NEGATIVES = 0.25
"""Of the patches around marks: a negative is drawn as often as a particle, but a
hundred of them do not drown ten particles."""

MOST_OF_ONE = 4
"""Particles that a filament or a vesicle is worth: all along it looks alike, but not
from all sides."""

FEWEST_AHEAD = 2
CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class TrainingVolume:
    """One tomogram to learn from, at the working voxel size.

    Attributes
    ----------
    tomogram_id
        Its name.
    image
        Normalised voxels.
    learnable
        True where the loss may look: inside the region mask, outside held-out parts.
    positions_zyx, channels
        ``(N, 3)`` centres and ``(N,)`` class indices; all of them, so that a
        held-out particle at the border is not taught as background.
    annotation
        ``(C,)`` how each class was annotated: complete, sparse or unknown.
    negatives_zyx
        ``(M, 3)`` places that hold no particle of the classes annotated.
    marks
        ``(N,)`` which mark each position is of: those along a filament are one's. Each
        is its own without it.
    """

    tomogram_id: str
    image: ArrayVolume
    learnable: ArrayVolume
    positions_zyx: NDArray[np.float64]
    channels: NDArray[np.intp]
    annotation: tuple[str, ...]
    negatives_zyx: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    marks: NDArray[np.intp] | None = None

    def annotated_channels(self) -> list[int]:
        """Return the classes that a person looked for."""
        return [i for i, kind in enumerate(self.annotation) if kind != UNKNOWN]

    def can_learn_at(self, position_zyx: NDArray[np.float64]) -> bool:
        """Tell whether the voxel at ``(3,)`` zyx exists and may be learnt from."""
        index = np.round(position_zyx).astype(int)
        inside = (index >= 0).all() and (index < self.image.shape_zyx).all()
        return bool(inside and self.learnable.data[tuple(index)])

    def count_marks(self) -> int:
        """Return how many particles the marks are worth, where they may be learnt."""
        learnt = [self.can_learn_at(position) for position in self.positions_zyx]
        marks = np.arange(len(learnt)) if self.marks is None else self.marks
        points = np.bincount(marks[np.array(learnt, dtype=bool)])
        return int(np.minimum(points, MOST_OF_ONE).sum())


@dataclass(frozen=True)
class Batch:
    """Images ``(B, 1, P, P, P)``; target and weight ``(B, C, P/s, P/s, P/s)``.

    Of micrographs, ``(B, 1, 1, P, P)`` and ``(B, C, 1, P/s, P/s)``.
    ``replayed`` (B,) tells which are of exemplars, kept from earlier training.
    """

    image: Tensor
    target: Tensor
    weight: Tensor
    replayed: Tensor


class BatchSource(Protocol):
    """Makes the batch of a step, the same one whenever it is asked again."""

    def batch(self, step: int, size: int) -> Batch:
        """Return the batch of one step."""


class PatchSampler:
    """Draws patches; the same seed, step and place in the batch give the same one.

    ``device`` is where they are augmented: a GPU takes a batch faster than one core
    can turn and blur it. The noise of one seed differs between kinds of device.
    """

    def __init__(
        self,
        volumes: list[TrainingVolume],
        *,
        patch_size: int,
        labels: LabelSettings,
        seed: int,
        device: torch.device = CPU,
    ) -> None:
        self._volumes = volumes
        self._size = patch_size
        self._shape = along_axes(patch_size, volumes[0].image.shape_zyx)
        self._is_flat = self._shape[0] == 1
        self._labels = labels
        self._seed = seed
        self._device = device
        self._centres = _centres_by_class(volumes)
        self._negatives = [
            (which, position)
            for which, volume in enumerate(volumes)
            for position in volume.negatives_zyx
            if volume.can_learn_at(position)
        ]
        marks = len(self._negatives) + sum(len(c) for c in self._centres)
        negatives = min(len(self._negatives) / max(marks, 1), MOST_NEGATIVES)
        self._not_particles = BACKGROUND_SHARE + (1 - BACKGROUND_SHARE) * negatives

    def batch(self, step: int, size: int) -> Batch:
        """Return the batch of one step."""
        patches = [self.patch(step, place) for place in range(size)]
        images, targets, weights = zip(*patches, strict=True)
        return Batch(
            torch.stack(images),
            torch.stack(targets),
            torch.stack(weights),
            torch.zeros(size, dtype=torch.bool),
        )

    def patch(self, step: int, place: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return one patch: image, target and weight, each with its channels."""
        generator = np.random.default_rng([self._seed, step, place])
        volume, centre = self._draw_centre(generator)
        draw = draw_flat_augmentation if self._is_flat else draw_augmentation
        return self._cut(volume, centre, draw(generator, self._size))

    def _draw_centre(
        self, generator: np.random.Generator
    ) -> tuple[TrainingVolume, NDArray[np.int64]]:
        """Draw any place, a negative, or a class and one of its particles, jittered."""
        share = generator.random()
        if share < BACKGROUND_SHARE:
            volume = self._volumes[generator.integers(len(self._volumes))]
            return volume, _draw_learnable_voxel(volume, generator)
        if share < self._not_particles:
            places = self._negatives
        else:
            places = self._centres[generator.integers(len(self._centres))]
        which, position = places[generator.integers(len(places))]
        jitter = generator.uniform(-self._size / 4, self._size / 4, 3)
        if self._is_flat:
            jitter[0] = 0.0
        return self._volumes[which], np.round(position + jitter).astype(np.int64)

    def _cut(
        self,
        volume: TrainingVolume,
        centre: NDArray[np.int64],
        augmentation: Augmentation,
    ) -> tuple[Tensor, Tensor, Tensor]:
        size, shape = self._size, np.array(self._shape)
        margin = source_margin(augmentation, size) * (shape > 1)
        start = centre - shape // 2
        outer = tuple(start - margin), tuple(start + shape + margin)
        sources = np.stack([volume.image.read(*outer), volume.learnable.read(*outer)])
        placed = torch.from_numpy(sources).to(self._device)
        image, learnable = move_image(placed, augmentation, size)
        target, weight = paint_labels(
            self._shape,
            move_positions(volume.positions_zyx - start, augmentation, size),
            volume.channels,
            settings=self._labels,
            unmarked_weights=[UNMARKED_WEIGHT[kind] for kind in volume.annotation],
        )
        weigh_negatives(
            weight,
            move_positions(volume.negatives_zyx - start, augmentation, size),
            settings=self._labels,
            channels=volume.annotated_channels(),
        )
        strides = along_axes(self._labels.stride, self._shape)
        seen = nn.functional.avg_pool3d(learnable[None], strides) > 0.5
        image = change_intensity(image, augmentation)[None]
        placed_target = torch.from_numpy(target).to(self._device)
        return image, placed_target, torch.from_numpy(weight).to(self._device) * seen


def stream_batches(
    source: BatchSource, *, first_step: int, last_step: int, batch_size: int
) -> Iterator[Batch]:
    """Yield the batches of the steps, made ahead in other threads of one core each.

    By as many as half of the cores: a GPU takes a batch faster than one core makes it.
    """
    most_ahead = max(FEWEST_AHEAD, own_cores() // 2)
    with ThreadPoolExecutor(
        max_workers=most_ahead, initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        ahead: list[Future[Batch]] = []
        for step in range(first_step, last_step):
            ahead.append(pool.submit(source.batch, step, batch_size))
            if len(ahead) > most_ahead:
                yield ahead.pop(0).result()
        for future in ahead:
            yield future.result()


def _centres_by_class(
    volumes: list[TrainingVolume],
) -> list[list[tuple[int, NDArray[np.float64]]]]:
    """Return, for each class that has any, its learnable centres: volume, position."""
    by_class: dict[int, list[tuple[int, NDArray[np.float64]]]] = {}
    for which, volume in enumerate(volumes):
        for position, channel in zip(
            volume.positions_zyx, volume.channels.tolist(), strict=True
        ):
            if volume.can_learn_at(position):
                by_class.setdefault(channel, []).append((which, position))
    return [by_class[channel] for channel in sorted(by_class)]


def _draw_learnable_voxel(
    volume: TrainingVolume, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw a voxel that may be learnt from; any voxel if twenty draws find none."""
    shape = volume.image.shape_zyx
    for _ in range(20):
        voxel = generator.integers(shape)
        if volume.learnable.data[tuple(voxel)]:
            break
    return np.asarray(voxel, dtype=np.int64)
