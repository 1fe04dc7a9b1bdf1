"""How the slices look: contrast, slab, blur, overlays."""

from dataclasses import replace

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QWidget,
)

from etpicker_plugin.window.drawing.slices import Look

MOST_SECTIONS = 99
LEAST_GAP = 0.1


class LookPanel(QGroupBox):
    """Controls of a ``Look``; they follow it when the mouse changes it."""

    changed = pyqtSignal(object)
    layers_changed = pyqtSignal(bool, bool)

    def __init__(self, look: Look) -> None:
        super().__init__("Slices")
        self.look = look
        self.low = self._percentile("look_low", look.low)
        self.high = self._percentile("look_high", look.high)
        self.slab = QSpinBox(minimum=1, maximum=MOST_SECTIONS, suffix=" sections")
        self.slab.setSpecialValueText("one section")
        self.sigma = QDoubleSpinBox(
            minimum=0, maximum=10, singleStep=0.5, decimals=1, suffix=" voxels"
        )
        self.equalise = QCheckBox("Equalise histogram")
        self.invert = QCheckBox("Invert")
        self.probability = QCheckBox("Probability", checked=True)
        self.mask = QCheckBox("Region mask", checked=True)
        self.reset = QPushButton("Reset")
        self._lay_out()
        for box in (self.low, self.high, self.slab, self.sigma):
            box.setKeyboardTracking(False)
            box.valueChanged.connect(self._change)
        for box in (self.equalise, self.invert):
            box.toggled.connect(self._change)
        for box in (self.probability, self.mask):
            box.toggled.connect(self._change_layers)
        self.reset.clicked.connect(lambda: self.changed.emit(Look()))

    def _percentile(self, name: str, value: float) -> QDoubleSpinBox:
        box = QDoubleSpinBox(
            minimum=0, maximum=100, singleStep=0.5, decimals=1, suffix=" %", value=value
        )
        box.setObjectName(name)
        box.setToolTip(
            "Percentile of the slice. Dragging on a slice with the right button "
            "changes contrast (across) and brightness (up and down)."
        )
        return box

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setLabelAlignment(Qt.AlignLeft)
        form.addRow("Black … white", _row(self.low, self.high))
        form.addRow("Mean of", self.slab)
        form.addRow("Gaussian", self.sigma)
        form.addRow(_row(self.equalise, self.invert))
        form.addRow(_row(self.probability, self.mask))
        form.addRow(self.reset)

    def offer_layers(self, *, probability: bool, mask: bool) -> None:
        """Show switches only for the overlays that there are."""
        self.probability.setVisible(probability)
        self.mask.setVisible(mask)

    def show_look(self, look: Look) -> None:
        """Follow a look that was changed elsewhere."""
        self.look = look
        for box, value in (
            (self.low, look.low),
            (self.high, look.high),
            (self.slab, look.slab),
            (self.sigma, look.sigma),
        ):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        for box, value in ((self.equalise, look.equalise), (self.invert, look.invert)):
            box.blockSignals(True)
            box.setChecked(value)
            box.blockSignals(False)

    def _change(self) -> None:
        high = max(self.high.value(), LEAST_GAP)
        look = replace(
            self.look,
            low=min(self.low.value(), high - LEAST_GAP),
            high=high,
            slab=self.slab.value(),
            sigma=self.sigma.value(),
            equalise=self.equalise.isChecked(),
            invert=self.invert.isChecked(),
        )
        self.changed.emit(look)

    def _change_layers(self) -> None:
        self.layers_changed.emit(self.probability.isChecked(), self.mask.isChecked())


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row
