"""The outputs of picking: coordinates, probability maps and failed tomograms."""

from enum import Enum
from functools import partial

from etpicker_plugin.protocols.class_sets import kind_of, numbered, split_groups
from etpicker_plugin.protocols.growing_outputs import grow_set
from tomo.objects import (
    SetOfCoordinates3D,
    SetOfMeshes,
    SetOfTomograms,
    SetOfTomoMasks,
)

from etpicker_plugin.convert import (
    append_particles,
    create_coordinates,
    even_box,
    make_mask,
)
from etpicker_plugin.convert_surfaces import append_surfaces, create_meshes
from etpicker_plugin.engine.formats.coordinates_csv import read_csv

INSTANCE_MASKS = "InstanceMasks"
"""Output beside those below: an enumeration has one name for each value."""


class PickOutputs(Enum):
    Coordinates3D = SetOfCoordinates3D
    Meshes = SetOfMeshes
    ProbabilityMaps = SetOfTomoMasks
    FailedTomograms = SetOfTomograms


class GrowingPicks:
    """Outputs that grow with the engine's files: a mixin for the pick protocol."""

    def _register(self):
        """Add to the outputs what is picked, or failed, and not in them yet."""
        with self._lock:
            known = set(self._images())
            picked = sorted(known & self.getPicked())
            failed = sorted(known & set(self.getFailures()))
            if picked:
                self._growCoordinates(picked)
            if picked and self.probabilityMap.get():
                self._growProbabilityMaps(picked)
            if picked:
                self._growMeshes(picked)
            if picked and self.instanceMasks.get():
                create = partial(self._createMasks, "instances", "", "instances")
                self._grow(INSTANCE_MASKS, create, picked, self._appendInstances)
            if failed:
                self._growFailed(failed)

    def _growCoordinates(self, ts_ids):
        """Grow one set per class, or one for all particles."""
        diameters, rate, kinds = self.getDiameters(), self._rate(), self.getKinds()
        parts = split_groups(self.getGroups(), self.outputSets.get(), kinds)
        for number, groups in enumerate(parts, 1):
            boxes = [
                self.boxSize.get() or even_box(diameters[name], rate) for name in groups
            ]
            self._grow(
                numbered(PickOutputs.Coordinates3D.name, number),
                partial(
                    create_coordinates,
                    self._getPath(),
                    numbered("", number),
                    precedents=self.inputTomograms,
                    sampling_rate=rate,
                    box_size=max(boxes),
                    label=", ".join(groups),
                    kind=kind_of(groups, kinds),
                    diameters={name: diameters[name] for name in groups},
                ),
                ts_ids,
                partial(self._appendPicks, groups=groups),
            )

    def _appendPicks(self, coordinates, ts_id, *, groups):
        picks = read_csv(self.getPicksFile(ts_id), tomogram_id=ts_id)
        append_particles(coordinates, self._images()[ts_id], picks, groups=groups)

    def _growProbabilityMaps(self, ts_ids):
        for number, name in enumerate(self.getGroups(), 1):
            self._grow(
                numbered(PickOutputs.ProbabilityMaps.name, number),
                partial(
                    self._createMasks,
                    "probability",
                    numbered("", number),
                    f"{name} probability",
                ),
                ts_ids,
                partial(self._appendMap, class_name=name),
            )

    def _createMasks(self, prefix, suffix, label):
        maps = SetOfTomoMasks.create(self._getPath(), prefix=prefix, suffix=suffix)
        maps.copyInfo(self.inputTomograms.get())
        maps.setObjLabel(label)
        return maps

    def _appendMap(self, maps, ts_id, *, class_name):
        path = self.getPicksFolder() / f"{ts_id}_{class_name}_probability.mrc"
        maps.append(make_mask(self._images()[ts_id], path))

    def _appendInstances(self, masks, ts_id):
        path = self.getPicksFolder() / f"{ts_id}_instances.mrc"
        masks.append(make_mask(self._images()[ts_id], path))

    def _growMeshes(self, ts_ids):
        """Grow a set of points on membranes for each class that has a step."""
        groups, rate = self.getGroups(), self._rate()
        for number, (name, step) in enumerate(self.getSurfaceSteps().items(), 1):
            if name not in groups:
                continue
            self._grow(
                numbered(PickOutputs.Meshes.name, number),
                partial(
                    create_meshes,
                    self._getPath(),
                    numbered("", number),
                    precedents=self.inputTomograms,
                    sampling_rate=rate,
                    box_size=even_box(2 * step, rate),
                    label=name,
                ),
                ts_ids,
                partial(self._appendSurfaces, class_name=name),
            )

    def _appendSurfaces(self, meshes, ts_id, *, class_name):
        picks = read_csv(self.getPicksFile(ts_id), tomogram_id=ts_id)
        points = read_csv(self.getSurfaceFile(ts_id), tomogram_id=ts_id)
        append_surfaces(
            meshes,
            self._images()[ts_id],
            picks.of_class(class_name),
            points.of_class(class_name),
        )

    def _growFailed(self, ts_ids):
        self._grow(
            PickOutputs.FailedTomograms.name, self._createFailed, ts_ids, self._append
        )

    def _createFailed(self):
        failed = SetOfTomograms.create(self._getPath(), prefix="failed")
        failed.copyInfo(self.inputTomograms.get())
        return failed

    def _append(self, tomograms, ts_id):
        tomograms.append(self._images()[ts_id].clone())

    def _grow(self, name, create, ts_ids, append):
        sources = (self.inputTomograms, self.inputModel)
        grow_set(self, name, create, ts_ids, append, sources=sources)
