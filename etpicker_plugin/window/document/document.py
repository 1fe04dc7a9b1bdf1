"""A tomogram of an annotation: its picks, which of them count, what lies over it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.columns import FILAMENT, VESICLE, ColumnValues
from etpicker_plugin.engine.kinds import VESICLE as VESICLE_KIND
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.volumes.region_mask import RegionMask
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.filament_points import (
    FilamentPoints,
    filament_points,
    filament_scores,
)
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
    _filaments: dict[str, FilamentPoints] = field(init=False, default_factory=dict)
    _judged: NDArray[np.float64] | None = field(init=False, default=None)
    _made_for: tuple[object, ...] = field(init=False, default=())

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

    def filaments(self, classes: Classes) -> dict[str, FilamentPoints]:
        """Return the filaments by their ids, whether they count or not."""
        self._look_again(classes)
        return self._filaments

    def on_filament(self, classes: Classes, ids: Ids = EVERY) -> NDArray[np.bool_]:
        """Return which picks are points of filaments, ``(N,)``."""
        on = np.zeros(len(self.annotation), dtype=bool)
        for filament in self.filaments(classes).values():
            on[filament.ids] = True
        return on[ids]

    def filament_of(self, pick: int | None, classes: Classes) -> str | None:
        """Return the id of the filament that a pick is a point of, if it is."""
        if pick is None or not self.on_filament(classes)[pick]:
            return None
        return str(self.annotation.optional[FILAMENT.name][pick])

    def judged_scores(self, classes: Classes) -> NDArray[np.float64]:
        """Return ``(N,)`` scores to judge by: all points of a filament have one."""
        self._look_again(classes)
        return self.annotation.scores if self._judged is None else self._judged

    def _look_again(self, classes: Classes) -> None:
        """Find the filaments anew, if picks or kinds have changed."""
        kinds = tuple(classes.kind_of(n) for n in self.annotation.class_names)
        made_for = (self.annotation.revision, kinds)
        if made_for != self._made_for:
            found = filament_points(self.annotation, classes)
            self._filaments, self._made_for = found, made_for
            self._judged = filament_scores(self.annotation, found) if found else None

    def things(self, classes: Classes, name: str) -> NDArray[np.intp]:
        """Return a pick for each thing of a class.

        Of a filament it is the middle point, of a vesicle's points the first.
        """
        ids = self.annotation.ids_of(name)
        named = self.annotation.optional.get(VESICLE.name)
        if named is not None and classes.kind_of(name) == VESICLE_KIND:
            names = named[ids]
            _, first = np.unique(names, return_index=True)
            is_first = np.zeros(len(ids), dtype=bool)
            is_first[first] = True
            return ids[is_first | (names == VESICLE.missing)]
        filaments = self.filaments(classes).values()
        points = [f.ids for f in filaments]
        middles = [f.middle for f in filaments if f.class_name == name]
        if not points:
            return ids
        alone = np.setdiff1d(ids, np.concatenate(points))
        return np.union1d(alone, np.array(middles, dtype=np.intp))

    def unfinished(self, classes: Classes) -> NDArray[np.intp]:
        """Return the picks that are a filament's only point: they make no curve."""
        filaments = self.filaments(classes).values()
        alone = [f.ids for f in filaments if len(f.ids) == 1]
        return np.concatenate(alone) if alone else np.zeros(0, dtype=np.intp)

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

    def diameter_of(self, pick: int, classes: Classes) -> float:
        """Return the diameter of a pick in Å, its own if it has one."""
        radius = float(self.radii_vox(classes, np.array([pick]))[0])
        return 2 * radius * self.volume.voxel_size

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

        What a person marked has no score and always counts; a filament counts as a
        whole.
        """
        annotation = self.annotation
        table = [classes[name].threshold for name in annotation.class_names]
        least = np.array(table or [0.0])[annotation.codes[ids]]
        scores = self.judged_scores(classes)[ids]
        return np.asarray(annotation.alive[ids] & ~(scores < least))

    def saved(self, classes: Classes) -> NDArray[np.bool_]:
        """Return which picks are written, ``(N,)``: that count, and make curves."""
        kept = self.shown(classes)
        kept[self.unfinished(classes)] = False
        return kept

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
