"""Average subtomograms with RELION: gold-standard refinement or classification."""

import shutil
from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.average_outputs import (
    AverageOutputs,
    make_aligned,
    make_classes,
    make_refined,
)
from etpicker_plugin.protocols.form import add_parameters, read_parameters
from etpicker_plugin.protocols.protocol_base import ProtEtPickerBase
from pyworkflow.protocol import params

from etpicker_plugin.constants import RELION
from etpicker_plugin.convert_subtomograms import (
    are_on_filaments,
    export_map,
    has_wedges,
    largest_diameter,
    write_boxes,
)
from etpicker_plugin.engine.averaging.records import LEAST_BOXES, RECORD
from etpicker_plugin.engine.config.average import TUBE_DIAMETERS, AverageConfig
from etpicker_plugin.engine.config.options import config_digest, config_from_values
from etpicker_plugin.engine.relion.plans import RANKS_OF_HALVES
from etpicker_plugin.engine.result_files import read_record

INPUT_FIELDS = ("task", "classes", "diameter", "symmetry")
HELIX_FIELDS = (
    "angle_prior",
    "tube_diameter",
    "tube_inner_diameter",
    "helical_rise",
    "helical_twist",
    "rise_range",
    "twist_range",
    "keep_tilt_prior",
)
SEARCH_FIELDS = (
    "iterations",
    "local_resolution",
    "initial_lowpass",
    "reference_greyscale",
    "angular_step",
    "offset_range",
    "tau2_fudge",
    "ranks",
    "mpi_command",
    "seed",
)
SCIPION_FIELDS = ("particles", "out", "reference", "mask", "threads")
"""Fields that Scipion's own inputs give."""

VOXEL_SIZE_TOLERANCE = 0.01


