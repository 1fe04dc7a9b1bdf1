"""A tomogram of an annotation: its picks, which of them count, what lies over it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.columns import ColumnValues
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.volumes.region_mask import RegionMask
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.height_index import HeightIndex
from etpicker_plugin.window.document.journal import Journal
from etpicker_plugin.window.document.settings import Classes
from etpicker_plugin.window.document.sizes import Ids, largest_own, own_or
from etpicker_plugin.window.document.volume import VolumeFile

EVERY = slice(None)


@dataclass
class Document:
    """A tomogram with its picks and what may lie over it."""

    volume: VolumeFile
    journal: Journal
    other: Particles | None = None
    probability: VolumeFile | None = None
    mask: RegionMask | None = None
    heights: HeightIndex = field(init=False)
    other_heights: HeightIndex | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Have the picks found by slice."""
        self.heights = HeightIndex(self.annotation, self.annotation.moved)
        if self.other is not None:
            self.other_heights = HeightIndex(self.other)

    @property
    def name(self) -> str:
        """The tomogram's name."""
        return self.volume.tomogram_id

    @property
    def annotation(self) -> Annotation:
        """The picks."""
        return self.journal.annotation

    def radii_vox(self, classes: Classes, ids: Ids = EVERY) -> NDArray[np.float64]:
        """Return the picks' radii in voxels, ``(N,)``; a negative has the largest.

        A pick that has a radius of its own has that.
        """
        annotation = self.annotation
        table = [
            classes.largest_diameter() if n == NEGATIVE else classes[n].diameter_ang
            for n in annotation.class_names
        ]
        of_class = np.array(table or [0.0])[annotation.codes[ids]] / 2
        return own_or(of_class, annotation.optional, ids) / self.volume.voxel_size

    def other_radii_vox(self, classes: Classes, ids: Ids) -> NDArray[np.float64]:
        """Return the radii of the set compared with, in voxels, ``(N,)``."""
        names = self.other.class_names[ids].tolist()
        of_class = np.array([classes[name].diameter_ang for name in names], float) / 2
        return own_or(of_class, self.other.optional, ids) / self.volume.voxel_size

    def reach_vox(self, classes: Classes, optional: ColumnValues) -> float:
        """Return the largest radius, in voxels, of any pick with such columns."""
        reach = largest_own(optional, default=classes.largest_diameter() / 2)
        return reach / self.volume.voxel_size

    def shown(self, classes: Classes, ids: Ids = EVERY) -> NDArray[np.bool_]:
        """Return which picks count, ``(N,)``: not deleted, not below the threshold.

        What a person marked has no score and always counts.
        """
        annotation = self.annotation
        table = [classes[name].threshold for name in annotation.class_names]
        least = np.array(table or [0.0])[annotation.codes[ids]]
        return np.asarray(annotation.alive[ids] & ~(annotation.scores[ids] < least))

    def visible_classes(
        self, hidden: frozenset[str], ids: Ids = EVERY
    ) -> NDArray[np.bool_]:
        """Return which picks are of a class that is not hidden, ``(N,)``."""
        table = [name not in hidden for name in self.annotation.class_names]
        return np.array(table or [True])[self.annotation.codes[ids]]

    def visible(
        self, classes: Classes, hidden: frozenset[str], ids: Ids = EVERY
    ) -> NDArray[np.bool_]:
        """Return which picks count and are of a class that is not hidden, ``(N,)``."""
        return self.shown(classes, ids) & self.visible_classes(hidden, ids)
