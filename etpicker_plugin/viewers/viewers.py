"""The windows of 'Analyze results', for our protocols and models only."""

from pathlib import Path

import matplotlib.pyplot as plt
from pyworkflow.protocol.params import LabelParam
from pyworkflow.viewer import DESKTOP_TKINTER, MessageView, ProtocolViewer, View, Viewer
from tomo.objects import SetOfCoordinates3D

from etpicker_plugin.constants import PROGRESS_FILE
from etpicker_plugin.convert import (
    particles_by_tomogram,
    tomogram_file,
    tomograms_by_id,
)
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.io.particles import make_particles
from etpicker_plugin.engine.io.tomogram import read_tomogram
from etpicker_plugin.objects import EtPickerModel
from etpicker_plugin.protocols import (
    ProtEtPickerEvaluate,
    ProtEtPickerImportCoordinates,
    ProtEtPickerPick,
    ProtEtPickerTrain,
    ProtEtPickerUpdate,
)
from etpicker_plugin.viewers.histograms import draw_metrics, draw_scores
from etpicker_plugin.viewers.reports import open_report
from etpicker_plugin.viewers.slices import PickedTomogram
from etpicker_plugin.viewers.training_curves import LiveCurves


class FigureView(View):
    """A matplotlib window, filled by ``draw(figure)``."""

    def __init__(self, title, draw, *, size=(7, 6)):
        super().__init__()
        self.figure = plt.figure(figsize=size)
        self.figure.canvas.manager.set_window_title(title)
        self.drawn = draw(self.figure)

    def show(self):
        plt.show(block=False)


class EtPickerViewer(ProtocolViewer):
    """What the form viewers share."""

    _environments = (DESKTOP_TKINTER,)

    def _message(self, text, title):
        return MessageView(text, title, tkParent=self.getTkRoot())

    def _openReport(self):
        """Open the protocol's report in the browser."""
        return open_report(self.protocol.getReportFile(), self.getTkRoot())


class EtPickerTrainViewer(EtPickerViewer):
    """Training curves; they follow a running training."""

    _label = "viewer training"
    _targets = (ProtEtPickerTrain, ProtEtPickerUpdate)
    _environments = (DESKTOP_TKINTER,)

    def _defineParams(self, form):
        form.addSection(label="Training")
        form.addParam(
            "showCurves",
            LabelParam,
            label="Training curves",
            help="Loss, learning rate and validation by optimiser step. While the "
            "training runs, the window follows it.",
        )
        form.addParam(
            "showModel", LabelParam, label="Model", help="What the model file says."
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
            "showModel": self._showModel,
            "showReport": self._showReport,
        }

    def _showReport(self, _name=None):
        return self._openReport()

    def _showCurves(self, _name=None):
        path = Path(self.protocol.getProgressFile())
        return [curves_view(path, self.protocol.getRunName())]

    def _showModel(self, _name=None):
        models = self.protocol.iterOutputAttributes(EtPickerModel)
        for _, model in models:
            return [self._message(describe_model(model), "Model")]
        return [self._message("The model is not ready yet.", "Model")]


class EtPickerModelViewer(Viewer):
    """A model: its card, and its training curves where they lie beside it."""

    _name = "etpicker model"
    _targets = (EtPickerModel,)
    _environments = (DESKTOP_TKINTER,)

    def _visualize(self, model, **kwargs):
        views = [MessageView(describe_model(model), "Model", tkParent=self._tkRoot)]
        progress = Path(model.getPath()).with_name(PROGRESS_FILE)
        if progress.is_file():
            views.insert(0, curves_view(progress, model.getPath()))
        return views


class EtPickerPicksViewer(EtPickerViewer):
    """Picks on slices, and their scores."""

    _label = "viewer picks"
    _targets = (
        ProtEtPickerPick,
        ProtEtPickerImportCoordinates,
    )
    _environments = (DESKTOP_TKINTER,)

    def _defineParams(self, form):
        form.addSection(label="Picks")
        form.addParam(
            "showSlices",
            LabelParam,
            label="Picks on slices",
            help="Every pick is drawn as the section of a sphere of its class's "
            "diameter.",
        )
        form.addParam(
            "showScores",
            LabelParam,
            label="Score histogram",
            help="Scores of each class; the line is the threshold that was used.",
        )

    def _getVisualizeDict(self):
        return {"showSlices": self._showSlices, "showScores": self._showScores}

    def _showSlices(self, _name=None):
        items = picked_tomograms(self.protocol)
        if not items:
            return [self._message("There are no picks to show yet.", "Picks")]
        # Imported here, because Scipion also loads the viewers where there is no Tk.
        from etpicker_plugin.viewers.slice_window import SliceWindow

        SliceWindow(self.getTkRoot(), items, title=self.protocol.getRunName())
        return []

    def _showScores(self, _name=None):
        scores = scores_by_class(self.protocol)
        if not scores:
            return [self._message("There are no picks to show yet.", "Picks")]
        thresholds = getattr(self.protocol, "getThresholds", dict)()
        return [
            FigureView(
                f"Scores: {self.protocol.getRunName()}",
                lambda figure: draw_scores(figure, scores, thresholds),
                size=(8, 6),
            )
        ]


