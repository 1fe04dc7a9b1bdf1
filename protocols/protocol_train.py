"""Learn a picker from clicked centres."""

from enum import Enum

from etpicker_plugin.protocols.classes import BY_GROUP
from etpicker_plugin.protocols.diameters import read_diameters, read_with_diameters
from etpicker_plugin.protocols.form import add_parameters
from etpicker_plugin.protocols.maps import (
    add_maps,
    bring_maps,
    check_maps,
    map_path,
    maps_by_class,
)
from etpicker_plugin.protocols.protocol_base import class_label
from etpicker_plugin.protocols.protocol_learn import INPUT_FIELDS, ProtEtPickerLearn

from etpicker_plugin.convert_images import image_ids, is_flat
from etpicker_plugin.engine.config.options import config_from_values
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.names import image_word
from etpicker_plugin.objects import EtPickerModel

MAP_FIELDS = ("defocus",)

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
MAP_INPUTS = ("map",)
"""What the input maps give."""


class TrainOutputs(Enum):
    model = EtPickerModel


class ProtEtPickerTrain(ProtEtPickerLearn):
    """Train a picker from particle centres in tomograms or micrographs, or from maps.

    Each class needs some tens of centres. With 'sparse' annotation only a part of the
    particles has to be marked. What has no coordinates is not used. A model is one of
    tomograms or one of micrographs, never of both. Where the densities of the particles
    in tomograms are known, no coordinates are needed.
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
            tomograms_help="Tomograms or micrographs to learn from, of the same kind "
            "(binning, denoising) as those to be picked later. Those without "
            "coordinates are not used; with density maps alone, two tomograms are "
            "looked at.",
            or_maps=True,
        )
        add_maps(form)
        add_parameters(form, TrainConfig, MAP_FIELDS)
        form.addSection(label="Training")
        add_parameters(form, TrainConfig, TRAINING_FIELDS)
        self._addComputing(form)

    # --------------------------- steps ----------------------------------------
    def convertInputStep(self, digest):
        """Bring tomograms, coordinates and maps to where the engine reads them."""
        super().convertInputStep(digest)
        bring_maps(self._maps(), self._mapsFolder())

    def createOutputStep(self, digest):
        """Register the model."""
        model = EtPickerModel.fromFile(self.getModelFile())
        self._defineOutputs(**{TrainOutputs.model.name: model})
        self._defineSourceRelation(self.inputTomograms, model)
        for pointer in self.getTeachers():
            self._defineSourceRelation(pointer, model)

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        if not self._isMarked() and self.validationNames.get("").strip():
            return [
                "Validation tomograms are held out of those with coordinates, and "
                "there are no coordinates. Leave them empty."
            ]
        if self._maps() and is_flat(self.inputTomograms.get()):
            return [
                "Density maps: scenes are made like tomograms, and these are "
                "micrographs. Give coordinates instead, or tomograms."
            ]
        return check_maps(self._maps()) or super()._findErrors()

    def _nameErrors(self):
        return super()._nameErrors() if self._isMarked() else []

    def _warnNames(self):
        return super()._warnNames() if self._isMarked() else []

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
        taught_by = card.training.get("taught_by")
        if taught_by:
            return [*lines, taught_by]
        marked = sum(sum(t.particles.values()) for t in card.tomograms)
        images = f"{image_word(card.is_flat)}(s)"
        lines.append(f"{marked} centres in {len(card.tomograms)} {images}")
        return lines

    def _methods(self):
        model = getattr(self, TrainOutputs.model.name, None)
        if model is None:
            return []
        card = model.getCard()
        return [
            f"A {card.network} network was trained on {len(card.tomograms)} "
            f"{image_word(card.is_flat)}(s) with {card.annotation} weak annotation for "
            f"the classes {', '.join(card.class_names())} at "
            f"{card.working_voxel_size:.4g} Å per "
            "voxel (DeepETPicker [Liu2024])."
        ]

    # --------------------------- helpers --------------------------------------
    def _buildConfig(self):
        fields = INPUT_FIELDS + MAP_FIELDS + TRAINING_FIELDS
        values = read_with_diameters(self, TrainConfig, fields, self._named())
        return config_from_values(TrainConfig, {**values, **self._learningValues()})

    def getDiameters(self):
        """Return the diameter of each class in Å."""
        return read_diameters(self, TrainConfig, self._named())

    def getTeachers(self):
        """Return the pointers to what is learnt from, beside tomograms."""
        return (*super().getTeachers(), *self.inputMaps)

    def _learningValues(self):
        values = super()._learningValues()
        if not self._isMarked():
            values["coordinates"] = values["mask"] = []
        folder, maps = self._mapsFolder(), self._maps()
        values["map"] = {name: map_path(folder, name, maps[name]) for name in maps}
        return values

    def _maps(self):
        """Return the density map of each class that has one."""
        return maps_by_class(self.inputMaps, list(self.getDiameters()))

    def _mapsFolder(self):
        return self._getExtraPath("maps")

    def _isMarked(self):
        return len(self.inputCoordinates) > 0

    def _named(self):
        """Return the pointers whose labels are classes, where one number is typed."""
        return self.inputCoordinates if self._isMarked() else self.inputMaps

    def _usedNames(self):
        """Return the tsIds with coordinates; without any coordinates, all."""
        if self._isMarked():
            return super()._usedNames()
        return sorted(image_ids(self.inputTomograms.get()))

    def _classesOfSets(self):
        if not self._isMarked() or self.classesFrom.get() == BY_GROUP:
            return super()._classesOfSets() if self._isMarked() else []
        labels = {class_label(pointer) for pointer in self.inputCoordinates}
        maps = self._maps()
        return [n for n in super()._classesOfSets() if n not in maps or n in labels]

    def _classesToMark(self):
        maps = self._maps()
        return [name for name in super()._classesToMark() if name not in maps]
