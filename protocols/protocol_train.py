"""Learn a picker from clicked centres."""

from enum import Enum

from etpicker_plugin.protocols.diameters import read_diameters, read_with_diameters
from etpicker_plugin.protocols.form import add_parameters
from etpicker_plugin.protocols.protocol_learn import INPUT_FIELDS, ProtEtPickerLearn

from etpicker_plugin.engine.config.options import config_from_values
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.objects import EtPickerModel

TRAINING_FIELDS = (
    "network",
    "from_scratch",
    "first_look",
    "instant",
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
    "exemplars",
    "exemplar_budget",
    "owner",
    "licence",
    "seed",
)
COMMAND_LINE_FIELDS = ("map", "defocus")
"""Fields that the form does not have."""


class TrainOutputs(Enum):
    model = EtPickerModel


class ProtEtPickerTrain(ProtEtPickerLearn):
    """Train a picker from a few particle centres in a few tomograms.

    Each class needs some tens of centres. With 'sparse' annotation only a part of the
    particles has to be marked. The tomograms that have no coordinates are not used.
    """

    _label = "train model"
    _possibleOutputs = TrainOutputs
    COMMAND = "train"

    # --------------------------- form -----------------------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        self._addAnnotated(
            form,
            TrainConfig,
            tomograms_help="Tomograms to learn from, of the same kind (binning, "
            "denoising) as those to be picked later. Those without coordinates are "
            "not used.",
        )
        form.addSection(label="Training")
        add_parameters(form, TrainConfig, TRAINING_FIELDS)
        self._addComputing(form)

    # --------------------------- steps ----------------------------------------
    def createOutputStep(self, digest):
        """Register the model."""
        model = EtPickerModel.fromFile(self.getModelFile())
        self._defineOutputs(**{TrainOutputs.model.name: model})
        self._defineSourceRelation(self.inputTomograms, model)
        for pointer in (*self.inputCoordinates, *self.inputNegatives):
            self._defineSourceRelation(pointer, model)

    # --------------------------- info -----------------------------------------
    def _summary(self):
        model = getattr(self, TrainOutputs.model.name, None)
        if model is None:
            return [
                *self._runningLines(),
                "The model is not ready yet. 'Analyze results' shows its training, and "
                "can finish it early.",
            ]
        card = model.getCard()
        lines = [model.getInfo(), *model.describeTraining()]
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
    def _buildConfig(self):
        fields = INPUT_FIELDS + TRAINING_FIELDS
        values = read_with_diameters(self, TrainConfig, fields, self.inputCoordinates)
        return config_from_values(TrainConfig, {**values, **self._learningValues()})

    def getDiameters(self):
        """Return the diameter of each class in Å."""
        return read_diameters(self, TrainConfig, self.inputCoordinates)
