"""The windows of 'Analyze results' for models and the protocols that make them."""

from pathlib import Path

from pyworkflow.gui import dialog
from pyworkflow.protocol.params import LabelParam
from pyworkflow.viewer import DESKTOP_TKINTER, MessageView, Viewer

from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.engine.records import progress_file
from etpicker_plugin.objects import EtPickerModel
from etpicker_plugin.protocols import ProtEtPickerTrain, ProtEtPickerUpdate
from etpicker_plugin.protocols.protocol_learn import ProtEtPickerLearn
from etpicker_plugin.viewers.edit_window import edit_marks
from etpicker_plugin.viewers.training_curves import LiveTraining
from etpicker_plugin.viewers.viewers import EtPickerViewer, FigureView


class EtPickerTrainViewer(EtPickerViewer):
    """Training curves and a validation slice; they follow a running training."""

    _label = "viewer training"
    _targets = (ProtEtPickerTrain, ProtEtPickerUpdate)
    _environments = (DESKTOP_TKINTER,)

    def _defineParams(self, form):
        form.addSection(label="Training")
        form.addParam(
            "showCurves",
            LabelParam,
            label="Watch it learn",
            help="Loss, learning rate and validation by optimiser step; beside them a "
            "slice that is held out, with what is picked there so far. While the "
            "training runs, the window follows it.",
        )
        form.addParam(
            "finishNow",
            LabelParam,
            label="Finish now",
            condition=str(self.protocol.isActive()),
            help="Ends the training after its present step. The best model so far is "
            "kept, and is the output.",
        )
        form.addParam(
            "showModel", LabelParam, label="Model", help="What the model file says."
        )
        form.addParam(
            "showMarks",
            LabelParam,
            label="What it learns from",
            help="Opens the etpicker window on the tomograms and marks. What is "
            "changed can be saved as a new output, to learn from next.",
        )
        form.addParam(
            "showReport",
            LabelParam,
            label="Gained and lost",
            condition=str(isinstance(self.protocol, ProtEtPickerUpdate)),
            help="Opens the report on what the update gained and lost in the browser.",
        )

    def _getVisualizeDict(self):
        return {
            "showCurves": self._showCurves,
            "finishNow": self._finishNow,
            "showModel": self._showModel,
            "showMarks": self._showMarks,
            "showReport": self._showReport,
        }

    def _showReport(self, _name=None):
        return self._openReport()

    def _showCurves(self, _name=None):
        folder = Path(self.protocol.getModelFile()).parent
        return [training_view(folder, self.protocol.getRunName())]

    def _finishNow(self, _name=None):
        if not self.protocol.isActive():
            return [self._message("The training does not run.", "Finish now")]
        self.protocol.finishNow()
        said = (
            "The training ends after its present step. Its best model is measured and "
            "registered: that may take a minute."
        )
        return [self._message(said, "Finish now")]

    def _showModel(self, _name=None):
        models = self.protocol.iterOutputAttributes(EtPickerModel)
        for _, model in models:
            return [self._message(describe_model(model), "Model")]
        return [self._message("The model is not ready yet.", "Model")]

    def _showMarks(self, _name=None):
        try:
            edit_marks(self.getTkRoot(), self.protocol)
        except EtPickerError as error:
            return [self._message(str(error), "What it learns from")]
        return []


class EtPickerModelViewer(Viewer):
    """A model: its card, its training, and the tomograms and marks it learnt from."""

    _name = "etpicker model"
    _targets = (EtPickerModel,)
    _environments = (DESKTOP_TKINTER,)

    def _visualize(self, model, **kwargs):
        root = self._tkRoot
        views = [MessageView(describe_model(model), "Model", tkParent=root)]
        folder = Path(model.getPath()).parent
        if progress_file(folder).is_file():
            views.insert(0, training_view(folder, model.getPath()))
        maker = find_maker(self._project, model)
        if maker is not None and dialog.askYesNo(
            "Model", "Open the tomograms and marks that it learnt from?", root
        ):
            try:
                edit_marks(root, maker)
            except EtPickerError as error:
                views.append(MessageView(str(error), "Model", tkParent=root))
        return views


def find_maker(project, model):
    """Return the protocol that trained or updated a model, if it is in the project.

    A recommended model may be an update's input: then it is that one's maker.
    """
    for protocol in project.getRuns():
        if isinstance(protocol, ProtEtPickerLearn) and Path(
            protocol.getModelFile()
        ) == Path(model.getPath()):
            return protocol
    return None


def training_view(folder, title):
    """Return the window that follows the training in a folder."""
    return FigureView(
        f"Training: {title}",
        lambda figure: LiveTraining(figure, folder, title=title),
        size=(11, 6),
    )


def describe_model(model):
    """Return a model's card as text."""
    card = model.getCard()
    lines = [model.getInfo(), "", *model.describeTraining(), ""]
    for tomogram in card.tomograms:
        counts = ", ".join(f"{n} {name}" for name, n in tomogram.particles.items())
        lines.append(f"{tomogram.role} {tomogram.tomogram_id}: {counts}")
    lines += ["", f"SHA-256 {model.getSha256()}"]
    return "\n".join(lines)
