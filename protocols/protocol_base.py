"""What our protocols share: running the engine, GPU and thread parameters."""

import json
import os
import shlex
import subprocess
import time
from pathlib import Path

from etpicker_plugin.protocols.checks import check_engine, gpu_present
from etpicker_plugin.protocols.classes import (
    BY_GROUP,
    BY_SET,
    CLASS_CHOICES,
    match_groups,
    match_sets,
    merged,
)
from etpicker_plugin.protocols.labels import classes_of_label
from etpicker_plugin.protocols.running import describe_running
from etpicker_plugin.protocols.words import in_form_words
from pwem.protocols import EMProtocol
from pyworkflow import BETA
from pyworkflow.protocol import params
from tomo.protocols import ProtTomoBase

from etpicker_plugin import Plugin
from etpicker_plugin.constants import (
    DEEPETPICKER,
    EPICKER,
)
from etpicker_plugin.convert import group_ids
from etpicker_plugin.convert_images import IMAGES, is_flat
from etpicker_plugin.convert_kinds import is_numbered
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.errors import ConfigError, EtPickerError
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.records import (
    ERROR_FILE,
    FINISHED_FILE,
    forget_end,
    records_folder,
)
from etpicker_plugin.engine.result_files import read_record

PLUGIN = "etpicker"
QUEUE_FILES_S = 15.0
"""How long to wait for files that a queue's job has written on another machine."""


