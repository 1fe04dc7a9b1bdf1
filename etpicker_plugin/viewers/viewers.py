"""The windows of 'Analyze results' for picks and their evaluation."""

import matplotlib.pyplot as plt
from pyworkflow.protocol.params import LabelParam
from pyworkflow.viewer import DESKTOP_TKINTER, MessageView, ProtocolViewer, View

from etpicker_plugin.convert import (
    group_ids,
    particles_by_tomogram,
    told_diameters,
)
from etpicker_plugin.convert_images import sampling_rate_of
from etpicker_plugin.convert_kinds import is_numbered
from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.protocols import (
    ProtEtPickerAnnotate,
    ProtEtPickerEvaluate,
    ProtEtPickerImportCoordinates,
    ProtEtPickerPick,
    ProtEtPickerPickMicrographs,
)
from etpicker_plugin.protocols.labels import classes_of_label
from etpicker_plugin.protocols.protocol_base import PLUGIN
from etpicker_plugin.protocols.words import in_form_words
from etpicker_plugin.viewers.edit_window import edit_picks, first_outputs
from etpicker_plugin.viewers.histograms import draw_metrics, draw_scores
from etpicker_plugin.viewers.reports import open_report

FRAME_PX = (10, 90)
"""Width and height of what is drawn around a figure: frame, title and tools."""


class FigureView(View):
    """A matplotlib window, filled by ``draw(figure)``; no larger than the screen."""

    def __init__(self, title, draw, *, size=(7, 6)):
        super().__init__()
        self.figure = plt.figure(figsize=size)
        window = getattr(self.figure.canvas.manager, "window", None)
        if window is not None:  # none where nothing is shown, in tests
            screen = window.winfo_screenwidth(), window.winfo_screenheight()
            self.figure.set_size_inches(fitting(size, screen, self.figure.dpi))
        self.figure.canvas.manager.set_window_title(title)
        self.drawn = draw(self.figure)

    def show(self):
        plt.show(block=False)


def fitting(size, screen, dpi):
    """Return a figure's width and height in inches, such that its window fits.

    Parameters
    ----------
    size
        Width and height wanted, in inches.
    screen
        Width and height of the screen, in pixels.
    """
    return tuple(
        min(wanted, (there - frame) / dpi)
        for wanted, there, frame in zip_strict(size, screen, FRAME_PX)
    )


class EtPickerViewer(ProtocolViewer):
    """What the form viewers share."""

    _environments = (DESKTOP_TKINTER,)

    @classmethod
    def getClassLabel(cls, prependPackageName=True):
        """Return the heading; people know the plugin as etpicker."""
        label = super().getClassLabel(prependPackageName=False)
        return f"{PLUGIN} - {label}" if prependPackageName else label

    def _message(self, text, title):
        return MessageView(in_form_words(text), title, tkParent=self.getTkRoot())

    def _figure(self, title, draw, *, size=(7, 6)):
        """Return a figure's window, with the run's name in its title."""
        title = f"{title}: {self.protocol.getRunName()}"
        return [FigureView(title, draw, size=size)]

    def _openReport(self):
        """Open the protocol's report in the browser."""
        return open_report(self.protocol.getReportFile(), self.getTkRoot())


class EtPickerPicksViewer(EtPickerViewer):
    """Picks on their tomograms, and their scores."""

    _label = "viewer picks"
    _targets = (
        ProtEtPickerAnnotate,
        ProtEtPickerPick,
        ProtEtPickerPickMicrographs,
        ProtEtPickerImportCoordinates,
    )
    _environments = (DESKTOP_TKINTER,)

    def _defineParams(self, form):
        form.addSection(label="Picks")
        form.addParam(
            "showWindow",
            LabelParam,
            label="Picks on tomograms",
            help="Opens the etpicker window: look, mend the picks, set a cut-off. What "
            "is changed can be saved as a new output; the old one stays.",
        )
        form.addParam(
            "showScores",
            LabelParam,
            label="Score histogram",
            help="Scores of each class; the line is the threshold that was used.",
        )

    def _getVisualizeDict(self):
        return {"showWindow": self._showWindow, "showScores": self._showScores}

    def _showWindow(self, _name=None):
        protocol = self.protocol
        if not first_outputs(protocol) and not isinstance(
            protocol, ProtEtPickerAnnotate
        ):
            return [self._message("There are no picks to show yet.", "Picks")]
        try:
            open_picks(self.getTkRoot(), protocol)
        except EtPickerError as error:
            return [self._message(str(error), "Picks")]
        return []

    def _showScores(self, _name=None):
        scores = scores_by_class(self.protocol)
        if not scores:
            return [self._message(self._whyNoScores(), "Picks")]
        thresholds = getattr(self.protocol, "getThresholds", dict)()
        return self._figure(
            "Scores",
            lambda figure: draw_scores(figure, scores, thresholds),
            size=(8, 6),
        )

    def _whyNoScores(self):
        if first_outputs(self.protocol):
            return (
                "These picks have no scores: annotations, and lists that were imported "
                "without a score, have none. Pick with a model to get some."
            )
        return "There are no picks to show yet."


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
        return self._figure(
            "Metrics",
            lambda figure: draw_metrics(figure, metrics),
            size=(max(6, 1.6 * len(metrics)), 4.5),
        )

    def _showReport(self, _name=None):
        return self._openReport()


def class_names(protocol, item):
    """Return the class of each group id of a set, by its label and the protocol."""
    names = [name.strip() for name in classes_of_label(item.getObjLabel()).split(",")]
    if len(names) == 1:
        return lambda _group: names[0] or "picks"
    groups = getattr(protocol, "getGroups", dict)()
    by_id = {i: name for name, i in groups.items()} or dict(enumerate(names, 1))
    return by_id.get


def scores_by_class(protocol):
    """Return the scores of every class."""
    scores = {}
    sources = [(i, class_names(protocol, i)) for _, i in first_outputs(protocol)]
    for particles in particles_by_tomogram(sources).values():
        for name in dict.fromkeys(particles.class_names):
            found = particles.of_class(name).scores
            scores.setdefault(str(name), []).extend(found[found == found])
    return {name: found for name, found in scores.items() if found}


def open_picks(root, protocol, *, on_close=None):
    """Open the window on a protocol's picks (see ``edit_picks``)."""
    edit_picks(
        root,
        protocol,
        diameters=class_diameters(protocol),
        groups=class_groups(protocol),
        class_of=lambda item: class_names(protocol, item),
        on_close=on_close,
    )


def class_groups(protocol):
    """Return the number of each class that the protocol's sets hold, if known."""
    groups = dict(getattr(protocol, "getGroups", dict)())
    for _, item in first_outputs(protocol):
        if is_numbered(item):
            continue
        name_of = class_names(protocol, item)
        for group in group_ids(item):
            groups.setdefault(name_of(group) or f"class_{group}", group)
    return groups


def class_diameters(protocol):
    """Return each class's diameter in Å: the protocol's or set's own, else the box."""
    diameters = dict(getattr(protocol, "getDiameters", dict)())
    for _, item in first_outputs(protocol):
        for name, told in told_diameters(item).items():
            diameters.setdefault(name, told)
        name_of = class_names(protocol, item)
        box = item.getBoxSize() * sampling_rate_of(item)
        for group in group_ids(item):
            diameters.setdefault(name_of(group) or f"class_{group}", box)
    return diameters
