"""Compare picks with a truth."""

from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.diameters import read_diameters, read_with_diameters
from etpicker_plugin.protocols.form import add_parameters
from etpicker_plugin.protocols.kinds import add_kinds, kinds_of, typed_kinds
from etpicker_plugin.protocols.protocol_base import ProtEtPickerBase, set_label
from pyworkflow.protocol import params

from etpicker_plugin.constants import METRICS, METRICS_FILE, REPORT_FILE
from etpicker_plugin.convert import particles_by_tomogram
from etpicker_plugin.convert_images import (
    COORDINATES,
    image_ids,
    images_of,
    marked_ids,
    sampling_rate_of,
)
from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.config.options import config_digest, config_from_values
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.result_files import read_record

FORM_FIELDS = ("diameter", "match_distance", "f_beta")
SCIPION_FIELDS = ("kind", "picks", "truth", "voxel_size", "out", "score_column")
"""Fields that Scipion's own inputs give."""


class ProtEtPickerEvaluate(ProtEtPickerBase):
    """Score picks against true centres: precision, recall, F1, distance, PR curve.

    Only tomograms or micrographs with true centres are judged; in them, every pick
    that is no true centre counts as false.
    """

    _label = "evaluate picks"

    # --------------------------- form -----------------------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        for name, label in (("inputPicks", "Picks"), ("inputTruth", "True centres")):
            form.addParam(
                name,
                params.MultiPointerParam,
                pointerClass=COORDINATES,
                minNumObjects=1,
                important=True,
                label=label,
                help=f"{label} in tomograms or in micrographs: one set for each class, "
                "or, in tomograms, sets whose group ids are the classes.",
            )
        self._addClasses(form)
        add_parameters(form, EvaluateConfig, FORM_FIELDS[:1])
        add_kinds(form)
        add_parameters(form, EvaluateConfig, FORM_FIELDS[1:])

    # --------------------------- steps ----------------------------------------
    def _insertAllSteps(self):
        digest = config_digest(self._buildConfig())
        self._insertFunctionStep(
            self.evaluateStep, digest, prerequisites=[], needsGPU=False
        )

    def evaluateStep(self, digest):
        """Write both sides as CSV and run the engine."""
        picks, truth = self._readPicks(), self._readTruth()
        for kind, particles in (("picks", picks), ("truth", truth)):
            folder = Path(self._getExtraPath(kind))
            folder.mkdir(exist_ok=True)
            for ts_id in self._names():
                empty = make_particles(ts_id, [])
                write_csv(particles.get(ts_id, empty), folder / f"{ts_id}.csv")
        self.runEngine("evaluate", self._buildConfig(), self._getExtraPath())

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        others = [(set_label(p), p.get()) for p in [*self.inputPicks, *self.inputTruth]]
        errors = checks.check_one_kind(others[0][1], others, of="coordinates")
        if errors:
            return errors
        truth = self._trueNames()
        errors = checks.check_names(self._pickedNames(), truth, of="true centres")
        if errors:
            return errors
        config = self._buildConfig()
        rates = [(name, sampling_rate_of(item)) for name, item in others]
        particles = self._readTruth()
        self._readPicks()
        return [
            *checks.check_sampling_rates(config.voxel_size, rates, of="coordinates"),
            *checks.check_counts(particles, config.diameter),
            *checks.check_writable(self),
        ]

    def _warnings(self):
        truth = self._trueNames()
        extra = sorted(self._pickedNames() - truth)
        warnings = self._warnClasses(self.inputPicks, self._classes())
        if extra:
            names = checks.shorten(extra)
            warnings.append(f"Not judged, without true centres: {names}.")
        return warnings

    def _summary(self):
        metrics = self.getMetrics()
        if not metrics:
            return self._runningLines() or ["The picks are not evaluated yet."]
        lines = []
        for name, found in metrics.items():
            known = [k for k in METRICS if found.get(k) is not None]
            numbers = [f"{METRICS[key]} {found[key]:.3f}" for key in known]
            lines.append(f"{name}: {', '.join(numbers)}")
        return lines

    def _methods(self):
        if not self.getMetrics():
            return []
        return [
            "Picks were matched one-to-one to true centres within "
            f"{self.matchDistance.get():g} particle diameters."
        ]

    # --------------------------- helpers --------------------------------------
    def getReportFile(self):
        """Return the HTML report."""
        return self._getExtraPath(REPORT_FILE)

    def getMetrics(self):
        """Return the metrics of each class; empty before the run."""
        path = Path(self._getExtraPath(METRICS_FILE))
        return read_record(path).get("classes", {})

    def _buildConfig(self):
        values = read_with_diameters(self, EvaluateConfig, FORM_FIELDS, self.inputTruth)
        if not values["diameter"]:
            raise ConfigError("Give each class to judge and its particle diameter.")
        names = self._names()
        values.update(
            picks=[self._getExtraPath("picks", f"{n}.csv") for n in names],
            truth=[self._getExtraPath("truth", f"{n}.csv") for n in names],
            voxel_size=sampling_rate_of(self.inputTruth[0].get()),
            kind=self.getKinds(),
            out=self._getExtraPath(),
        )
        return config_from_values(EvaluateConfig, values)

    def _names(self):
        """Return the tsIds with true centres among the picked tomograms, sorted."""
        return sorted(self._trueNames() & self._pickedNames())

    def _trueNames(self):
        return {name for p in self.inputTruth for name in marked_ids(p.get())}

    def _pickedNames(self):
        """Return the tsIds that were picked, those without a pick too."""
        return {
            name
            for pointer in self.inputPicks
            for name in image_ids(images_of(pointer.get()))
        }

    def _classes(self):
        return list(self._diameters())

    def _diameters(self):
        return read_diameters(self, EvaluateConfig, self.inputTruth)

    def getKinds(self):
        """Return the kind of each class that is no particle."""
        sources = [*self._sources(self.inputPicks), *self._sources(self.inputTruth)]
        return kinds_of(sources, typed_kinds(self, self._classes()))

    def _sources(self, pointers):
        return self._classSources(pointers, self._classes())

    def _readPicks(self):
        return particles_by_tomogram(
            self._sources(self.inputPicks), kinds=self.getKinds()
        )

    def _readTruth(self):
        return particles_by_tomogram(
            self._sources(self.inputTruth), kinds=self.getKinds()
        )
