"""Learn a picker from clicked centres."""

import os
from enum import Enum
from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.form import (
    add_parameters,
    read_parameters,
    split_words,
)
from etpicker_plugin.protocols.protocol_base import ProtEtPickerBase
from pyworkflow.object import Set
from pyworkflow.protocol import params

from etpicker_plugin.constants import MODEL_FILE, PROGRESS_FILE, STATE_FILE
from etpicker_plugin.convert import (
    link_tomogram,
    particles_by_tomogram,
    tomogram_file,
    tomograms_by_id,
)
from etpicker_plugin.engine.config.options import config_digest, config_from_values
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.io.coordinates_csv import write_csv
from etpicker_plugin.objects import EtPickerModel

INPUT_FIELDS = ("diameter", "annotation")
TRAINING_FIELDS = (
    "network",
    "max_minutes",
    "steps",
    "batch_size",
    "patch_size",
    "working_voxel_size",
    "label_shape",
    "label_diameter",
    "learning_rate",
    "validation_fraction",
    "f_alpha",
    "patience",
    "seed",
)
SCIPION_FIELDS = (
    "tomogram",
    "coordinates",
    "out",
    "voxel_size",
    "mask",
    "validation_tomogram",
    "validation_coordinates",
    "device",
    "threads",
)
"""Fields that Scipion's own inputs give: sets, folders, GPU and threads."""


class TrainOutputs(Enum):
    model = EtPickerModel