class EtPickerEvaluateViewer(EtPickerViewer):
    """Metrics and the engine's report."""

    _label = "viewer evaluation"
    _targets = (ProtEtPickerEvaluate,)
    _environments = (DESKTOP_TKINTER,)

    def _defineParams(self, form):
        form.addSection(label="Evaluation")
        form.addParam(
            "showMetrics",
            LabelParam,
            label="Metrics",
            help="Precision, recall, F1 and average precision of each class.",
        )
        form.addParam(
            "showReport",
            LabelParam,
            label="Report",
            help="Opens the report, with precision-recall curves, in the browser.",
        )

    def _getVisualizeDict(self):
        return {"showMetrics": self._showMetrics, "showReport": self._showReport}

    def _showMetrics(self, _name=None):
        metrics = self.protocol.getMetrics()
        if not metrics:
            return [self._message("The picks are not evaluated yet.", "Evaluation")]
        return [
            FigureView(
                f"Metrics: {self.protocol.getRunName()}",
                lambda figure: draw_metrics(figure, metrics),
                size=(max(6, 1.6 * len(metrics)), 4.5),
            )
        ]

    def _showReport(self, _name=None):
        return self._openReport()


def curves_view(path, title):
    """Return the window of training curves that follows a progress file."""
    return FigureView(
        f"Training: {title}", lambda figure: LiveCurves(figure, path, title=title)
    )


def describe_model(model):
    """Return a model's card as text."""
    card = model.getCard()
    lines = [model.getInfo(), ""]
    for item in card.classes:
        metrics = ", ".join(f"{k} {v:.3g}" for k, v in item.metrics.items())
        lines.append(f"{item.name}: threshold {item.threshold:.3f}; {metrics or '-'}")
    lines.append("")
    for tomogram in card.tomograms:
        counts = ", ".join(f"{n} {name}" for name, n in tomogram.particles.items())
        lines.append(f"{tomogram.role} {tomogram.tomogram_id}: {counts}")
    lines += ["", f"SHA-256 {model.getSha256()}"]
    return "\n".join(lines)


def output_sets(protocol):
    """Return a protocol's sets of coordinates."""
    return [item for _, item in protocol.iterOutputAttributes(SetOfCoordinates3D)]


def class_names(protocol, item):
    """Return the class of each group id of a set, by its label and the protocol."""
    names = [name.strip() for name in item.getObjLabel().split(",")]
    if len(names) == 1:
        return lambda _group: names[0] or "picks"
    groups = getattr(protocol, "getGroups", dict)()
    by_id = {i: name for name, i in groups.items()} or dict(enumerate(names, 1))
    return by_id.get


def scores_by_class(protocol):
    """Return the scores of every class."""
    scores = {}
    sources = [(item, class_names(protocol, item)) for item in output_sets(protocol)]
    for particles in particles_by_tomogram(sources).values():
        for name in dict.fromkeys(particles.class_names):
            found = particles.of_class(name).scores
            scores.setdefault(str(name), []).extend(found[found == found])
    return {name: found for name, found in scores.items() if found}


def picked_tomograms(protocol):
    """Return every readable input tomogram with its picks."""
    sets = output_sets(protocol)
    sources = [(item, class_names(protocol, item)) for item in sets]
    particles = particles_by_tomogram(sources)
    radii = class_radii(protocol, sets, particles)
    items = []
    for ts_id, tomogram in tomograms_by_id(protocol.inputTomograms.get()).items():
        path, voxel_size = tomogram_file(tomogram), tomogram.getSamplingRate()
        if is_readable(path, voxel_size):
            found = particles.get(ts_id, make_particles(ts_id, []))
            items.append(PickedTomogram(path, voxel_size, found, radii))
    return items if sets else []


def class_radii(protocol, sets, particles):
    """Return each class's radius in voxels: from the model, else half the box."""
    rate = protocol.inputTomograms.get().getSamplingRate()
    known = getattr(protocol, "getDiameters", dict)()
    radii = {name: diameter / rate / 2 for name, diameter in known.items()}
    for item in sets:
        name_of = class_names(protocol, item)
        found = {name_of(group) for group in item.getUniqueValues("_groupId")}
        for name in sorted(found - {None}):
            radii.setdefault(name, item.getBoxSize() / 2)
    present = {str(n) for p in particles.values() for n in p.class_names}
    return {name: radius for name, radius in radii.items() if name in present}


def is_readable(path, voxel_size):
    """Return whether a tomogram can be opened."""
    try:
        read_tomogram(path, voxel_size)
    except InputDataError:
        return False
    return True
