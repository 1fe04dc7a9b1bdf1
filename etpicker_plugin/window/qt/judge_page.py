"""The page for judging picks: scores, two sets, gallery."""

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from etpicker_plugin.window.aids.agreement import Agreement, compare_sets
from etpicker_plugin.window.drawing.colours import (
    BOTH_COLOUR,
    FIRST_COLOUR,
    SECOND_COLOUR,
)
from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.gallery import Gallery
from etpicker_plugin.window.qt.score_panel import ScorePanel

LEGEND = (
    f"<span style='color:{BOTH_COLOUR}'>● both</span> &nbsp; "
    f"<span style='color:{FIRST_COLOUR}'>● only here</span> &nbsp; "
    f"<span style='color:{SECOND_COLOUR}'>● only the other</span>"
)


class JudgePage(QWidget):
    """What the class's picks are worth; works on what is in sight only."""

    agreement_changed = pyqtSignal(object)
    cut_changed = pyqtSignal()

    def __init__(self, editor: Editor) -> None:
        super().__init__()
        self.editor = editor
        self.scores = ScorePanel(editor.session)
        self.agreeing = QCheckBox("Colour by agreement with the other set")
        self.legend = QLabel(LEGEND)
        self.numbers = QLabel()
        self.gallery = Gallery(editor)
        column = QVBoxLayout(self)
        for widget in (self.scores, self.agreeing, self.legend, self.numbers):
            column.addWidget(widget)
        column.addWidget(self.gallery, stretch=1)
        self.agreeing.toggled.connect(self.refresh)
        self.scores.changed.connect(self.cut_changed)
        editor.class_chosen.connect(self.scores.show_class)
        editor.class_chosen.connect(lambda _name: self.refresh())

    def open(self) -> None:
        """Go on with another tomogram."""
        can_compare = self.editor.document.other is not None
        for widget in (self.agreeing, self.legend, self.numbers):
            widget.setVisible(can_compare)
        self.gallery.pictures.forget_pictures()
        self.refresh()

    def refresh(self) -> None:
        """Count, list and compare anew, as far as it is in sight."""
        self._compare()
        if self.isVisible():
            self.scores.refresh()
            self.gallery.refresh(self.editor.current_class)

    def showEvent(self, event: object) -> None:
        """Catch up with what happened meanwhile."""
        super().showEvent(event)
        self.refresh()

    def _compare(self) -> None:
        found: Agreement | None = None
        if self.agreeing.isChecked() and self.editor.document.other is not None:
            found = compare_sets(self.editor.document, self.editor.session.classes)
            self.numbers.setText(found.describe())
        self.numbers.setVisible(found is not None)
        self.agreement_changed.emit(found)
