"""Compare pickers: what they share, and where they differ."""

import re
import shutil
from pathlib import Path

from etpicker_plugin.protocols.diameters import read_with_diameters
from etpicker_plugin.protocols.form import add_parameters
from etpicker_plugin.protocols.picker_sets import PickerSets, add_picker_sets
from etpicker_plugin.protocols.protocol_base import ProtEtPickerBase
from pyworkflow.protocol import params

from etpicker_plugin.constants import COMPARE_FILE, REPORT_FILE
from etpicker_plugin.convert_coordinates import copy_coordinates, create_like
from etpicker_plugin.convert_images import COORDINATE_SETS, COORDINATES, is_flat
from etpicker_plugin.engine.config.compare import CompareConfig
from etpicker_plugin.engine.config.options import config_digest, config_from_values
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.result_files import read_record

FORM_FIELDS = (
    "diameter",
    "match_distance",
    "f_beta",
    "resamples",
    "seed",
    "trust_voxel_size",
)
SCIPION_FIELDS = ("picks", "tomogram", "truth", "voxel_size", "out", "score_column")


class ProtEtPickerCompare(PickerSets, ProtEtPickerBase):
    """Compare two or more pickers' coordinates of the same particle.

    They are of tomograms or of micrographs, all of the same.

    Gives the particles that only one of them found, and those that several share, as
    sets of coordinates; warns of a wrong origin or axis when one lies beside another;
    and scores each against true centres, if there are some.
    """

    _label = "compare pickers"
    _possibleOutputs = None

    # --------------------------- form -----------------------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        add_picker_sets(form, least=2, takes=COORDINATES)
        form.addParam(
            "inputTruth",
            params.PointerParam,
            pointerClass=COORDINATES,
            allowsNull=True,
            label="True centres",
            help="If there are some, every set is scored against them too.",
        )
        add_parameters(form, CompareConfig, FORM_FIELDS)

    # --------------------------- steps ----------------------------------------
    def _insertAllSteps(self):
        digest = config_digest(self._buildConfig())
        compared = self._insertFunctionStep(
            self.compareStep, digest, prerequisites=[], needsGPU=False
        )
        self._insertFunctionStep(
            self.createOutputStep, prerequisites=[compared], needsGPU=False
        )

    def compareStep(self, digest):
        """Write the sets as CSV and run the engine."""
        config = self._buildConfig()
        # The step's own former result, of other parameters.
        Path(self._getExtraPath(COMPARE_FILE)).unlink(missing_ok=True)
        shutil.rmtree(self._getExtraPath("subsets"), ignore_errors=True)
        (class_name,) = config.diameter
        self._writeSets(class_name)
        if self.inputTruth.get() is not None:
            self._writeSet(self.inputTruth.get(), config.truth, class_name)
        # Not beside the result: both are called compare.json.
        self.runEngine("compare", config, self._getExtraPath("parameters"))

    def createOutputStep(self):
        """Register every subset that holds a particle."""
        sources = self._sources()
        for label, subset in self.getResult()["subsets"].items():
            if not subset["n"]:
                continue
            source = sources[subset["sets"][0]]
            folder = Path(subset["folder"]).name
            name = output_name(folder, flat=is_flat(source))
            output = create_like(source, self._getPath(), name, label=label)
            wanted = {
                path.stem: read_csv(path, tomogram_id=path.stem, flat=is_flat(source))
                for path in Path(self._getExtraPath(subset["folder"])).glob("*.csv")
            }
            copy_coordinates(output, source, wanted)
            self._defineOutputs(**{name: output})
            for pointer in self.inputSets:
                self._defineSourceRelation(pointer, output)

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        self._buildConfig()
        sets = self._sources()
        if self.inputTruth.get() is not None:
            sets["true centres"] = self.inputTruth.get()
        return self._findSetErrors(sets)

    def _warnings(self):
        return self._warnSets()

    def _summary(self):
        result = self.getResult()
        if not result:
            return self._runningLines() or ["The sets are not compared yet."]
        lines = [f"{label}: {s['n']}" for label, s in result["subsets"].items()]
        lines += [pair["message"] for pair in result["pairs"] if pair["message"]]
        for name, found in result["sets"].items():
            scores = found.get("truth", {}).get("scores")
            if scores:
                lines.append(
                    f"{name}: precision {scores['precision']:.3f}, recall "
                    f"{scores['recall']:.3f}, F1 {scores['f1']:.3f}"
                )
        return lines

    def _methods(self):
        if not self.getResult():
            return []
        return ["Picks of several sets were joined one-to-one by distance."]

    # --------------------------- helpers --------------------------------------
    def getReportFile(self):
        """Return the HTML report."""
        return self._getExtraPath(REPORT_FILE)

    def getResult(self):
        """Return compare.json; empty before the run."""
        path = Path(self._getExtraPath(COMPARE_FILE))
        return read_record(path)

    def getOutputs(self):
        """Return the subsets' sets by output name."""
        return dict(self.iterOutputAttributes(COORDINATE_SETS))

    def _buildConfig(self):
        values = read_with_diameters(self, CompareConfig, FORM_FIELDS, self.inputSets)
        if not values["diameter"]:
            raise ConfigError("Give the particle's name and diameter: NAME=VALUE.")
        truth = self.inputTruth.get()
        values.update(
            picks={name: self._folder(name) for name in self._names()},
            tomogram=self._tomogramLinks(),
            truth=None if truth is None else self._getExtraPath("truth"),
            voxel_size=self._rate(),
            out=self._getExtraPath(),
        )
        return config_from_values(CompareConfig, values)


def output_name(folder, *, flat):
    """Return a subset's output name: its folder's, as an attribute may be called."""
    first = "outputCoordinates" if flat else "Coordinates3D"
    return f"{first}_" + re.sub(r"\W", "_", folder)
