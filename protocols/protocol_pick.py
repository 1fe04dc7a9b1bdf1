"""Pick particles with a trained model, tomogram by tomogram."""

from enum import Enum
from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.class_sets import (
    add_output_choice,
    make_class_sets,
    numbered,
)
from etpicker_plugin.protocols.form import add_parameters, read_parameters
from etpicker_plugin.protocols.protocol_base import EngineError, ProtEtPickerBase
from pyworkflow.object import String
from pyworkflow.protocol import STEPS_PARALLEL, params
from tomo.objects import SetOfCoordinates3D, SetOfTomograms, SetOfTomoMasks

from etpicker_plugin.constants import DEEPETPICKER
from etpicker_plugin.convert import (
    even_box,
    link_tomogram,
    make_mask,
    tomogram_file,
    tomograms_by_id,
)
from etpicker_plugin.engine.config.options import config_digest, config_from_values
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.io.coordinates_csv import read_csv

INPUT_FIELDS = ("classes", "unbiased", "threshold", "max_picks")
PICKING_FIELDS = (
    "z_range",
    "border",
    "min_distance",
    "probability_map",
    "tile_size",
    "precision",
)
SCIPION_FIELDS = (
    "model",
    "tomogram",
    "out",
    "voxel_size",
    "mask",
    "part",
    "model_sha256",
    "records",
    "device",
    "threads",
)
"""Fields that Scipion's own inputs give: sets, folders, GPU and threads."""

TOMOGRAM_FAULTS = ("InputDataError", "ResourceError")
"""Engine errors that concern one tomogram; the others would meet all of them."""


class PickOutputs(Enum):
    Coordinates3D = SetOfCoordinates3D
    ProbabilityMaps = SetOfTomoMasks
    FailedTomograms = SetOfTomograms


