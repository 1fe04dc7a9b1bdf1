"""The page for judging picks: classes, scores, two sets, gallery."""

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from etpicker_plugin.window.aids.agreement import Agreement, compare_sets
from etpicker_plugin.window.document.counts import count_things
from etpicker_plugin.window.drawing.colours import (
    BOTH_COLOUR,
    FIRST_COLOUR,
    SECOND_COLOUR,
)
from etpicker_plugin.window.keys import KEYS
from etpicker_plugin.window.qt.class_chips import ClassChips
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
    class_chosen = pyqtSignal(str)
    cut_changed = pyqtSignal()

    def __init__(self, editor: Editor) -> None:
        super().__init__()
        self.editor = editor
        self.chips = ClassChips()
        self.scores = ScorePanel(editor.session)
        self.agreeing = QCheckBox("Colour by agreement with the other set")
        self.legend = QLabel(LEGEND)
        self.numbers = QLabel()
        self.gallery = Gallery(editor)
        self.every = QCheckBox("All tomograms")
        self.every.setChecked(self.gallery.pictures.all_tomograms)
        self.every.setVisible(len(editor.session.documents) > 1)
        (key,) = KEYS["to_cut_off"].keys
        self.to_cut_off = QPushButton(f"To the cut-off  [{key}]")
        self.to_cut_off.setShortcut(key)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        above = self.chips, self.scores, self.agreeing, self.legend, self.numbers
        for widget in above:
            column.addWidget(widget)
        row = QHBoxLayout()
        row.addWidget(self.every)
        row.addStretch()
        row.addWidget(self.to_cut_off)
        column.addLayout(row)
        column.addWidget(self.gallery, stretch=1)

    def _connect(self) -> None:
        self.chips.chosen.connect(self.class_chosen)
        self.chips.toggled.connect(self._toggle)
        self.agreeing.toggled.connect(self.refresh)
        self.scores.changed.connect(self.cut_changed)
        self.every.toggled.connect(self._list_every)
        self.to_cut_off.clicked.connect(
            lambda: self.gallery.go_to_cut_off(self.editor.current_class)
        )
        self.editor.class_chosen.connect(self.scores.show_class)
        self.editor.class_chosen.connect(lambda _name: self.refresh())

    def open(self) -> None:
        """Go on with another tomogram."""
        can_compare = self.editor.document.other is not None
        for widget in (self.agreeing, self.legend, self.numbers):
            widget.setVisible(can_compare)
        self.refresh()

    def refresh(self) -> None:
        """Count, list and compare anew, as far as it is in sight."""
        self._compare()
        if self.isVisible():
            self._show_chips()
            self.scores.refresh()
            self.gallery.refresh(self.editor.current_class)

    def showEvent(self, event: object) -> None:
        """Catch up with what happened meanwhile."""
        super().showEvent(event)
        self.refresh()

    def _show_chips(self) -> None:
        session = self.editor.session
        self.chips.refresh(
            count_things(session.documents, session.classes),
            current=self.editor.current_class,
            hidden=self.editor.hidden,
        )

    def _toggle(self, name: str) -> None:
        self.editor.show_classes(self.editor.hidden ^ {name})
        self._show_chips()

    def _list_every(self, every: bool) -> None:
        self.gallery.pictures.all_tomograms = every
        self.refresh()

    def _compare(self) -> None:
        found: Agreement | None = None
        if self.agreeing.isChecked() and self.editor.document.other is not None:
            found = compare_sets(self.editor.document, self.editor.session.classes)
            self.numbers.setText(found.describe())
        self.numbers.setVisible(found is not None)
        self.agreement_changed.emit(found)
