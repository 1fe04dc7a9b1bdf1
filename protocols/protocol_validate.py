"""Validate picks: which picker's set averages to the particle."""

from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.diameters import read_with_diameters
from etpicker_plugin.protocols.form import add_parameters
from etpicker_plugin.protocols.kinds import add_kinds, kinds_of, typed_kinds
from etpicker_plugin.protocols.picker_sets import PickerSets, add_picker_sets
from etpicker_plugin.protocols.protocol_base import ProtEtPickerBase
from pyworkflow.protocol import params

from etpicker_plugin.constants import RELION, REPORT_FILE, VERDICT_FILE
from etpicker_plugin.convert_images import COORDINATES, is_flat
from etpicker_plugin.convert_kinds import SURFACE, told_kind
from etpicker_plugin.convert_subtomograms import export_map, map_file
from etpicker_plugin.engine.config.options import config_digest, config_from_values
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.kinds import VESICLE
from etpicker_plugin.engine.result_files import read_record
from etpicker_plugin.engine.volumes.tomogram import read_map

INPUT_FIELDS = ("diameter", "tilt_range", "tilt_axis", "invert")
WORK_FIELDS = (
    "match_distance",
    "box_voxel_size",
    "iterations",
    "max_particles",
    "seeds",
    "resamples",
    "seed",
    "classes",
    "mpi_command",
    "trust_voxel_size",
)
FORM_FIELDS = INPUT_FIELDS + WORK_FIELDS
SCIPION_FIELDS = (
    *("picks", "tomogram", "kind", "reference", "voxel_size", "out", "threads"),
)
TILT_RANGE = (
    "the tomograms do not know theirs. Give the lowest and the highest tilt angle, "
    "-60 60 say."
)
OF_TOMOGRAMS = "it is of tomograms, and these are micrographs. Leave it empty."
ONLY_PARTICLES = "filaments and vesicles are judged in tomograms alone."
OF_MICROGRAPHS = (
    "they are of micrographs, and these are tomograms, whose boxes are refined "
    "together. Leave it empty."
)
WITHOUT_RELION = (
    "Without RELION the sets are compared, and judged by the rotational means of their "
    "boxes, not by 2D classes. {}"
)


