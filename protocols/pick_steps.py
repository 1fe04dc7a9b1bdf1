"""How tomograms are picked as they arrive: jobs, failures, and going on after a kill.

What is finished is told by the engine's files alone: NAME.json of a picked tomogram,
``failed/NAME.json`` of one that could not be. So Scipion's steps need no memory.
"""

import sqlite3
import time
from datetime import datetime
from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.arriving_input import NONE_ARRIVED, refresh_set
from etpicker_plugin.protocols.growing_outputs import drop_outputs, empty_output
from etpicker_plugin.protocols.pick_note import claim_run
from etpicker_plugin.protocols.protocol_base import EngineError
from etpicker_plugin.protocols.words import in_form_words
from pyworkflow.mapper.sqlite import SqliteFlatMapperException

from etpicker_plugin.convert import link_tomogram, tomograms_by_id
from etpicker_plugin.engine.config.options import config_digest
from etpicker_plugin.engine.picking.failures import (
    forget_failure,
    note_failure,
    read_failures,
)

LEAST_STREAMING_THREADS = 3
"""Scipion's own thread, the one that watches the input, and one that picks."""

FAILED_TOMOGRAMS = "FailedTomograms"
"""The output of those that could not be picked; tried again on 'Continue'."""

ATTEMPTS = 2
"""How often the engine may be killed within a tomogram before that is left out."""

MOST_GIVEN_UP = 3
"""So many left out in this way, and none picked: the engine itself does not work."""

ANY_TOMOGRAM = "any"  # stands for a tomogram where its name does not matter

UNMASKED = "It has no region mask. Add one, or leave the region masks out."

RETRY_AFTER_S = 5.0
"""Who stops a protocol kills its jobs first: time to be stopped, not to start anew."""