class EngineError(Exception):
    """The engine's own message about a failed job; ``kind`` names its class."""

    def __init__(self, message: str, *, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class ProtEtPickerBase(EMProtocol, ProtTomoBase):
    """Common ground of the plugin's protocols."""

    _label = None
    _devStatus = BETA

    # --------------------------- names ----------------------------------------
    @classmethod
    def getClassLabel(cls, prependPackageName=True):
        """Return the label that the tree shows: people know the plugin as etpicker."""
        label = super().getClassLabel(prependPackageName=False)
        return f"{PLUGIN} - {label}" if prependPackageName else label

    @classmethod
    def getClassPackageName(cls):
        """Return the name that forms show beside the threads."""
        return PLUGIN

    # --------------------------- form -----------------------------------------
    def _addComputing(self, form):
        """Add GPU and threads; the CPU threads of one job default to all cores."""
        form.addHidden(
            params.USE_GPU,
            params.BooleanParam,
            default=gpu_present(),
            label="Use GPU",
            help="Compute on a GPU. Without one, 'No': training takes some ten times "
            "longer.",
        )
        form.addHidden(
            params.GPU_LIST,
            params.StringParam,
            default="0",
            label="GPU IDs",
            help="GPUs, separated by spaces. Images are picked on all of them at "
            "the same time, and training shares its work among them: with two, a step "
            "learns from twice the patches.",
        )
        cores = os.cpu_count() or 1
        if self.modeParallel():
            form.addParallelSection(threads=3, mpi=0, binThreads=cores)
        else:
            form.addParallelSection(threads=cores, mpi=0)

    def _addTomograms(self, form, help_text):
        form.addParam(
            "inputTomograms",
            params.PointerParam,
            pointerClass="SetOfTomograms",
            important=True,
            label="Tomograms",
            help=help_text,
        )

    def _addImages(self, form, help_text):
        """Ask for tomograms, or for micrographs in their place."""
        form.addParam(
            "inputTomograms",
            params.PointerParam,
            pointerClass=IMAGES,
            important=True,
            label="Tomograms or micrographs",
            help=help_text,
        )

    def _addMasks(self, form, help_text, *, level=params.LEVEL_NORMAL):
        form.addParam(
            "inputMasks",
            params.PointerParam,
            pointerClass="SetOfTomoMasks",
            allowsNull=True,
            expertLevel=level,
            label="Region masks",
            help=help_text,
        )

    def _addClasses(self, form, help_text=None):
        """Add how sets and group ids become classes, by default those below."""
        form.addParam(
            "classesFrom",
            params.EnumParam,
            choices=list(CLASS_CHOICES),
            default=BY_SET,
            label="Classes",
            help=help_text or explain_classes("below"),
        )

    # --------------------------- input ----------------------------------------
    def imagesPointer(self):
        """Return the pointer to the tomograms or micrographs worked on."""
        return self.inputTomograms

    def _classSources(self, pointers, names):
        """Return pairs of a set and a function from group id to class name."""
        if self.classesFrom.get() == BY_GROUP:
            return self._sourcesByGroup(pointers, names)
        labels = [class_label(pointer) for pointer in pointers]
        matched = match_sets(names, labels)
        return [
            (pointer.get(), lambda _group, name=name: name)
            for pointer, name in zip_strict(pointers, matched)
        ]

    def _sourcesByGroup(self, pointers, names):
        """Return the same where group ids are classes: not those of filaments."""
        if any(is_flat(pointer.get()) for pointer in pointers):
            raise ConfigError(
                "Coordinates of micrographs have no group ids. Choose 'one class per "
                "set'."
            )
        numbered = {class_label(p) for p in pointers if is_numbered(p.get())} & set(
            names
        )
        others = [p.get() for p in pointers if not is_numbered(p.get())]
        ids = [i for item in others for i in group_ids(item)]
        classes = match_groups(names, ids, numbered=numbered) if ids else {}
        sources = []
        for pointer in pointers:
            item, label = pointer.get(), class_label(pointer)
            alone = label if label in numbered else None
            sources.append(
                (item, lambda _group, name=alone: name)
                if is_numbered(item)
                else (item, classes.get)
            )
        return sources

    def _warnClasses(self, pointers, names):
        """List the sets of which no class is wanted, and those that are merged."""
        if self.classesFrom.get() == BY_GROUP:
            return []
        labels = [class_label(pointer) for pointer in pointers]
        matched = match_sets(names, labels)
        left_out = [
            label for label, name in zip_strict(labels, matched) if name is None
        ]
        warnings = [
            f"{count} sets are labelled '{name}': they are taken together as one class."
            for name, count in merged(matched).items()
        ]
        if left_out:
            warnings.append(f"Left out, without a diameter: {', '.join(left_out)}.")
        return warnings

    def _device(self):
        return "cuda" if self.usesGpu() else "cpu"

    def _engineThreads(self):
        """Return the CPU threads of one engine job."""
        return (
            self.getBinThreads() if self.modeParallel() else self.numberOfThreads.get()
        )

    # --------------------------- the engine -----------------------------------
    def runEngine(self, command, config, folder, *, processes=1):
        """Run one engine command with its configuration written to ``folder``.

        ``processes`` work on it together, each on a GPU of its own.

        Raises
        ------
        EngineError
            With the engine's own message, if it failed.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        config_file = folder / f"{command}.json"
        config_file.write_text(
            json.dumps(config_to_values(config), indent=1, ensure_ascii=False),
            encoding="utf-8",
        )
        on_gpu = getattr(config, "device", "cpu") == "cuda"
        program = engine_program(Plugin.getEngine(), on_gpu=on_gpu, processes=processes)
        records = records_folder(config)
        forget_end(records)
        try:
            self.runJob(program, f"{command} --config {shlex.quote(str(config_file))}")
        except subprocess.CalledProcessError as error:
            raise read_engine_error(records, error.returncode) from error
        # A queue tells neither exit code nor reason.
        wait_s = QUEUE_FILES_S if self.useQueueForSteps() else 0.0
        if not is_finished(records, wait_s=wait_s):
            raise read_engine_error(records, None)

    # --------------------------- info -----------------------------------------
    def _validate(self):
        """Return every message of ``_findErrors``; a bad parameter ends it early."""
        try:
            errors = [*check_engine(), *self._findErrors()]
            return [in_form_words(error) for error in errors]
        except EtPickerError as error:
            return [in_form_words(error)]

    def _findErrors(self):
        return []

    def _runningLines(self):
        """Return how far the engine is; nothing when it does not run."""
        if not self.isActive():
            return []
        return describe_running(Path(self._getExtraPath()))

    def _citations(self):
        return [DEEPETPICKER, EPICKER]


def explain_classes(place):
    """Return the help of how sets become the classes that stand at ``place``."""
    return (
        "*one class per set*: a set whose label is the name of a class "
        f"{place} is that class; the others follow in order.\n*one class per group "
        f"id*: the ids 1, 2, 3 ... are the classes {place} in order."
    )


def engine_program(engine, *, on_gpu, processes=1):
    """Return what Scipion runs; it puts the GPUs assigned to the step in place."""
    together = ""
    if processes > 1:
        together = (
            f"-m torch.distributed.run --standalone --nproc-per-node {processes} "
        )
    setting = "CUDA_VISIBLE_DEVICES=%(GPU)s" if on_gpu else ""
    return engine.line(f"{together}-m etpicker_plugin.engine", setting=setting)


def is_finished(records, *, wait_s):
    """Return whether the engine says that it finished, and did not fail.

    A file that another machine has written may show a little later.
    """
    end = time.monotonic() + wait_s
    while True:
        names = os.listdir(records) if records.is_dir() else []
        if ERROR_FILE in names or FINISHED_FILE in names:
            return ERROR_FILE not in names
        if time.monotonic() >= end:
            return False
        time.sleep(1)


def read_engine_error(records, exit_code):
    """Return the engine's failure as an exception that Scipion can show.

    ``exit_code`` is ``None`` where a queue has not told it.
    """
    try:
        record = read_record(records / ERROR_FILE)
        return EngineError(in_form_words(record["message"]), kind=record["kind"])
    except KeyError:
        said = "The engine stopped before its end and left no message."
        if exit_code:
            said = f"The engine stopped with exit code {exit_code} and left no message."
        return EngineError(
            f"{said} The end of the log, or the queue's, says why; 'Continue' goes on "
            "from what is finished. (Codes -9 and 137: the system stopped it, mostly "
            "for lack of memory. A queue stops a job that takes more time or memory "
            "than was asked for.)"
        )


def set_label(pointer):
    """Return a set's own label, or else the name of the output it is."""
    item = pointer.get()
    label = item.getObjLabel().strip()
    return label or pointer.getExtended() or item.getNameId()


def class_label(pointer):
    """Return the class that a set's label names, or else the name of the output."""
    return classes_of_label(set_label(pointer))
