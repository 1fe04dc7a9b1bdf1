"""What is picked: images that are there or arrive, and what became of each."""

import os
from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.arriving_input import refresh_set
from etpicker_plugin.protocols.words import in_form_words

from etpicker_plugin.convert import link_tomogram, tomogram_link, tomograms_by_id
from etpicker_plugin.engine.picking.failures import read_failures

LEAST_STREAMING_THREADS = 3
"""Scipion's own thread, the one that watches the input, and one that picks."""


class PickedImages:
    """The input of picking: a mixin.

    The protocol says what it picks: ``IMAGE``, what one is called, ``imagesPointer``,
    ``_perJob`` and ``_configFor``.
    """

    IMAGE = "tomogram"
    FAILED = "FailedTomograms"
    """The output of those that could not be picked; tried again on 'Continue'."""

    # --------------------------- input ----------------------------------------
    def _images(self):
        """Return the input's images by name, read once, and again while it is open."""
        if getattr(self, "_imagesRead", None) is None:
            self._remember("_imagesRead", self._readImages())
        return self._imagesRead

    def _readImages(self):
        return tomograms_by_id(self.imagesPointer().get())

    def _rate(self):
        return self.imagesPointer().get().getSamplingRate()

    def _refreshInput(self):
        """Read again what the protocols before this one have written meanwhile."""
        for item in self._inputSets():
            refresh_set(self.getProject(), item)

    def isInputOpen(self):
        """Return whether more may come."""
        return any(item.isStreamOpen() for item in self._inputSets())

    def _inputSets(self):
        """Return the sets that may still grow."""
        return [self.imagesPointer().get()]

    # --------------------------- checks ---------------------------------------
    def _checkStreaming(self):
        """Refuse too few threads to watch the input and to pick."""
        least, given = LEAST_STREAMING_THREADS, self.numberOfThreads.get()
        if not self.isInputOpen() or given >= least:
            return []
        return [
            f"The {self.IMAGE}s are still arriving, and one Scipion thread watches "
            f"them: set at least {least} threads, not {given}."
        ]

    def _headerFaults(self):
        """Return what the engine would leave images out for."""
        return checks.check_headers(self._images(), trusted=self.trustVoxelSize.get())

    def _warnings(self):
        return [
            *(f"Will be left out: {fault}" for fault in self._headerFaults()),
            *checks.warn_idle_gpus(self, watching=int(self.isInputOpen())),
        ]

    def _failedLines(self):
        """Return what the summary says of images that could not be picked."""
        return [f"Failed: {k}. {said}" for k, said in self.getFailures().items()]

    def _notLeftOut(self, images):
        """Leave out what a run, while its input was open, has refused by name."""
        failures = self.getFailures()
        return {n: item for n, item in images.items() if n not in failures}

    # --------------------------- results --------------------------------------
    def _unsettled(self, names):
        """Return those that are neither picked nor failed, in their order."""
        settled = self.getPicked() | set(self.getFailures())
        return [name for name in names if name not in settled]

    def getPicked(self):
        """Return the names of what is picked."""
        return {path.stem for path in self.getPicksFolder().glob("[!.]*.json")}

    def getFailures(self):
        """Return the message of each image that could not be picked."""
        failures = read_failures(self.getPicksFolder())
        return {name: in_form_words(said) for name, said in failures.items()}

    def getPicksFolder(self):
        """Return the engine's output folder."""
        return Path(self._getExtraPath("picks"))

    def _remember(self, name, value):
        """Keep a value for this process alone: Scipion would store an attribute."""
        object.__setattr__(self, name, value)

    def _link(self, image):
        """Link an image under its name, which is what the engine calls it."""
        link_tomogram(image, self._linksFolder())

    def _linkOf(self, name):
        """Return the path of an image's link; of no image, one like it."""
        image = self._images().get(name)
        link = f"{name}.mrc" if image is None else tomogram_link(image)
        return os.path.join(self._linksFolder(), link)

    def _linksFolder(self):
        return self._getExtraPath(f"{self.IMAGE}s")
