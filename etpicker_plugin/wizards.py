"""Wizards: diameters, boxes, slices and cut-offs, from what the project knows."""

import shutil
import tempfile
from pathlib import Path

import pyworkflow.wizard as pwizard
from pyworkflow.gui import dialog

from etpicker_plugin.convert import (
    even_box,
    tomogram_file,
    tomograms_by_id,
)
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.engine.volumes.tomogram import read_tomogram
from etpicker_plugin.protocols import (
    ProtEtPickerAnnotate,
    ProtEtPickerEvaluate,
    ProtEtPickerImportCoordinates,
    ProtEtPickerPick,
    ProtEtPickerPickMicrographs,
    ProtEtPickerTrain,
    ProtEtPickerUpdate,
)
from etpicker_plugin.protocols.annotation import ANNOTATION, prepare_window
from etpicker_plugin.protocols.classes import BY_GROUP
from etpicker_plugin.protocols.diameters import suggest_diameters
from etpicker_plugin.protocols.form import read_parameters
from etpicker_plugin.protocols.words import in_form_words
from etpicker_plugin.viewers.edit_window import first_outputs, follow_window
from etpicker_plugin.viewers.viewers import FigureView, open_picks
from etpicker_plugin.viewers.z_range import ZRangeChooser, side_view
from etpicker_plugin.window.document.session import CLASSES_FILE
from etpicker_plugin.window.document.settings import Classes

MOST_VIEWS = 3


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
                "No diameter known",
                "Choose coordinate sets with a box size first.",
                form.root,
            )


class EtPickerBoxSizeWizard(pwizard.Wizard):
    """The box that holds the model's largest particle."""

    _targets = (
        (ProtEtPickerPick, ["boxSize"]),
        (ProtEtPickerPickMicrographs, ["boxSize"]),
    )

    def show(self, form, *args):
        protocol = form.protocol
        images = protocol.imagesPointer().get()
        if protocol.inputModel.get() is None or images is None:
            dialog.showWarning(
                "Input missing", "Choose what to pick and a model first.", form.root
            )
            return
        box = even_box(max(protocol.getDiameters().values()), images.getSamplingRate())
        form.setVar("boxSize", box)


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


class EtPickerRulerWizard(pwizard.Wizard):
    """Classes and diameters measured in the window with the ruler."""

    _targets = ((ProtEtPickerAnnotate, ["diameter"]),)

    def show(self, form, *args):
        protocol = form.protocol
        if protocol.inputTomograms.get() is None:
            dialog.showWarning(
                "Input missing", "Choose tomograms or micrographs first.", form.root
            )
            return
        folder = Path(tempfile.mkdtemp(prefix="etpicker_ruler_"))
        tomograms = tomograms_by_id(protocol.inputTomograms.get())
        try:
            config = prepare_window(
                folder, tomograms, {}, diameters=protocol.getDiameters()
            )
            follow_window(form.root, config, folder, lambda: self.take(form, folder))
        except EtPickerError as error:
            dialog.showError("etpicker", in_form_words(error), form.root)

    def take(self, form, folder):
        """Put the measured diameters into the form."""
        classes = Classes(folder / ANNOTATION / CLASSES_FILE, {})
        # A guess that nobody measured is no answer.
        known = [item for item in classes if not item.guessed]
        words = [f"{item.name}={item.diameter_ang:g}" for item in known]
        if words:
            form.setVar("diameter", " ".join(words))
        shutil.rmtree(folder, ignore_errors=True)


class EtPickerZRangeWizard(pwizard.Wizard):
    """First and last slice, set on side views of some of the tomograms."""

    _targets = ((ProtEtPickerPick, ["zRange"]),)

    def show(self, form, *args):
        protocol = form.protocol
        if protocol.inputTomograms.get() is None:
            dialog.showWarning("Input missing", "Choose tomograms first.", form.root)
            return
        try:
            given = read_parameters(protocol, PickConfig, ("z_range",))
            z_range = [float(word) for word in given.get("z_range", [])]
            views = some_side_views(protocol.inputTomograms.get())
        except (EtPickerError, ValueError) as error:
            dialog.showError("etpicker", in_form_words(error), form.root)
            return
        view = FigureView(
            "Z range",
            lambda figure: ZRangeChooser(
                figure, views, z_range if len(z_range) == 2 else ()
            ),
            size=(8, 3 * len(views)),
        )
        view.figure.canvas.mpl_connect(
            "close_event", lambda _event: form.setVar("zRange", view.drawn.text())
        )
        view.show()


def some_side_views(tomograms):
    """Return side views of up to three tomograms, evenly taken, by tsId."""
    known = list(tomograms_by_id(tomograms).items())
    some = known[:: -(-len(known) // MOST_VIEWS)]
    return {
        ts_id: side_view(
            read_tomogram(
                tomogram_file(item), item.getSamplingRate(), trust_voxel_size=True
            ).data
        )
        for ts_id, item in some
    }


class EtPickerThresholdWizard(pwizard.Wizard):
    """Thresholds set on the score histograms of the picks that there are."""

    _targets = (
        (ProtEtPickerPick, ["threshold"]),
        (ProtEtPickerPickMicrographs, ["threshold"]),
    )

    def show(self, form, *args):
        if not first_outputs(form.protocol):
            dialog.showWarning(
                "No scores yet",
                "Pick once, with a low threshold (0.001, say); then this opens the "
                "score histograms, and takes the cut-offs that you set there.",
                form.root,
            )
            return
        try:
            open_picks(
                form.root,
                form.protocol,
                on_close=lambda folder: form.setVar("threshold", thresholds_of(folder)),
            )
        except EtPickerError as error:
            dialog.showError("etpicker", in_form_words(error), form.root)


def thresholds_of(folder):
    """Return NAME=THRESHOLD words of the cut-offs that were set in the window."""
    classes = Classes(folder / ANNOTATION / CLASSES_FILE, {})
    return " ".join(f"{c.name}={c.threshold:.4g}" for c in classes if c.threshold > 0)
