"""Cut boxes around picks, ready for averaging."""

import shutil
from enum import Enum
from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.diameters import read_diameters, read_with_diameters
from etpicker_plugin.protocols.form import add_parameters
from etpicker_plugin.protocols.kinds import add_kinds, kinds_of, typed_kinds
from etpicker_plugin.protocols.protocol_base import ProtEtPickerBase
from pyworkflow.protocol import params
from tomo.objects import SetOfSubTomograms

from etpicker_plugin import relion_tomo
from etpicker_plugin.constants import RELION
from etpicker_plugin.convert import (
    link_tomogram,
    particles_by_tomogram,
    tomograms_by_id,
)
from etpicker_plugin.convert_kinds import told_kind
from etpicker_plugin.convert_subtomograms import make_acquisition, make_subtomograms
from etpicker_plugin.engine.config.extract import ExtractConfig
from etpicker_plugin.engine.config.options import config_digest, config_from_values
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.relion.read import read_particles
from etpicker_plugin.engine.result_files import read_record
from etpicker_plugin.engine.subtomograms.records import RECORD, STAR

FORM_FIELDS = (
    "diameter",
    "tilt_range",
    "box_size",
    "box_voxel_size",
    "normalisation",
    "invert",
    "tilt_axis",
    "voltage",
    "spherical_aberration",
    "trust_voxel_size",
)
SCIPION_FIELDS = ("coordinates", "tomogram", "out", "voxel_size")
"""Fields that Scipion's own inputs give."""

PSEUDO_SUBTOMOGRAMS = "PseudoSubtomograms"
"""Output for reliontomo; no declared one, as its class is not always there."""


class ExtractOutputs(Enum):
    SubTomograms = SetOfSubTomograms


