"""Teach a model new tomograms or species, without forgetting the old."""

from enum import Enum
from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.form import add_parameters, read_parameters
from etpicker_plugin.protocols.protocol_learn import INPUT_FIELDS, ProtEtPickerLearn
from pyworkflow.protocol import params

from etpicker_plugin.constants import FORGETTING_FILE, REPORT_FILE
from etpicker_plugin.engine.config.options import config_from_values
from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.model.card import read_usable_card
from etpicker_plugin.engine.model.training_end import describe_end
from etpicker_plugin.engine.result_files import read_record
from etpicker_plugin.engine.update.classes import plan_classes
from etpicker_plugin.objects import EtPickerModel

UPDATE_FIELDS = (
    "other_classes",
    "allowed_drop",
    "max_minutes",
    "steps",
    "batch_size",
    "patch_size",
    "learning_rate",
    "replay_weight",
    "distillation_weight",
    "feature_weight",
    "importance_weight",
    "validation_fraction",
    "f_alpha",
    "patience",
    "exemplars",
    "exemplar_budget",
    "owner",
    "licence",
    "seed",
)
PROMOTED = "promoted"


class UpdateOutputs(Enum):
    updatedModel = EtPickerModel
    recommendedModel = EtPickerModel


class ProtEtPickerUpdate(ProtEtPickerLearn):
    """Teach a model new images of a known particle, or a species it never saw.

    A model of tomograms learns from tomograms, one of micrographs from micrographs.

    Gives a new model beside the old one, and a report on what was gained and lost.
    The recommended model is the new one, unless an old class lost too much.
    """

    _label = "update model"
    _possibleOutputs = UpdateOutputs
    COMMAND = "update"

    # --------------------------- form -----------------------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        form.addParam(
            "inputModel",
            params.PointerParam,
            pointerClass="EtPickerModel",
            important=True,
            label="Model",
            help="The model to update. It stays as it is.",
        )
        self._addAnnotated(
            form,
            UpdateConfig,
            tomograms_help="New tomograms or micrographs to learn from, whichever the "
            "model is of. Those without coordinates are not used.",
        )
        form.addSection(label="Update")
        add_parameters(form, UpdateConfig, UPDATE_FIELDS)
        self._addComputing(form)

    # --------------------------- steps ----------------------------------------
    def createOutputStep(self, digest):
        """Register the new model, and the one to go on with."""
        old = self.inputModel.get()
        recommended = self.getModelFile() if self.isPromoted() else old.getPath()
        self._defineOutputs(
            updatedModel=EtPickerModel.fromFile(self.getModelFile()),
            recommendedModel=EtPickerModel.fromFile(recommended),
        )
        for output in (self.updatedModel, self.recommendedModel):
            self._defineSourceRelation(self.inputModel, output)
            self._defineSourceRelation(self.inputTomograms, output)
            for pointer in self.getTeachers():
                self._defineSourceRelation(pointer, output)

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        errors = super()._findErrors()
        if errors:
            return errors
        config = self._buildConfig()
        card = read_usable_card(config.model)
        errors = checks.check_model_kind(card, self.inputTomograms.get())
        if errors:
            return errors
        if config.diameter:
            plan_classes(card, config)
        return []

    def _summary(self):
        forgetting = self.getForgetting()
        if not forgetting:
            return self._runningLines() or ["The update is not ready yet."]
        card = self.updatedModel.getCard() if hasattr(self, "updatedModel") else None
        lines = [
            "Promoted: the recommended model is the updated one."
            if self.isPromoted()
            else "Kept old: the recommended model is the one that went in.",
            *forgetting["reasons"],
            *forgetting.get("doubts", ()),
        ]
        for name, change in forgetting["classes"].items():
            if change["f1_after"] is None:
                lines.append(f"{name}: not measured")
                continue
            new = " (new)" if change["is_new"] else ""
            lines.append(
                f"{name}{new}: F1 {change['f1_before']:.2f} -> {change['f1_after']:.2f}"
                f" on {change['n_particles']} held-out particles"
            )
        if card is not None:
            lines.append(describe_end(card.training))
        return lines

    def _methods(self):
        if not self.getForgetting():
            return []
        return [
            "The model was updated with exemplar-based continual learning (after "
            "EPicker [Zhang2022]): replayed exemplars, distillation of the former "
            "model's outputs and features, and a penalty on moving important weights."
        ]

    # --------------------------- helpers --------------------------------------
    def getReportFile(self):
        """Return the report on what was gained and lost."""
        return self._getExtraPath(REPORT_FILE)

    def getForgetting(self):
        """Return what the engine measured; empty before the run."""
        path = Path(self._getExtraPath(FORGETTING_FILE))
        return read_record(path)

    def isPromoted(self):
        return self.getForgetting()["verdict"] == PROMOTED

    def _buildConfig(self):
        values = read_parameters(self, UpdateConfig, INPUT_FIELDS + UPDATE_FIELDS)
        values["model"] = self.inputModel.get().getPath()
        values.update(self._learningValues())
        # Of classes that the model knows it has the kind too.
        kinds, named = values["kind"], values["diameter"]
        values["kind"] = {n: kind for n, kind in kinds.items() if n in named}
        return config_from_values(UpdateConfig, values)

    def getKinds(self):
        """Return the kind of each class that is no particle, the model's too."""
        kinds = super().getKinds()
        card = self.inputModel.get().getCard()
        known = {c.name: c.kind for c in card.classes if c.kind != PARTICLE}
        return {**known, **kinds}

    def getDiameters(self):
        """Return the diameter (Å) of each class that is learnt now."""
        named = read_parameters(self, UpdateConfig, ("diameter",))["diameter"]
        card = self.inputModel.get().getCard()
        return named or {c.name: c.diameter_ang for c in card.classes}
