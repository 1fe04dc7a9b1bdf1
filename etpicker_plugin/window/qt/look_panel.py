"""How the slices look: contrast, slab, blur, overlays."""

from dataclasses import replace

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QDoubleSpinBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QWidget,
)

from etpicker_plugin.window.drawing.slices import (
    BRIGHTNESS_RANGE,
    CONTRAST_RANGE,
    Look,
)

MOST_SECTIONS = 99
LEAST_GAP = 0.1
PERCENT = 100
DRAGGED = (
    "Dragging on a slice with the right button changes contrast (across) and "
    "brightness (up and down)."
)


class LookPanel(QGroupBox):
    """Controls of a ``Look``; they follow it when the mouse changes it."""

    changed = pyqtSignal(object)
    layers_changed = pyqtSignal(bool, bool)

    def __init__(self, look: Look) -> None:
        super().__init__("Slices")
        self.look = look
        self.low = self._percentile("look_low", look.low)
        self.high = self._percentile("look_high", look.high)
        self.brightness = self._relative("look_brightness", BRIGHTNESS_RANGE, 0, " %")
        self.contrast = self._relative("look_contrast", CONTRAST_RANGE, 2, " ×")
        self.levels = QLabel()
        self.levels.setObjectName("look_levels")
        self.levels.setToolTip("Values of the tomogram that are black and white.")
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
        self.show_look(look)
        for box in self._numbers(self.look):
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
        box.setToolTip(f"Percentile of the slice. {DRAGGED}")
        return box

    def _relative(
        self, name: str, limits: tuple[float, float], decimals: int, suffix: str
    ) -> QDoubleSpinBox:
        """Return a box for what the right button changes by dragging."""
        factor = PERCENT if decimals == 0 else 1
        low, high = (factor * limit for limit in limits)
        step = 5 if decimals == 0 else 0.1
        box = QDoubleSpinBox(
            minimum=low, maximum=high, decimals=decimals, singleStep=step, suffix=suffix
        )
        box.setObjectName(name)
        box.setToolTip(DRAGGED)
        return box

    def _numbers(self, look: Look) -> dict[QAbstractSpinBox, float]:
        """Return the boxes with the numbers that a look has there."""
        return {
            self.low: look.low,
            self.high: look.high,
            self.brightness: PERCENT * look.brightness,
            self.contrast: look.contrast,
            self.slab: look.slab,
            self.sigma: look.sigma,
        }

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setLabelAlignment(Qt.AlignLeft)
        form.addRow("Black … white", _row(self.low, self.high))
        form.addRow("Brightness", self.brightness)
        form.addRow("Contrast", self.contrast)
        form.addRow("Levels", self.levels)
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
        for box, value in self._numbers(look).items():
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        for box, value in ((self.equalise, look.equalise), (self.invert, look.invert)):
            box.blockSignals(True)
            box.setChecked(value)
            box.blockSignals(False)

    def show_levels(self, levels: tuple[float, float] | None) -> None:
        """Show which values of the xy slice are black and white."""
        text = "equalised" if levels is None else "{:.4g} … {:.4g}".format(*levels)
        self.levels.setText(text)

    def _change(self) -> None:
        high = max(self.high.value(), LEAST_GAP)
        look = replace(
            self.look,
            low=min(self.low.value(), high - LEAST_GAP),
            high=high,
            brightness=_kept(self.brightness, self.look.brightness, PERCENT),
            contrast=_kept(self.contrast, self.look.contrast, 1),
            slab=self.slab.value(),
            sigma=self.sigma.value(),
            equalise=self.equalise.isChecked(),
            invert=self.invert.isChecked(),
        )
        self.changed.emit(look)

    def _change_layers(self) -> None:
        self.layers_changed.emit(self.probability.isChecked(), self.mask.isChecked())


def _kept(box: QDoubleSpinBox, before: float, factor: float) -> float:
    """Return a box's number; the one before, if the box only shows it rounded."""
    rounded = round(before * factor, box.decimals())
    return before if rounded == box.value() else box.value() / factor


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row
