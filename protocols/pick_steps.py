"""How images are picked as they arrive: jobs, failures, and going on after a kill.

An image is a tomogram, or a micrograph. What is finished is told by the engine's files
alone: NAME.json of a picked image, ``failed/NAME.json`` of one that could not be. So
Scipion's steps need no memory.
"""

import sqlite3
import time
from datetime import datetime
from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.arriving_input import none_arrived
from etpicker_plugin.protocols.growing_outputs import drop_outputs, empty_output
from etpicker_plugin.protocols.pick_note import claim_run
from etpicker_plugin.protocols.picked_images import (
    LEAST_STREAMING_THREADS,
    PickedImages,
)
from etpicker_plugin.protocols.protocol_base import EngineError
from pyworkflow.mapper.sqlite import SqliteFlatMapperException

from etpicker_plugin.engine.config.options import config_digest
from etpicker_plugin.engine.picking.failures import forget_failure, note_failure

ATTEMPTS = 2
"""How often the engine may be killed within an image before that is left out."""

MOST_GIVEN_UP = 3
"""So many left out in this way, and none picked: the engine itself does not work."""

ANY_IMAGE = "any"  # stands for an image where its name does not matter

RETRY_AFTER_S = 5.0
"""Who stops a protocol kills its jobs first: time to be stopped, not to start anew."""


