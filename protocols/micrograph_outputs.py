"""The outputs of picking micrographs, as those who extract particles want them."""

from enum import Enum
from functools import partial

from etpicker_plugin.protocols.class_sets import numbered
from etpicker_plugin.protocols.growing_outputs import grow_set
from pwem.objects import SetOfCoordinates, SetOfMicrographs
from pyworkflow.object import Integer

from etpicker_plugin.convert import even_box
from etpicker_plugin.convert_micrograph_picks import (
    append_micrograph_picks,
    create_micrograph_coordinates,
)
from etpicker_plugin.engine.formats.coordinates_csv import read_csv


class MicrographOutputs(Enum):
    """``boxsize``, as other pickers call it, is what forms of extraction point to."""

    outputCoordinates = SetOfCoordinates
    boxsize = Integer
    FailedMicrographs = SetOfMicrographs


class GrowingMicrographPicks:
    """Outputs that grow with the engine's files: a mixin for picking micrographs."""

    def _register(self):
        """Add to the outputs what is picked, or failed, and not in them yet."""
        with self._lock:
            known = set(self._images())
            picked = sorted(known & self.getPicked())
            failed = sorted(known & set(self.getFailures()))
            if picked:
                self._growCoordinates(picked)
            if failed:
                self._grow(self.FAILED, self._createFailed, failed, self._appendFailed)

    def _growCoordinates(self, names):
        """Grow a set for each class, and say its box."""
        diameters, kinds, rate = self.getDiameters(), self.getKinds(), self._rate()
        for number, name in enumerate(self.getGroups(), 1):
            box = self.boxSize.get() or even_box(diameters[name], rate)
            self._grow(
                numbered(MicrographOutputs.outputCoordinates.name, number),
                partial(
                    create_micrograph_coordinates,
                    self._getPath(),
                    numbered("", number),
                    micrographs=self.inputMicrographs,
                    box_size=box,
                    label=name,
                    kind=kinds[name],
                    diameters={name: diameters[name]},
                ),
                names,
                partial(self._appendPicks, class_name=name),
            )
            box_name = numbered(MicrographOutputs.boxsize.name, number)
            if not hasattr(self, box_name):
                self._defineOutputs(**{box_name: Integer(box)})

    def _appendPicks(self, coordinates, name, *, class_name):
        picks = read_csv(self.getPicksFile(name), tomogram_id=name, flat=True)
        append_micrograph_picks(
            coordinates, self._images()[name], picks, classes=[class_name]
        )

    def _createFailed(self):
        failed = SetOfMicrographs.create(self._getPath(), prefix="failed")
        failed.copyInfo(self.inputMicrographs.get())
        return failed

    def _appendFailed(self, micrographs, name):
        micrographs.append(self._images()[name].clone())

    def _grow(self, output, create, names, append):
        sources = (self.inputMicrographs, self.inputModel)
        grow_set(
            self, output, create, names, append, sources=sources, held=self._namesIn
        )

    def _namesIn(self, output):
        """Return the names of the micrographs of which a set holds an item."""
        held = set(output.getUniqueValues("_micName"))
        return {n for n, item in self._images().items() if item.getMicName() in held}