class ProtEtPickerTrain(ProtEtPickerBase):
    """Train a picker from a few particle centres in a few tomograms.

    Each class needs some tens of centres. With 'sparse' annotation only a part of the
    particles has to be marked. The tomograms that have no coordinates are not used.
    """

    _label = "train model"
    _possibleOutputs = TrainOutputs

    # --------------------------- form -----------------------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        form.addParam(
            "inputTomograms",
            params.PointerParam,
            pointerClass="SetOfTomograms",
            important=True,
            label="Tomograms",
            help="Tomograms to learn from, of the same kind (binning, denoising) as "
            "those to be picked later. Those without coordinates are not used.",
        )
        form.addParam(
            "inputCoordinates",
            params.MultiPointerParam,
            pointerClass="SetOfCoordinates3D",
            minNumObjects=1,
            important=True,
            label="Coordinates",
            help="Centres of particles in these tomograms: one set for each class, or "
            "sets whose group ids are the classes.",
        )
        self._addClasses(
            form,
            help_text="*one class per set*: a set whose label is the name of a class "
            "below is that class; the others follow in order.\n*one class per group "
            "id*: the ids 1, 2, 3 ... are the classes below in order.",
        )
        add_parameters(form, TrainConfig, INPUT_FIELDS)
        form.addParam(
            "inputMasks",
            params.PointerParam,
            pointerClass="SetOfTomoMasks",
            allowsNull=True,
            expertLevel=params.LEVEL_ADVANCED,
            label="Region masks",
            help="Voxels where the mask of a tomogram is 0 are not learnt from.",
        )
        form.addParam(
            "validationNames",
            params.StringParam,
            default="",
            expertLevel=params.LEVEL_ADVANCED,
            label="Validation tomograms",
            help="Names (tsId) of tomograms held out for validation and for the "
            "thresholds, separated by spaces. Without any, a slab of each is held out.",
        )
        form.addSection(label="Training")
        add_parameters(form, TrainConfig, TRAINING_FIELDS)
        self._addComputing(form)

    # --------------------------- steps ----------------------------------------
    def _insertAllSteps(self):
        # The digest makes 'Continue' notice changed parameters.
        digest = config_digest(self._buildConfig())
        prepared = self._insertFunctionStep(
            self.convertInputStep, digest, prerequisites=[], needsGPU=False
        )
        trained = self._insertFunctionStep(
            self.trainStep, digest, prerequisites=[prepared], needsGPU=self.usesGpu()
        )
        self._insertFunctionStep(
            self.createOutputStep, digest, prerequisites=[trained], needsGPU=False
        )

    def convertInputStep(self, digest):
        """Link the tomograms and write one coordinate file for each."""
        self._forgetOtherRun(digest)
        particles = self._readParticles()
        tomograms = tomograms_by_id(self.inputTomograms.get())
        for ts_id in self._usedNames():
            link_tomogram(tomograms[ts_id], self._getExtraPath("tomograms"))
            csv = self._csvOf(ts_id)
            os.makedirs(os.path.dirname(csv), exist_ok=True)
            write_csv(particles[ts_id], Path(csv))

    def trainStep(self, digest):
        """Train, or go on where a stopped training was."""
        self.runEngine("train", self._buildConfig(), self._getExtraPath())

    def createOutputStep(self, digest):
        """Register the model."""
        model = EtPickerModel.fromFile(self.getModelFile())
        self._defineOutputs(**{TrainOutputs.model.name: model})
        self._defineSourceRelation(self.inputTomograms, model)
        for pointer in self.inputCoordinates:
            self._defineSourceRelation(pointer, model)

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        every = self.inputTomograms.get().getTSIds()
        errors = checks.check_names(every, self._markedNames(), of="coordinates")
        if errors:
            return errors
        tomograms = self._usedTomograms()
        if self._masks():
            errors = checks.check_masks(self._masks(), tomograms)
            if errors:
                return errors
        config = self._buildConfig()
        rate = self.inputTomograms.get().getSamplingRate()
        particles = self._readParticles()
        return [
            *checks.check_sampling_rates(rate, self._samplingRates(), of="coordinates"),
            *checks.check_headers(tomograms),
            *checks.check_inside(particles, tomograms),
            *checks.check_diameters(config.diameter, tomograms),
            *checks.check_counts(particles, config.diameter),
            *checks.check_gpu(self),
            *checks.check_writable(self),
        ]

    def _warnings(self):
        every = self.inputTomograms.get().getTSIds()
        return [
            *checks.warn_names(every, self._markedNames(), of="coordinates"),
            *self._warnLeftOut(self.inputCoordinates, self._classNames()),
        ]

    def _summary(self):
        model = getattr(self, TrainOutputs.model.name, None)
        if model is None:
            return ["The model is not ready yet. 'Analyze results' shows its training."]
        card = model.getCard()
        lines = [model.getInfo()]
        for item in card.classes:
            f1 = item.metrics.get("f1")
            validated = f", F1 {f1:.2f} on validation data" if f1 is not None else ""
            lines.append(f"{item.name}: threshold {item.threshold:.3f}{validated}")
        marked = sum(sum(t.particles.values()) for t in card.tomograms)
        lines.append(f"{marked} centres in {len(card.tomograms)} tomogram(s)")
        return lines

    def _methods(self):
        model = getattr(self, TrainOutputs.model.name, None)
        if model is None:
            return []
        card = model.getCard()
        return [
            f"A {card.network} network was trained on {len(card.tomograms)} "
            f"tomogram(s) with {card.annotation} weak annotation for the classes "
            f"{', '.join(card.class_names())} at {card.working_voxel_size:.4g} Å per "
            "voxel (DeepETPicker [Liu2024])."
        ]

    # --------------------------- helpers --------------------------------------
    def getModelFile(self):
        """Return where the engine writes the model."""
        return self._getExtraPath(MODEL_FILE)

    def getProgressFile(self):
        """Return where the engine reports its progress."""
        return self._getExtraPath(PROGRESS_FILE)

    def _buildConfig(self):
        values = read_parameters(self, TrainConfig, INPUT_FIELDS + TRAINING_FIELDS)
        masks = self._masks()
        held_out = self._heldOutNames()
        learning = [n for n in self._usedNames() if n not in held_out]
        if not learning:
            raise ConfigError(
                "No tomogram with coordinates is left to learn from. Check the names "
                "of tomograms and coordinates, and the validation tomograms."
            )
        values.update(
            tomogram=[self._linkOf(n) for n in learning],
            coordinates=[self._csvOf(n) for n in learning],
            validation_tomogram=[self._linkOf(n) for n in held_out],
            validation_coordinates=[self._csvOf(n) for n in held_out],
            mask=[tomogram_file(masks[n]) for n in learning if n in masks],
            voxel_size=self.inputTomograms.get().getSamplingRate(),
            out=self._getExtraPath(),
            device=self._device(),
            threads=self._engineThreads(),
        )
        return config_from_values(TrainConfig, values)

    def _forgetOtherRun(self, digest):
        """Remove what a run with other parameters left: the engine keeps its models."""
        note = Path(self._getExtraPath("parameters.txt"))
        if note.is_file() and note.read_text(encoding="utf-8") != digest:
            for name in (MODEL_FILE, STATE_FILE, PROGRESS_FILE):
                Path(self._getExtraPath(name)).unlink(missing_ok=True)
        note.write_text(digest, encoding="utf-8")

    def _heldOutNames(self):
        wanted = split_words(self.validationNames.get())
        missing = sorted(set(wanted) - set(self._usedNames()))
        if missing:
            raise ConfigError(
                f"Validation tomograms without coordinates or unknown: "
                f"{checks.shorten(missing)}. Known: "
                f"{checks.shorten(self._usedNames())}."
            )
        return wanted

    def _classNames(self):
        return list(read_parameters(self, TrainConfig, ("diameter",))["diameter"])

    def _readParticles(self):
        return particles_by_tomogram(
            self._classSources(self.inputCoordinates, self._classNames())
        )

    def _markedNames(self):
        """Return the tsIds that have coordinates."""
        return {
            name
            for pointer in self.inputCoordinates
            for name in pointer.get().getTSIds()
        }

    def _usedNames(self):
        """Return the tsIds that have a tomogram and coordinates, sorted."""
        return sorted(self._markedNames() & set(self.inputTomograms.get().getTSIds()))

    def _usedTomograms(self):
        tomograms = tomograms_by_id(self.inputTomograms.get())
        return {name: tomograms[name] for name in self._usedNames()}

    def _masks(self):
        masks = self.inputMasks.get()
        return tomograms_by_id(masks) if masks is not None else {}

    def _samplingRates(self):
        for pointer in self.inputCoordinates:
            item: Set = pointer.get()
            yield item.getObjLabel() or pointer.getExtended(), item.getSamplingRate()

    def _linkOf(self, ts_id):
        return self._getExtraPath("tomograms", f"{ts_id}.mrc")

    def _csvOf(self, ts_id):
        return self._getExtraPath("coordinates", f"{ts_id}.csv")
