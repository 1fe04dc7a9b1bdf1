"""A tomogram that is picked live: its working volume, and its features."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray, along_axes
from etpicker_plugin.engine.config.live import LiveConfig
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.fewshot.features import draw_usual
from etpicker_plugin.engine.fewshot.fill import fill, open_store
from etpicker_plugin.engine.fewshot.store import FeatureStore, Made, rows_at
from etpicker_plugin.engine.live.base import Base
from etpicker_plugin.engine.volumes.region_mask import RegionMask, open_mask
from etpicker_plugin.engine.volumes.tomogram import Tomogram, read_tomogram
from etpicker_plugin.engine.volumes.working_volume import (
    WorkingVolume,
    open_working_volume,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a tomogram is found, and what is known of it."""

    name: str
    path: str
    voxel_size: float | None = None
    mask: str | None = None

    def open(self) -> Tomogram:
        """Open it without reading its voxels.

        Raises
        ------
        InputDataError
            If it cannot be used.
        """
        return read_tomogram(
            self.path, self.voxel_size, trust_voxel_size=self.voxel_size is not None
        )


def sources_of(config: LiveConfig) -> dict[str, Source]:
    """Return the tomograms of a command, by name."""
    sizes = config.voxel_size or (None,) * len(config.tomogram)
    masks = config.mask or (None,) * len(config.tomogram)
    given = zip(config.names(), config.tomogram, sizes, masks, strict=True)
    return {
        name: Source(name=name, path=path, voxel_size=size, mask=mask)
        for name, path, size, mask in given
    }


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A tomogram at a working voxel size, with its features as far as they are made.

    Attributes
    ----------
    usual
        ``(N, 3)``, the output voxels that tell what is usual in it.
    usual_features
        ``(N, F)`` of these, once all are there.
    """

    name: str
    sha256: str
    volume: WorkingVolume
    mask: RegionMask | None
    store: FeatureStore
    usual: NDArray[np.intp]
    usual_features: list[FloatArray] = field(default_factory=list)

    def fill(self, base: Base, z: float | None) -> Iterator[None]:
        """Compute what is missing, around a plane of the tomogram first."""
        first = None if z is None else planes_beside(self, z)
        return fill(self.store, base.ready, self.volume, first=first)

    def usual_so_far(self) -> FloatArray:
        """Return the features of usual places, ``(N, F)``, where they are made."""
        if self.usual_features:
            return self.usual_features[0]
        done = self.store.finished_planes()
        found = rows_at(self.store, self.usual[done[self.usual[:, 0]]])
        if done.all():
            self.usual_features.append(found)
        return found


AROUND_VOX = 24
"""Working voxels above and below the plane looked at that are wanted first."""


def planes_beside(scene: Scene, z: float) -> tuple[int, int]:
    """Return the working planes ``[start, stop)`` around a plane of the tomogram."""
    middle = int(np.clip(z / scene.volume.scale, 0, scene.volume.shape_zyx[0] - 1))
    return max(middle - AROUND_VOX, 0), middle + AROUND_VOX


def open_scene(
    source: Source,
    tomogram: Tomogram,
    base: Base,
    working_voxel_size: float,
    *,
    folder: Path,
    seed: int,
) -> Scene:
    """Open a tomogram at a working voxel size, with the features that are made.

    Raises
    ------
    InputDataError, ResourceError
        If it cannot be used, is not the one whose features are there, or there is no
        room for them.
    """
    if tomogram.file is None:
        raise InputDataError(
            f"Tomogram {source.path}: it cannot be read piece by piece."
        )
    mask = open_mask(source.mask, tomogram.shape_zyx) if source.mask else None
    sha256 = tomogram.file.sha256()
    volume = open_working_volume(tomogram, working_voxel_size)
    store = open_store(
        base.ready,
        volume.shape_zyx,
        path=folder / f"{source.name}_{working_voxel_size:.3f}A.features",
        made=Made(
            tomogram_sha256=sha256,
            weights=base.weights,
            working_voxel_size=working_voxel_size,
            shape_zyx=volume.shape_zyx,
        ),
    )
    allowed = allowed_at_output(volume, mask, store.stride)
    return Scene(
        name=source.name,
        sha256=sha256,
        volume=volume,
        mask=mask,
        store=store,
        usual=draw_usual(allowed, np.random.default_rng(seed)),
    )


def allowed_at_output(
    volume: WorkingVolume, mask: RegionMask | None, stride: int
) -> NDArray[np.bool_]:
    """Return which output voxels, ``(z, y, x)``, lie in the volume and the mask."""
    steps = along_axes(stride, volume.shape_zyx)
    shape = tuple(-(-n // s) for n, s in zip(volume.shape_zyx, steps, strict=True))
    if mask is None:
        return np.ones(shape, dtype=bool)
    axes = [
        np.minimum(np.round(np.arange(n) * step * volume.scale).astype(int), m - 1)
        for n, m, step in zip(shape, mask.shape_zyx, steps, strict=True)
    ]
    return np.asarray(mask.read_whole()[np.ix_(*axes)])
