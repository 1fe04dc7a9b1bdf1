"""Wizards: particle diameters and box sizes from what the project already knows."""

import pyworkflow.wizard as pwizard
from pyworkflow.gui import dialog

from etpicker_plugin.convert import even_box, group_ids
from etpicker_plugin.protocols import (
    ProtEtPickerEvaluate,
    ProtEtPickerImportCoordinates,
    ProtEtPickerPick,
    ProtEtPickerTrain,
    ProtEtPickerUpdate,
)
from etpicker_plugin.protocols.classes import BY_GROUP
from etpicker_plugin.protocols.protocol_base import set_label


class EtPickerDiameterWizard(pwizard.Wizard):
    """Names and diameters from the coordinate sets: label and box size."""

    _targets = (
        (ProtEtPickerTrain, ["diameter"]),
        (ProtEtPickerUpdate, ["diameter"]),
        (ProtEtPickerEvaluate, ["diameter"]),
    )

    def show(self, form, *args):
        protocol = form.protocol
        pointers = getattr(protocol, "inputTruth", None) or protocol.inputCoordinates
        text = suggest_diameters(pointers, by_group=protocol.classesFrom == BY_GROUP)
        if text:
            form.setVar("diameter", text)
        else:
            dialog.showWarning(
                "No box size",
                "Choose coordinate sets with a box size first.",
                form.root,
            )


class EtPickerBoxSizeWizard(pwizard.Wizard):
    """The box that holds the model's largest particle."""

    _targets = ((ProtEtPickerPick, ["boxSize"]),)

    def show(self, form, *args):
        protocol = form.protocol
        if protocol.inputModel.get() is None or protocol.inputTomograms.get() is None:
            dialog.showWarning(
                "Input missing", "Choose tomograms and a model first.", form.root
            )
            return
        rate = protocol.inputTomograms.get().getSamplingRate()
        form.setVar("boxSize", even_box(max(protocol.getDiameters().values()), rate))


class EtPickerImportBoxSizeWizard(pwizard.Wizard):
    """The box that holds the largest of the diameters given."""

    _targets = ((ProtEtPickerImportCoordinates, ["boxSize"]),)

    def show(self, form, *args):
        protocol = form.protocol
        diameters = protocol.getDiameters().values()
        if not diameters or protocol.inputTomograms.get() is None:
            dialog.showWarning(
                "Input missing", "Choose tomograms and give diameters first.", form.root
            )
            return
        rate = protocol.inputTomograms.get().getSamplingRate()
        form.setVar("boxSize", even_box(max(diameters), rate))


def suggest_diameters(pointers, *, by_group):
    """Return NAME=DIAMETER words from labels, group ids, box and sampling rate."""
    words = []
    for pointer in pointers:
        item = pointer.get()
        if item is None or not item.getBoxSize():
            return ""
        diameter = item.getBoxSize() * item.getSamplingRate()
        labels = [name.strip() for name in set_label(pointer).split(",")]
        names = [label.replace(" ", "_") for label in labels]
        if by_group and len(names) == 1:
            names = [f"class_{i}" for i in group_ids(item)]
        words += [f"{name}={diameter:g}" for name in names]
    return " ".join(dict.fromkeys(words))