class PickSteps:
    """The steps of picking: a mixin, for a streaming protocol that can ``_configFor``.

    While the input is open, one step watches it and inserts a step for what has
    arrived; several tomograms go through one engine process, which loads the model
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
        for ts_ids in chunks(waiting, min(size, self._perJob())):
            self._insertPicking(ts_ids)
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

    def pickStep(self, ts_ids, begun):
        """Pick tomograms; a fault of one is noted, and not fatal."""
        left, killed = list(ts_ids), 0
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
            If no tomogram arrived, or none could be picked.
        """
        failures = self.getFailures()
        if not self.getPicked():
            reasons = " ".join(dict.fromkeys(failures.values()))
            raise EngineError(
                f"No tomogram could be picked. {reasons}" if reasons else NONE_ARRIVED
            )
        self.failedNames.set(", ".join(failures))
        self._store(self.failedNames)
        self._register()
        self._closeOutputSet()

    def _insertPicking(self, ts_ids):
        """Insert a step after that which frees a place: GPUs are places themselves."""
        places = 0 if self.usesGpu() else self._atATime()
        inserted = self._pickingSteps
        step = self._insertFunctionStep(
            self.pickStep,
            ts_ids,
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
        changed = claim_run(note, self._describeRun(), begun=bool(picked))
        self._remember("_pickingSteps", [])
        if changed:
            drop_outputs(self, self._outputNames())
        empty_output(self, FAILED_TOMOGRAMS)
        for ts_id in self.getFailures():
            forget_failure(ts_id, out_dir=self.getPicksFolder())
        if picked:
            self._register()

    def _describeRun(self):
        digest = config_digest(self._configFor([ANY_TOMOGRAM]), files=False)
        return {
            "model": self.inputModel.get().getSha256(),
            "picking": digest,
            "outputs": (self.boxSize.get(), self.outputSets.get()),
        }

    def _look(self, asked):
        """Return whether the input is open, and what has arrived, sorted.

        The state is read before the items: what came before the closing is then seen.
        """
        try:
            with self._lock:
                self._refreshInput()
                is_open = self.isInputOpen()
                tomograms = tomograms_by_id(self.inputTomograms.get())
                masks = self._masks()
        except (sqlite3.Error, SqliteFlatMapperException) as error:
            if not self.isInputOpen():
                raise
            self.warning(f"The input cannot be read now: {error}")
            return True, []
        self._remember("_tomogramsRead", tomograms)
        waits = set(tomograms) - set(masks) if is_open and self._hasMasks() else set()
        return is_open, sorted(set(tomograms) - waits - asked)

    def _refreshInput(self):
        """Read again what the protocols before this one have written meanwhile."""
        for item in self._inputSets():
            refresh_set(self.getProject(), item)

    def isInputOpen(self):
        """Return whether more tomograms, or masks, may come."""
        return any(item.isStreamOpen() for item in self._inputSets())

    def _inputSets(self):
        inputs = [self.inputTomograms.get(), self.inputMasks.get()]
        return [item for item in inputs if item is not None]

    # --------------------------- one job --------------------------------------
    def _runPicking(self, ts_ids):
        """Run the engine on tomograms; return what it said of those left over."""
        with self._lock:
            masks = self._masks()
            self._leaveOut(self._unfit(ts_ids, masks))
            ready = self._unsettled(ts_ids)
            if not ready:
                return None
            for ts_id in ready:
                link_tomogram(self._tomograms()[ts_id], self._linksFolder())
            job = Path(self._getExtraPath("jobs", ready[0]))
            config = self._configFor(ready, masks=masks, records=str(job))
        try:
            self.runEngine("pick", config, job)
        except EngineError as error:
            # It notes what concerns one tomogram; what it ends with, and leaves some
            # unsettled, would meet all of them.
            if error.kind and self._unsettled(ready):
                raise
            return error
        return EngineError("The engine finished and left no picks.")

    def _unfit(self, ts_ids, masks):
        """Return why some cannot be picked: those that came after the form's checks."""
        unmasked = set(ts_ids) - set(masks) if self._hasMasks() else ()
        waiting = {n: self._tomograms()[n] for n in self._unsettled(ts_ids)}
        return {**dict.fromkeys(unmasked, UNMASKED), **checks.find_turned(waiting)}

    def _leaveOut(self, reasons):
        for ts_id, reason in reasons.items():
            note_failure(ts_id, "InputDataError", reason, out_dir=self.getPicksFolder())

    def _giveUp(self, ts_id, error):
        """Leave out a tomogram that the engine does not survive.

        Raises
        ------
        EngineError
            If it survived none so far: then it is not the tomograms' fault.
        """
        self._remember("_givenUp", getattr(self, "_givenUp", 0) + 1)
        if self._givenUp >= MOST_GIVEN_UP and not self.getPicked():
            raise error
        message = f"The engine was stopped {ATTEMPTS} times while picking it. {error}"
        self.error(f"{ts_id} is left out: {message}")
        note_failure(ts_id, "Killed", message, out_dir=self.getPicksFolder())

    def _unsettled(self, ts_ids):
        """Return those that are neither picked nor failed, in their order."""
        settled = self.getPicked() | set(self.getFailures())
        return [ts_id for ts_id in ts_ids if ts_id not in settled]

    # --------------------------- helpers --------------------------------------
    def getPicked(self):
        """Return the tsIds that are picked."""
        return {path.stem for path in self.getPicksFolder().glob("[!.]*.json")}

    def getFailures(self):
        """Return the message of each tomogram that could not be picked."""
        failures = read_failures(self.getPicksFolder())
        return {name: in_form_words(said) for name, said in failures.items()}

    def getPicksFolder(self):
        """Return the engine's output folder."""
        return Path(self._getExtraPath("picks"))

    def _remember(self, name, value):
        """Keep a value for this process alone: Scipion would store an attribute."""
        object.__setattr__(self, name, value)

    def _linksFolder(self):
        return self._getExtraPath("tomograms")

    def _perJob(self):
        return max(self.tomogramsPerJob.get(), 1)

    def _atATime(self):
        """Return how many jobs run at a time: one per GPU, or per spare thread."""
        if self.usesGpu():
            return max(len(self.getGpuList()), 1)
        return max(self.numberOfThreads.get() - LEAST_STREAMING_THREADS + 1, 1)


def chunks(items, size):
    """Return consecutive lists of at most ``size`` items."""
    return [items[i : i + size] for i in range(0, len(items), size)]
