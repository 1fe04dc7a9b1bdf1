"""The windows of 'Analyze results' for extraction and averaging."""

from pathlib import Path

import numpy as np
from pyworkflow.protocol.params import LabelParam

from etpicker_plugin.engine.volumes.tomogram import read_map, read_whole
from etpicker_plugin.protocols import ProtEtPickerAverage, ProtEtPickerExtract
from etpicker_plugin.viewers.averages import draw_fsc, draw_montage, draw_sections
from etpicker_plugin.viewers.viewers import EtPickerViewer

MOST_BOXES = 32


class EtPickerExtractViewer(EtPickerViewer):
    """Some of the boxes."""

    _label = "viewer subtomograms"
    _targets = (ProtEtPickerExtract,)

    def _defineParams(self, form):
        form.addSection(label="Subtomograms")
        form.addParam(
            "showBoxes",
            LabelParam,
            label="Boxes",
            help="The middle of up to 32 boxes, evenly taken from the set. Particles "
            "should be bright and in the centre.",
        )

    def _getVisualizeDict(self):
        return {"showBoxes": self._showBoxes}

    def _showBoxes(self, _name=None):
        boxes, names = some_boxes(self.protocol)
        if not boxes:
            return [self._message("The boxes are not cut yet.", "Subtomograms")]
        return self._figure(
            "Subtomograms",
            lambda figure: draw_montage(figure, boxes, names),
            size=(10, 6),
        )


class EtPickerAverageViewer(EtPickerViewer):
    """Averages, and the FSC of a refinement."""

    _label = "viewer average"
    _targets = (ProtEtPickerAverage,)

    def _defineParams(self, form):
        form.addSection(label="Average")
        form.addParam(
            "showMaps",
            LabelParam,
            label="Averages",
            help="Slabs through the middle of the average, or of each class.",
        )
        form.addParam(
            "showFsc",
            LabelParam,
            label="FSC",
            help="Correlation of the two half maps by resolution (refinement). The "
            "red curve should be near 0 where the black one falls.",
        )

    def _getVisualizeDict(self):
        return {"showMaps": self._showMaps, "showFsc": self._showFsc}

    def _showMaps(self, _name=None):
        maps = averages_of(self.protocol)
        if not maps:
            return [self._message("There is no average yet.", "Average")]
        return self._figure(
            "Average",
            lambda figure: draw_sections(figure, maps),
            size=(9, 3 * len(maps)),
        )

    def _showFsc(self, _name=None):
        fsc = self.protocol.getFsc()
        if not fsc:
            return [self._message("There is no FSC: only refining gives one.", "FSC")]
        return self._figure(
            "FSC",
            lambda figure: draw_fsc(figure, fsc),
        )


def some_boxes(protocol):
    """Return up to 32 boxes of an extraction, and their names."""
    subtomograms = getattr(protocol, "SubTomograms", None)
    if subtomograms is None:
        return [], []
    files = [(i.getFileName(), i.getVolName()) for i in subtomograms.iterItems()]
    step = max(1, -(-len(files) // MOST_BOXES))
    shown = files[::step]
    return [read_voxels(path) for path, _ in shown], [
        f"{name} {Path(path).stem.lstrip('0')}" for path, name in shown
    ]


def averages_of(protocol):
    """Return the maps of an averaging by name."""
    record = protocol.getRecord()
    if not record:
        return {}
    if record["task"] == "refine":
        return {"average": read_voxels(protocol.Average.getFileName())}
    return {
        f"class {c['number']} ({100 * c['share']:.0f} %)": read_voxels(
            protocol.getOutFile(c["file"])
        )
        for c in record["classes"]
    }


def read_voxels(path):
    """Return a map's voxels."""
    return np.asarray(read_whole(read_map(path)), dtype=np.float32)
