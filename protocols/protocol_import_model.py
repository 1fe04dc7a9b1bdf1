"""Bring a trained model file into a project."""

import shutil
from enum import Enum

from etpicker_plugin.protocols.protocol_base import ProtEtPickerBase
from pyworkflow.protocol import params

from etpicker_plugin.constants import MODEL_FILE
from etpicker_plugin.engine.model.card import read_usable_card
from etpicker_plugin.objects import EtPickerModel


class ImportModelOutputs(Enum):
    model = EtPickerModel


class ProtEtPickerImportModel(ProtEtPickerBase):
    """Import a model trained elsewhere. It is copied; opening it runs no code."""

    _label = "import model"
    _possibleOutputs = ImportModelOutputs

    def _defineParams(self, form):
        form.addSection(label="Import")
        form.addParam(
            "modelFile",
            params.FileParam,
            important=True,
            label="Model file",
            help="A model.safetensors written by 'train model', here or elsewhere.",
        )

    def _insertAllSteps(self):
        self._insertFunctionStep(
            self.importStep, self.modelFile.get(), prerequisites=[], needsGPU=False
        )

    def importStep(self, path):
        """Copy the file and register it."""
        copied = self._getExtraPath(MODEL_FILE)
        shutil.copyfile(path, copied)
        self._defineOutputs(
            **{ImportModelOutputs.model.name: EtPickerModel.fromFile(copied)}
        )

    def _findErrors(self):
        read_usable_card(self.modelFile.get() or "")
        return []

    def _summary(self):
        model = getattr(self, ImportModelOutputs.model.name, None)
        return [model.getInfo()] if model is not None else []