class ProtEtPickerAverage(ProtEtPickerBase):
    """Average subtomograms with RELION (3.1 or later).

    *refine*: one average from two independent halves, with its half maps, FSC and
    resolution. *classify*: several averages, to sort boxes. RELION's log-likelihoods,
    kept with the subtomograms, compare only within one run.
    """

    _label = "average subtomograms (RELION)"
    _possibleOutputs = AverageOutputs

    # --------------------------- form -----------------------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        form.addParam(
            "inputSubTomograms",
            params.PointerParam,
            pointerClass="SetOfSubTomograms",
            important=True,
            label="Subtomograms",
            help="Of 'extract subtomograms', or a subset of such a set.",
        )
        form.addParam(
            "inputReference",
            params.PointerParam,
            pointerClass="Volume, AverageSubTomogram",
            allowsNull=True,
            label="Reference",
            help="A map to start from, of the boxes' size and sampling rate, particles "
            "bright; only its low resolution is used. Without it one is made from the "
            "boxes, which needs more and clearer ones.",
        )
        add_parameters(form, AverageConfig, INPUT_FIELDS)
        form.addParam(
            "inputMask",
            params.PointerParam,
            pointerClass="VolumeMask",
            allowsNull=True,
            expertLevel=params.LEVEL_ADVANCED,
            label="Mask",
            help="Mask for the FSC; without it one is made around the average.",
        )
        form.addSection(label="Search")
        add_parameters(form, AverageConfig, SEARCH_FIELDS)
        form.addSection(label="Filaments, membranes")
        add_parameters(form, AverageConfig, HELIX_FIELDS)
        form.addParallelSection(threads=1, mpi=0)

    # --------------------------- steps ----------------------------------------
    def _insertAllSteps(self):
        digest = config_digest(self._buildConfig())
        prepared = self._insertFunctionStep(
            self.convertInputStep, digest, prerequisites=[], needsGPU=False
        )
        averaged = self._insertFunctionStep(
            self.averageStep, digest, prerequisites=[prepared], needsGPU=False
        )
        self._insertFunctionStep(
            self.createOutputStep, digest, prerequisites=[averaged], needsGPU=False
        )

    def convertInputStep(self, digest):
        """Write the table of boxes; bring maps under names that the engine reads."""
        self._forgetOtherRun(digest)
        write_boxes(self.inputSubTomograms.get(), self._starFile())
        for pointer, path in (
            (self.inputReference, self._mapFile("reference")),
            (self.inputMask, self._mapFile("mask")),
        ):
            volume = pointer.get()
            if volume is not None:
                export_map(volume, path)

    def averageStep(self, digest):
        """Run RELION, or go on where a stopped run was."""
        self.runEngine("average", self._buildConfig(), self._getExtraPath())

    def createOutputStep(self, digest):
        """Register averages, curves and aligned subtomograms."""
        record = self.getRecord()
        if record["task"] == "refine":
            outputs = make_refined(self, record)
        else:
            outputs = make_classes(self, record)
        outputs[AverageOutputs.SubTomograms.name] = make_aligned(self)
        self._defineOutputs(**outputs)
        for output in outputs.values():
            self._defineSourceRelation(self.inputSubTomograms, output)

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        subtomograms = self.inputSubTomograms.get()
        if not has_wedges(subtomograms):
            return [
                "These subtomograms do not say what their missing wedge is. Extract "
                "them with 'extract subtomograms' of this plugin; for coordinates of "
                "any picker it takes seconds."
            ]
        config = self._buildConfig()
        return [
            *self._countErrors(subtomograms, config.task),
            *self._mapErrors(self.inputReference, "reference"),
            *self._mapErrors(self.inputMask, "mask"),
            *checks.check_relion(self),
            *checks.check_writable(self),
        ]

    def _countErrors(self, subtomograms, task):
        least, found = LEAST_BOXES[task], subtomograms.getSize()
        if found >= least:
            return []
        return [
            f"{found} subtomogram(s) are too few to {task}: at least {least} are "
            "needed, hundreds are better."
        ]

    def _mapErrors(self, pointer, name):
        volume = pointer.get()
        if volume is None:
            return []
        first = self.inputSubTomograms.get().getFirstItem()
        rate, wanted = first.getSamplingRate(), first.getDim()
        size, given = volume.getDim(), volume.getSamplingRate()
        same_rate = abs(given - rate) <= VOXEL_SIZE_TOLERANCE * rate
        if tuple(size) == tuple(wanted) and same_rate:
            return []
        return [
            f"The {name} has the size {tuple(size)} at {given:g} Å, the subtomograms "
            f"{tuple(wanted)} at {rate:g} Å. Resample it (a protocol 'crop/resize "
            "volumes', or relion_image_handler), or extract other boxes."
        ]

    def _warnings(self):
        if self.inputReference.get() is not None:
            return []
        return [
            "Without a reference one is made from the boxes. With few or faint ones it "
            "can stay a blob: look at it before you trust the average."
        ]

    def _summary(self):
        record = self.getRecord()
        if not record:
            return self._runningLines() or [
                "RELION has not finished yet; 'Continue' goes on from its last step."
            ]
        if record["task"] == "refine":
            limit = " (the voxel size's limit)" if record["at_nyquist"] else ""
            lines = [f"Resolution {record['resolution_ang']:.1f} Å at FSC 0.143{limit}"]
        else:
            lines = [describe_class(item) for item in record["classes"]]
        return [
            *lines,
            f"{record['particles']} subtomograms, RELION {record['relion_version']}",
        ]

    def _methods(self):
        record = self.getRecord()
        if not record:
            return []
        verb = "refined" if record["task"] == "refine" else "classified"
        return [
            f"{record['particles']} subtomograms were {verb} with RELION "
            f"{record['relion_version']} [{RELION}]."
        ]

    def _citations(self):
        return [*super()._citations(), RELION]

    # --------------------------- helpers --------------------------------------
    def getRecord(self):
        """Return the engine's record; empty before the run's end."""
        return read_record(Path(self.getOutFile(RECORD)))

    def getFsc(self):
        """Return the FSC as the engine wrote it; empty where there is none."""
        return read_record(Path(self.getOutFile("fsc.json")))

    def _buildConfig(self):
        values = read_parameters(
            self, AverageConfig, INPUT_FIELDS + SEARCH_FIELDS + HELIX_FIELDS
        )
        subtomograms = self.inputSubTomograms.get()
        if are_on_filaments(subtomograms):  # their mask is nearly the box
            tube = TUBE_DIAMETERS * largest_diameter(subtomograms)
            values["tube_diameter"] = values.get("tube_diameter") or tube
        elif values.get("diameter") is None:
            values["diameter"] = largest_diameter(subtomograms)
        if self.inputReference.get() is not None:
            values["reference"] = str(self._mapFile("reference"))
        if self.inputMask.get() is not None:
            values["mask"] = str(self._mapFile("mask"))
        values.update(
            particles=str(self._starFile()),
            out=self._getExtraPath("average"),
            threads=self.numberOfThreads.get() * self._workers(values),
        )
        return config_from_values(AverageConfig, values)

    def _workers(self, values):
        """Return how many ranks compute: Scipion's threads are those of each."""
        needed = RANKS_OF_HALVES if values["task"] == "refine" else 1
        return max((values.get("ranks") or needed) - 1, 1)

    def _forgetOtherRun(self, digest):
        """Remove what a run of other parameters left: the engine keeps its results."""
        note = Path(self._getExtraPath("parameters.txt"))
        if note.is_file() and note.read_text(encoding="utf-8") != digest:
            shutil.rmtree(self._getExtraPath("average"), ignore_errors=True)
        note.write_text(digest, encoding="utf-8")

    def _starFile(self):
        return Path(self._getExtraPath("particles.star"))

    def _mapFile(self, name):
        return Path(self._getExtraPath(f"{name}.mrc"))

    def getOutFile(self, name):
        """Return one of the engine's files."""
        return self._getExtraPath("average", name)


def describe_class(item):
    """Return a line on a class of the record."""
    found = item["resolution_ang"]
    words = f"{found:.0f} Å by RELION's own estimate" if found else "no resolution"
    return f"Class {item['number']}: {100 * item['share']:.0f} %, {words}"