class ProtEtPickerExtract(ProtEtPickerBase):
    """Extract subtomograms: centred boxes with their missing wedge.

    Particles whose box is not wholly in their tomogram are left out and listed. With
    scipion-em-reliontomo installed, a second output holds the same boxes for its
    3D classification and refinement.
    """

    _label = "extract subtomograms"
    _possibleOutputs = ExtractOutputs

    # --------------------------- form -----------------------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        form.addParam(
            "inputCoordinates",
            params.PointerParam,
            pointerClass="SetOfCoordinates3D",
            important=True,
            label="Coordinates",
            help="Centres of particles, of any picker. Points along filaments, or the "
            "'Meshes' of vesicles, which are points on their membranes: boxes are "
            "averaged about the curve's direction, or the membrane's normal.",
        )
        form.addParam(
            "inputTomograms",
            params.PointerParam,
            pointerClass="SetOfTomograms",
            allowsNull=True,
            label="Tomograms",
            help="Cut from these instead of those that were picked: raw ones, say, "
            "where the picked ones were denoised. Of the same names and voxel size.",
        )
        self._addClasses(
            form,
            "*one class per set*: all coordinates are of the one class "
            "below.\n*one class per group id*: the ids 1, 2, 3 ... are the classes "
            "below in order.",
        )
        add_parameters(form, ExtractConfig, FORM_FIELDS[:1])
        add_kinds(form)
        add_parameters(form, ExtractConfig, FORM_FIELDS[1:])

    # --------------------------- steps ----------------------------------------
    def _insertAllSteps(self):
        digest = config_digest(self._buildConfig())
        prepared = self._insertFunctionStep(
            self.convertInputStep, digest, prerequisites=[], needsGPU=False
        )
        extracted = self._insertFunctionStep(
            self.extractStep, digest, prerequisites=[prepared], needsGPU=False
        )
        self._insertFunctionStep(
            self.createOutputStep, digest, prerequisites=[extracted], needsGPU=False
        )

    def convertInputStep(self, digest):
        """Link the tomograms and write one coordinate file for each."""
        self._forgetOtherRun(digest)
        particles = self._readParticles()
        tomograms = self._tomograms()
        folder = Path(self._getExtraPath("coordinates"))
        folder.mkdir(exist_ok=True)
        for ts_id in self._names():
            link_tomogram(tomograms[ts_id], self._getExtraPath("tomograms"))
            write_csv(particles[ts_id], folder / f"{ts_id}.csv")

    def extractStep(self, digest):
        """Cut the boxes."""
        self.runEngine("extract", self._buildConfig(), self._getExtraPath())

    def createOutputStep(self, digest):
        """Register the subtomograms, for reliontomo too where it is installed."""
        config = self._buildConfig()
        table, _ = read_particles(self.getStarFile())
        subtomograms = make_subtomograms(
            self._getPath(),
            table,
            boxes_folder=config.out,
            coordinates=self.inputCoordinates,
            voxel_size=self.getRecord()["voxel_size_ang"],
            diameters=config.diameter,
            kind=self._kind(),
            acquisition=make_acquisition(
                config.tilt_range,
                tilt_axis=config.tilt_axis,
                voltage=config.voltage,
                aberration=config.spherical_aberration,
            ),
        )
        outputs = {ExtractOutputs.SubTomograms.name: subtomograms}
        if relion_tomo.is_installed():
            outputs[PSEUDO_SUBTOMOGRAMS] = relion_tomo.make_pseudo_subtomograms(
                self._getPath(),
                subtomograms,
                star=self.getStarFile(),
                tomograms_star=Path(self._getExtraPath("tomograms.star")),
            )
        self._defineOutputs(**outputs)
        for output in outputs.values():
            self._defineSourceRelation(self.inputCoordinates, output)

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        every = self._tomograms()
        named = self.inputCoordinates.get().getTSIds()
        errors = checks.check_names(every, named, of="coordinates")
        if errors:
            return errors
        tomograms = {name: every[name] for name in self._names()}
        config = self._buildConfig()
        particles = self._readParticles()
        rate = self._tomogramRate()
        rates = [("coordinates", self.inputCoordinates.get().getSamplingRate())]
        return [
            *checks.check_sampling_rates(rate, rates, of="coordinates"),
            *checks.check_headers(tomograms, trusted=self.trustVoxelSize.get()),
            *checks.check_inside(particles, tomograms),
            *checks.check_diameters(config.diameter, tomograms),
            *checks.check_counts(particles, config.diameter),
            *checks.check_writable(self),
        ]

    def _warnings(self):
        named = self.inputCoordinates.get().getTSIds()
        return checks.warn_names(self._tomograms(), named, of="coordinates")

    def _summary(self):
        record = self.getRecord()
        if not record:
            return self._runningLines() or ["The boxes are not cut yet."]
        counts = ", ".join(f"{name} {n}" for name, n in record["extracted"].items())
        lines = [
            f"{counts}; boxes of {record['box_size']} voxels at "
            f"{record['voxel_size_ang']:g} Å, normalised: {record['normalisation']}"
        ]
        if record["left_out"]:
            lines.append(
                f"{record['left_out']} particle(s) without a whole box are left out: "
                f"{self._getExtraPath('subtomograms', 'left_out.csv')}"
            )
        if record["better_wedge"]:
            lines.append(
                f"Check the tilts: {record['better_wedge']} fits the boxes better."
            )
        return lines

    def _methods(self):
        record = self.getRecord()
        if not record:
            return []
        low, high = record["tilt_range_deg"]
        return [
            f"Subtomograms of {record['box_size']} voxels "
            f"({record['voxel_size_ang']:g} Å) were extracted with a missing wedge "
            f"outside {low:g}° to {high:g}°."
        ]

    def _citations(self):
        return [*super()._citations(), RELION]

    # --------------------------- helpers --------------------------------------
    def getStarFile(self):
        """Return the table of boxes."""
        return Path(self._getExtraPath("subtomograms", STAR))

    def getRecord(self):
        """Return what the engine noted of the extraction; empty before the run."""
        path = Path(self._getExtraPath("subtomograms", RECORD))
        return read_record(path)

    def _buildConfig(self):
        values = read_with_diameters(
            self, ExtractConfig, FORM_FIELDS, [self.inputCoordinates]
        )
        if not values["diameter"]:
            raise ConfigError("Give the class to extract and its particle diameter.")
        names = self._names()
        values.update(
            coordinates=[self._getExtraPath("coordinates", f"{n}.csv") for n in names],
            tomogram=[self._getExtraPath("tomograms", f"{n}.mrc") for n in names],
            voxel_size=self._tomogramRate(),
            out=self._getExtraPath("subtomograms"),
        )
        return config_from_values(ExtractConfig, values)

    def _forgetOtherRun(self, digest):
        """Remove the boxes of other parameters: the engine keeps what it finds."""
        note = Path(self._getExtraPath("parameters.txt"))
        if note.is_file() and note.read_text(encoding="utf-8") != digest:
            shutil.rmtree(self._getExtraPath("subtomograms"), ignore_errors=True)
        note.write_text(digest, encoding="utf-8")

    def _tomograms(self):
        given = self.inputTomograms.get()
        return tomograms_by_id(given or self.inputCoordinates.get().getPrecedents())

    def _tomogramRate(self):
        given = self.inputTomograms.get() or self.inputCoordinates.get().getPrecedents()
        return given.getSamplingRate()

    def _names(self):
        """Return the tsIds that have coordinates and a tomogram, sorted."""
        named = set(self.inputCoordinates.get().getTSIds())
        return sorted(named & set(self._tomograms()))

    def _diameters(self):
        return read_diameters(self, ExtractConfig, [self.inputCoordinates])

    def _readParticles(self):
        names = list(self._diameters())
        sources = self._classSources([self.inputCoordinates], names)
        return particles_by_tomogram(sources, kinds=self.getKinds())

    def getKinds(self):
        """Return the kind of each class that is no particle."""
        names = list(self._diameters())
        sources = self._classSources([self.inputCoordinates], names)
        return kinds_of(sources, typed_kinds(self, names))

    def _kind(self):
        """Return what all boxes lie on; nothing where they differ."""
        told = told_kind(self.inputCoordinates.get())
        kinds = {self.getKinds().get(name, told) for name in self._diameters()}
        return kinds.pop() if len(kinds) == 1 else ""