class ProtEtPickerPick(ProtEtPickerBase):
    """Pick particles in tomograms with a trained model.

    A tomogram that cannot be picked is listed as failed and the others go on. The
    group id of a pick is the number of its class in the model, from 1.
    """

    _label = "pick particles"
    _possibleOutputs = PickOutputs
    stepsExecutionMode = STEPS_PARALLEL

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.failedNames = String()

    # --------------------------- form -----------------------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        self._addTomograms(
            form,
            "Tomograms to pick, of the kind that the model has learnt from. "
            "Another voxel size is rescaled.",
        )
        form.addParam(
            "inputModel",
            params.PointerParam,
            pointerClass="EtPickerModel",
            important=True,
            label="Model",
            help="A model of 'train model' or 'import model'.",
        )
        add_parameters(form, PickConfig, INPUT_FIELDS)
        self._addMasks(
            form,
            "Nothing is picked where the mask of a tomogram is 0. Each tomogram "
            "needs one.",
        )
        form.addSection(label="Picking")
        add_parameters(form, PickConfig, PICKING_FIELDS)
        form.addParam(
            "boxSize",
            params.IntParam,
            default=None,
            allowsNull=True,
            label="Box size [voxels]",
            help="Box size written to the coordinates; without it, each class's "
            "diameter rounded up to an even number of voxels.",
        )
        add_output_choice(form, level=params.LEVEL_ADVANCED)
        self._addComputing(form)

    # --------------------------- steps ----------------------------------------
    def _insertAllSteps(self):
        # The digest makes 'Continue' notice changed parameters.
        picked = [
            self._insertFunctionStep(
                self.pickStep,
                ts_id,
                config_digest(self._configFor(ts_id)),
                prerequisites=[],
                needsGPU=self.usesGpu(),
            )
            for ts_id in self._tomograms()
        ]
        self._insertFunctionStep(
            self.createOutputStep,
            self.boxSize.get(),
            self.outputSets.get(),
            prerequisites=picked,
            needsGPU=False,
        )

    def pickStep(self, ts_id, digest):
        """Pick one tomogram; a fault of its own is noted and not fatal."""
        with self._lock:
            tomogram = self._tomograms()[ts_id]
            config = self._configFor(ts_id)
        folder = Path(config.out)
        link_tomogram(tomogram, str(folder))
        note = folder / "failed.txt"
        note.unlink(missing_ok=True)
        try:
            self.runEngine("pick", config, folder)
        except EngineError as error:
            if error.kind not in TOMOGRAM_FAULTS:
                raise
            self.error(f"{ts_id} failed and is left out: {error}")
            note.write_text(str(error), encoding="utf-8")

    def createOutputStep(self, box_size, output_sets):
        """Register the picks, probability maps and failed tomograms.

        Raises
        ------
        EngineError
            If no tomogram could be picked.
        """
        tomograms = self._tomograms()
        failed = self.getFailures()
        picked = {k: t for k, t in tomograms.items() if k not in failed}
        if not picked:
            reasons = " ".join(dict.fromkeys(failed.values()))
            raise EngineError(f"No tomogram could be picked. {reasons}")
        self.failedNames.set(", ".join(failed))
        self._store(self.failedNames)
        outputs = self._makeCoordinates(picked)
        if self.probabilityMap.get():
            outputs.update(self._makeProbabilityMaps(picked))
        if failed:
            lost = {k: tomograms[k] for k in failed}
            outputs[PickOutputs.FailedTomograms.name] = self._makeFailed(lost)
        self._defineOutputs(**outputs)
        for output in outputs.values():
            self._defineSourceRelation(self.inputTomograms, output)
            self._defineSourceRelation(self.inputModel, output)

    def _makeCoordinates(self, tomograms):
        """Return one set per class, or one for all, by output name."""
        picks = {
            ts_id: read_csv(self.getPicksFile(ts_id), tomogram_id=ts_id)
            for ts_id in tomograms
        }
        rate = self.inputTomograms.get().getSamplingRate()
        boxes = {
            name: self.boxSize.get() or even_box(diameter, rate)
            for name, diameter in self.getDiameters().items()
        }
        return make_class_sets(
            self,
            picks,
            tomograms,
            groups=self.getGroups(),
            boxes=boxes,
            output_name=PickOutputs.Coordinates3D.name,
        )

    def _makeProbabilityMaps(self, tomograms):
        outputs = {}
        for number, name in enumerate(self.getGroups(), 1):
            maps = SetOfTomoMasks.create(
                self._getPath(), prefix="probability", suffix=numbered("", number)
            )
            maps.copyInfo(self.inputTomograms.get())
            maps.setObjLabel(f"{name} probability")
            for ts_id, tomogram in tomograms.items():
                path = self._getExtraPath(ts_id, f"{ts_id}_{name}_probability.mrc")
                maps.append(make_mask(tomogram, path))
            maps.write()
            outputs[numbered(PickOutputs.ProbabilityMaps.name, number)] = maps
        return outputs

    def _makeFailed(self, tomograms):
        failed = SetOfTomograms.create(self._getPath(), prefix="failed")
        failed.copyInfo(self.inputTomograms.get())
        for tomogram in tomograms.values():
            failed.append(tomogram)
        failed.write()
        return failed

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        model = self.inputModel.get()
        tomograms = self._tomograms()
        if not model.isUnchanged():
            return [
                f"The model file {model.getPath()} is not the one that was registered: "
                "it was changed or replaced. Train or import it again."
            ]
        self._buildConfig(list(tomograms))
        faults = checks.check_headers(tomograms)
        return [
            *self._checkClasses(),
            *(faults if len(faults) == len(tomograms) else []),
            *(checks.check_masks(self._masks(), tomograms) if self._masks() else []),
            *checks.check_gpu(self),
            *checks.check_writable(self),
        ]

    def _checkClasses(self):
        known = self.inputModel.get().getClassNames()
        values = read_parameters(self, PickConfig, INPUT_FIELDS)
        asked = [*values.get("classes", ()), *values["threshold"]]
        unknown = sorted(set(asked) - set(known))
        if not unknown:
            return []
        return [
            f"The model does not know: {', '.join(unknown)}. Its classes are "
            f"{', '.join(known)}."
        ]

    def _warnings(self):
        faults = checks.check_headers(self._tomograms())
        return [
            *(f"Will be left out: {fault}" for fault in faults),
            *checks.warn_idle_gpus(self),
        ]

    def _summary(self):
        if not hasattr(self, PickOutputs.Coordinates3D.name):
            return ["The picks are not ready yet."]
        lines = []
        for name, output in self.iterOutputAttributes(SetOfCoordinates3D):
            label = output.getObjLabel() or name
            tomograms = len(self.inputTomograms.get()) - len(self.getFailures())
            lines.append(
                f"{label}: {output.getSize()} picks in {tomograms} tomogram(s)"
            )
        lines += [
            f"Failed: {k}. {message}" for k, message in self.getFailures().items()
        ]
        return lines

    def _methods(self):
        if not hasattr(self, PickOutputs.Coordinates3D.name):
            return []
        return [
            f"Particles of {', '.join(self.getGroups())} were picked with a trained "
            f"3D network and mean-pooling non-maximum suppression [{DEEPETPICKER}]."
        ]

    # --------------------------- helpers --------------------------------------
    def getPicksFile(self, ts_id):
        """Return the engine's CSV of one tomogram."""
        return Path(self._getExtraPath(ts_id, f"{ts_id}.csv"))

    def getFailures(self):
        """Return the message of each tomogram that could not be picked."""
        notes = Path(self._getExtraPath()).glob("*/failed.txt")
        return {n.parent.name: n.read_text(encoding="utf-8") for n in sorted(notes)}

    def getThresholds(self):
        """Return the score above which a pick was kept, per class."""
        given = read_parameters(self, PickConfig, ("threshold",))["threshold"]
        card = self.inputModel.get().getCard()
        return {**{c.name: c.threshold for c in card.classes}, **given}

    def _configFor(self, ts_id):
        return self._buildConfig([ts_id], out=self._getExtraPath(ts_id))

    def _buildConfig(self, ts_ids, *, out=None):
        values = read_parameters(self, PickConfig, INPUT_FIELDS + PICKING_FIELDS)
        masks = self._masks()
        missing = sorted(set(ts_ids) - set(masks)) if masks else []
        if missing:
            raise ConfigError(
                f"Without a region mask: {checks.shorten(missing)}. Add masks, or "
                "leave the region masks out."
            )
        values.update(
            model=self.inputModel.get().getPath(),
            tomogram=[self._getExtraPath(t, f"{t}.mrc") for t in ts_ids],
            mask=[tomogram_file(masks[t]) for t in ts_ids if masks],
            out=out or self._getExtraPath(),
            voxel_size=self.inputTomograms.get().getSamplingRate(),
            device=self._device(),
            threads=self._engineThreads(),
        )
        return config_from_values(PickConfig, values)

    def _tomograms(self):
        """Return the input's tomograms by tsId, read once per process."""
        if getattr(self, "_tomogramsRead", None) is None:
            object.__setattr__(
                self, "_tomogramsRead", tomograms_by_id(self.inputTomograms.get())
            )
        return self._tomogramsRead

    def _masks(self):
        masks = self.inputMasks.get()
        return tomograms_by_id(masks) if masks is not None else {}

    def getGroups(self):
        """Return the picked classes and their group ids."""
        names = self.inputModel.get().getClassNames()
        wanted = read_parameters(self, PickConfig, ("classes",)).get("classes", names)
        return {name: i for i, name in enumerate(names, 1) if name in wanted}

    def getDiameters(self):
        card = self.inputModel.get().getCard()
        return {c.name: c.diameter_ang for c in card.classes}