class ProtEtPickerValidate(PickerSets, ProtEtPickerBase):
    """Judge one or more pickers' coordinates by what they average to, with RELION.

    No truth is needed. All sets and as many random coordinates are refined together;
    then each set's log-likelihood ratios, resolution (at equal numbers too),
    Rosenthal-Henderson plot and origin are compared. The report says who found the
    real particles, and how sure that is.

    Sets of filaments and vesicles are judged by boxes on them, laid along the curves or
    the normals; the control are the same ones moved aside. What is systematically wrong
    of them is named: a shift, the step, the sign of a twist.

    Of micrographs all boxes are classified together in 2D; what counts is the share of
    a set in classes that look like particles: with more picks than random coordinates.
    """

    _label = "validate picks"
    _possibleOutputs = None

    # --------------------------- form -----------------------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        add_picker_sets(form, least=1, takes=COORDINATES)
        form.addParam(
            "inputReference",
            params.PointerParam,
            pointerClass="Volume",
            allowsNull=True,
            label="Reference",
            help="Map of the particle, bright, of any box and voxel size. Without it "
            "one is made from the picks. None for micrographs.",
        )
        add_parameters(form, ValidateConfig, INPUT_FIELDS[:1])
        add_kinds(form)
        add_parameters(form, ValidateConfig, INPUT_FIELDS[1:])
        add_parameters(form, ValidateConfig, WORK_FIELDS)  # all advanced: no own tab
        form.addParallelSection(threads=1, mpi=0)

    # --------------------------- steps ----------------------------------------
    def _insertAllSteps(self):
        digest = config_digest(self._buildConfig())
        self._insertFunctionStep(
            self.validateStep, digest, prerequisites=[], needsGPU=False
        )

    def validateStep(self, digest):
        """Write the sets as CSV and run the engine; a stopped one goes on."""
        config = self._buildConfig()
        Path(config.out).mkdir(parents=True, exist_ok=True)
        (class_name,) = config.diameter
        self._writeSets(class_name, kinds=config.kind)
        if config.reference is not None:
            export_map(self.inputReference.get(), Path(config.reference))
        self.runEngine("validate", config, self._getExtraPath())

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        config = self._buildConfig()
        reference = self.inputReference.get()
        errors = self._findSetErrors(self._sources())
        if self._isFlat():
            if reference is not None:
                errors.append(f"Reference: {OF_TOMOGRAMS}")
            if config.tilt_range:
                errors.append(f"Tilt range: {OF_TOMOGRAMS}")
            if config.kind:
                errors.append(f"Kinds: {ONLY_PARTICLES}")
            return errors
        if not config.tilt_range:
            errors.append(f"Tilt range is empty: {TILT_RANGE}")
        if config.classes is not None:
            errors.append(f"2D classes: {OF_MICROGRAPHS}")
        if reference is not None:
            read_map(map_file(reference), reference.getSamplingRate())
        return [*errors, *checks.check_relion(self)]

    def _warnings(self):
        missing = checks.check_relion(self) if self._isFlat() else []
        return [*self._warnSets(), *(WITHOUT_RELION.format(m) for m in missing)]

    def _summary(self):
        verdict = self.getVerdict()
        if not verdict:
            return self._runningLines() or ["The picks are not judged yet."]
        return [*verdict["alarms"], *verdict["words"]]

    def _citations(self):
        return [*super()._citations(), RELION]

    def _methods(self):
        verdict = self.getVerdict()
        if not verdict:
            return []
        if "ranked_by" in verdict:
            return [_flat_method(verdict)]
        return [
            "Picks and random coordinates were refined together with RELION "
            f"{verdict['relion_version']} and compared by log-likelihood ratio, "
            "gold-standard FSC and Rosenthal-Henderson plots."
        ]

    # --------------------------- helpers --------------------------------------
    def getReportFile(self):
        """Return the HTML report of the newest parameters."""
        return str(Path(self._outFolder()) / REPORT_FILE)

    def getVerdict(self):
        """Return verdict.json; empty before the run."""
        path = Path(self._outFolder()) / VERDICT_FILE
        return read_record(path)

    def _outFolder(self):
        return self._buildConfig().out

    def _buildConfig(self):
        values = read_with_diameters(self, ValidateConfig, FORM_FIELDS, self.inputSets)
        if not values["diameter"]:
            raise ConfigError("Give the particle's name and diameter: NAME=VALUE.")
        if not self._isFlat():
            values.setdefault("tilt_range", self._acquisitionRange())
        values.update(
            picks={name: self._folder(name) for name in self._names()},
            tomogram=self._tomogramLinks(),
            kind=self._kinds(values["diameter"]),
            reference=self._referenceFile(),
            voxel_size=self._rate(),
            threads=self.numberOfThreads.get(),
            out="",
        )
        # Other parameters are another verdict: results are never overwritten.
        config = config_from_values(ValidateConfig, values)
        out = self._getExtraPath(f"verdict_{config_digest(config)[:8]}")
        return config_from_values(ValidateConfig, {**values, "out": out})

    def _kinds(self, diameters):
        """Return the kind of the class, as typed or as its sets say."""
        name = next(iter(diameters))
        sources = [(pointer.get(), lambda _group: name) for pointer in self.inputSets]
        kinds = kinds_of(sources, typed_kinds(self, diameters))
        if any(told_kind(coordinates) == SURFACE for coordinates, _ in sources):
            kinds.setdefault(name, VESICLE)
        return kinds

    def _isFlat(self):
        """Tell whether the picks are of micrographs."""
        return is_flat(self.inputSets[0].get())

    def _referenceFile(self):
        """Return where the engine finds the reference; another map, another file."""
        reference = self.inputReference.get()
        if reference is None:
            return None
        return self._getExtraPath(f"reference_{reference.getObjId()}.mrc")

    def _acquisitionRange(self):
        """Return the tilt range that the tomograms know, or nothing."""
        for tomogram in self._tomograms().values():
            acquisition = tomogram.getAcquisition()
            if acquisition is not None:
                low, high = acquisition.getAngleMin(), acquisition.getAngleMax()
                if low is not None and high is not None and low < high:
                    return [low, high]
        return []


def _flat_method(verdict):
    """Return how picks of micrographs were judged, in a sentence."""
    if verdict["ranked_by"] == "classes":
        return (
            "Picks and random coordinates were classified together in 2D with RELION "
            f"{verdict['relion_version']}, and compared by their shares in classes "
            "that look like particles."
        )
    return (
        "Picks and random coordinates were compared by the rotational means of their "
        "boxes."
    )