class PickSteps(PickedImages):
    """The steps of picking: a mixin, for a streaming protocol.

    While the input is open, one step watches it and inserts a step for what has
    arrived; several images go through one engine process, which loads the model
    once. At most one such step waits, so that arrivals gather while others are picked.
    """

    # --------------------------- steps ----------------------------------------
    def _insertAllSteps(self):
        self._begin()
        is_open, waiting = self._look(self.getPicked())
        if is_open:
            super()._insertAllSteps()
            return
        size = -(-len(waiting) // self._atATime()) or 1
        for names in chunks(waiting, min(size, self._perJob())):
            self._insertPicking(names)
        self._insertClosing()

    def stepsGeneratorStep(self):
        """Watch an open input; insert a step whenever none waits to be started."""
        asked = self.getPicked()
        is_open, waiting = True, []
        while is_open or waiting:
            if self.isFailed():
                return
            is_open, arrived = self._look(asked)
            asked.update(arrived)
            waiting += arrived
            if waiting and not any(step.isNew() for step in self._steps):
                self._insertPicking(waiting[: self._perJob()])
                del waiting[: self._perJob()]
            if is_open or waiting:
                time.sleep(max(self._getStreamingSleepOnWait(), 1))
        self._insertClosing()

    def pickStep(self, names, begun):
        """Pick images; a fault of one is noted, and not fatal."""
        left, killed = list(names), 0
        while left:
            error = self._runPicking(left)
            before, left = left, self._unsettled(left)
            if not left:
                break
            killed = killed + 1 if left[0] == before[0] else 1
            if killed < ATTEMPTS:
                self.warning(f"{left[0]}: {error} It is tried again.")
                time.sleep(RETRY_AFTER_S)
            else:
                self._giveUp(left.pop(0), error)
                killed = 0
        self._register()

    def closeStep(self, begun):
        """Register what is left to register, and close the outputs.

        Raises
        ------
        EngineError
            If none arrived, or none could be picked.
        """
        failures = self.getFailures()
        if not self.getPicked():
            reasons = " ".join(dict.fromkeys(failures.values()))
            raise EngineError(
                f"No {self.IMAGE} could be picked. {reasons}"
                if reasons
                else none_arrived(self.IMAGE)
            )
        self.failedNames.set(", ".join(failures))
        self._store(self.failedNames)
        self._register()
        self._closeOutputSet()

    def _insertPicking(self, names):
        """Insert a step after that which frees a place: GPUs are places themselves."""
        places = 0 if self.usesGpu() else self._atATime()
        inserted = self._pickingSteps
        step = self._insertFunctionStep(
            self.pickStep,
            names,
            str(datetime.now()),
            prerequisites=inserted[-places:][:1] if places else [],
            needsGPU=self.usesGpu(),
        )
        # Scipion numbers a step when it stores it, which may be after its start.
        self._steps[step - 1].setObjId(step)
        inserted.append(step)

    def _insertClosing(self):
        step = self._insertFunctionStep(
            self.closeStep,
            str(datetime.now()),
            prerequisites=list(self._pickingSteps),
            needsGPU=False,
        )
        self._steps[step - 1].setObjId(step)

    # --------------------------- one run --------------------------------------
    def _begin(self):
        """Note what this run picks with; go on only with the same.

        Raises
        ------
        EngineError
            If it began with another model or other parameters (see ``claim_run``).
        """
        note = Path(self._getExtraPath("run.json"))
        picked = self.getPicked()
        changed = claim_run(
            note, self._describeRun(), begun=bool(picked), image=self.IMAGE
        )
        self._remember("_pickingSteps", [])
        if changed:
            drop_outputs(self, [name for name, _ in self.iterOutputAttributes()])
        empty_output(self, self.FAILED)
        for name in self.getFailures():
            forget_failure(name, out_dir=self.getPicksFolder())
        if picked:
            self._register()

    def _describeRun(self):
        digest = config_digest(self._configFor([ANY_IMAGE]), files=False)
        return {
            "model": self.inputModel.get().getSha256(),
            "picking": digest,
            "outputs": self._outputChoices(),
        }

    def _look(self, asked):
        """Return whether the input is open, and what has arrived, sorted.

        The state is read before the items: what came before the closing is then seen.
        """
        try:
            with self._lock:
                self._refreshInput()
                is_open = self.isInputOpen()
                images = self._readImages()
                waits = self._waiting(images) if is_open else set()
        except (sqlite3.Error, SqliteFlatMapperException) as error:
            if not self.isInputOpen():
                raise
            self.warning(f"The input cannot be read now: {error}")
            return True, []
        self._remember("_imagesRead", images)
        return is_open, sorted(set(images) - waits - asked)

    def _waiting(self, images):
        """Return those that something else, still to come, is needed for."""
        return set()

    # --------------------------- one job --------------------------------------
    def _runPicking(self, names):
        """Run the engine on images; return what it said of those left over."""
        with self._lock:
            self._leaveOut(self._unfit(names))
            ready = self._unsettled(names)
            if not ready:
                return None
            for name in ready:
                self._link(self._images()[name])
            job = Path(self._getExtraPath("jobs", ready[0]))
            config = self._configFor(ready, records=str(job))
        try:
            self.runEngine("pick", config, job)
        except EngineError as error:
            # It notes what concerns one image; what it ends with, and leaves some
            # unsettled, would meet all of them.
            if error.kind and self._unsettled(ready):
                raise
            return error
        return EngineError("The engine finished and left no picks.")

    def _unfit(self, names):
        """Return why some cannot be picked: those that came after the form's checks."""
        waiting = {n: self._images()[n] for n in self._unsettled(names)}
        return checks.find_turned(waiting)

    def _leaveOut(self, reasons):
        for name, reason in reasons.items():
            note_failure(name, "InputDataError", reason, out_dir=self.getPicksFolder())

    def _giveUp(self, name, error):
        """Leave out an image that the engine does not survive.

        Raises
        ------
        EngineError
            If it survived none so far: then it is not the images' fault.
        """
        self._remember("_givenUp", getattr(self, "_givenUp", 0) + 1)
        if self._givenUp >= MOST_GIVEN_UP and not self.getPicked():
            raise error
        message = f"The engine was stopped {ATTEMPTS} times while picking it. {error}"
        self.error(f"{name} is left out: {message}")
        note_failure(name, "Killed", message, out_dir=self.getPicksFolder())

    # --------------------------- helpers --------------------------------------
    def _atATime(self):
        """Return how many jobs run at a time: one per GPU, or per spare thread."""
        if self.usesGpu():
            return max(len(self.getGpuList()), 1)
        return max(self.numberOfThreads.get() - LEAST_STREAMING_THREADS + 1, 1)


def chunks(items, size):
    """Return consecutive lists of at most ``size`` items."""
    return [items[i : i + size] for i in range(0, len(items), size)]
