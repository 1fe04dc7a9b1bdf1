"""The window: views in the middle, tomograms to the left, controls to the right."""

import html

from PyQt5.QtCore import QSize, Qt, QTimer
from PyQt5.QtGui import QCloseEvent, QKeyEvent, QShowEvent
from PyQt5.QtWidgets import QAbstractSpinBox, QMainWindow, QMessageBox

from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.drawing.slices import Z
from etpicker_plugin.window.keys import KEYS, MOVING, PICKS, name_of
from etpicker_plugin.window.qt import class_dialogs, frame
from etpicker_plugin.window.qt.class_panel import ClassPanel
from etpicker_plugin.window.qt.drawn import Drawn
from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.gestures import Gestures, Tool
from etpicker_plugin.window.qt.help import HelpDialog
from etpicker_plugin.window.qt.hint_bar import HintBar
from etpicker_plugin.window.qt.judge_page import JudgePage
from etpicker_plugin.window.qt.key_press import key_text
from etpicker_plugin.window.qt.live_mode import LiveMode
from etpicker_plugin.window.qt.look_panel import LookPanel
from etpicker_plugin.window.qt.pages import Pages
from etpicker_plugin.window.qt.recount import Recount
from etpicker_plugin.window.qt.status_line import StatusLine
from etpicker_plugin.window.qt.strip_view import StripView
from etpicker_plugin.window.qt.suggest_page import SuggestPage
from etpicker_plugin.window.qt.tomogram_list import TomogramList
from etpicker_plugin.window.qt.tool_bar import ToolBar
from etpicker_plugin.window.qt.view_state import ViewState
from etpicker_plugin.window.qt.views import Views

SIZE = QSize(1480, 920)
SIDE_WIDTH = 330
STEPS = {"up": 1, "down": -1, "far_up": 10, "far_down": -10}
UNTIL_FRAMED_MS = 300
"""The window manager tells only after a while how thick its frame is."""


class MainWindow(QMainWindow):
    """All of it, on one session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.state = ViewState()
        self.editor = Editor(session)
        self.drawn = Drawn(self.editor)
        self.gestures = Gestures(self.editor, self.state, self.drawn)
        self.views = Views(self.editor, self.state, self.drawn)
        self.strip = StripView(self.editor, self.state, self.drawn)
        self.live = LiveMode(self.editor, self.state)
        self.tomograms = TomogramList(session, self.live.counts)
        self.classes = ClassPanel(session.classes)
        self.hint = HintBar(session.classes)
        self.look = LookPanel(self.views.look)
        self.judge = JudgePage(self.editor)
        self.suggest = SuggestPage(self.editor)
        self.tools = ToolBar()
        self.status = StatusLine()
        self._axis_under_mouse = Z
        self._recount = Recount(self._count)
        self._framed = QTimer(self, singleShot=True, interval=UNTIL_FRAMED_MS)
        self._framed.timeout.connect(self._keep_on_screen)
        self._message: QMessageBox | None = None
        self._help: HelpDialog | None = None
        self._tool_before: Tool | None = None
        self._build()
        self._connect()
        self._offer_tools()
        frame.fit_to_screen(self, SIZE)

    # --------------------------- building -------------------------------------
    def _build(self) -> None:
        self.setWindowTitle("etpicker")
        self.addToolBar(self.tools)
        self.setCentralWidget(frame.stacked(self.hint, self.views, self.strip))
        left, right = Qt.LeftDockWidgetArea, Qt.RightDockWidgetArea
        width = self.tomograms.fitting_width()
        frame.dock(self, left, "Tomograms", self.tomograms, width)
        self.tabs = Pages(
            (self.classes, self.look), self.live.page, self.judge, self.suggest
        )
        self.tabs.grey_live(self.live.hindrance)
        frame.dock(self, right, "", self.tabs, SIDE_WIDTH)
        self.setStatusBar(self.status)

    def _connect(self) -> None:
        for view in self.views.views.values():
            self.gestures.connect(view)
        self._connect_gestures()
        self._connect_panels()
        self._connect_judging()
        self._connect_live()
        self.editor.changed.connect(self._recount.open_one)
        self.editor.failed.connect(self.complain)
        self.views.failed.connect(self.complain)
        self.status.follow(self.editor, self.state)

    def _connect_gestures(self) -> None:
        self.gestures.preview.connect(self.views.carry)
        self.drawn.vesicles.resized.connect(self.views.carry)
        self.drawn.filaments.class_wanted.connect(self._choose_class)
        self.gestures.contrast_dragged.connect(self.views.drag_contrast)
        self.gestures.measured.connect(self.classes.show_measured)
        self.gestures.hovered.connect(self._hover)

    def _connect_judging(self) -> None:
        self.tabs.currentChanged.connect(self._turn_page)
        self.views.cloud.view.jumped.connect(self._jump)
        self.views.cloud.view.filament_chosen.connect(self._choose_filament)
        self.judge.agreement_changed.connect(self.views.show_agreement)
        self.judge.cut_changed.connect(self._recount.every)
        self.judge.cut_changed.connect(self.views.refresh_circles)
        self.judge.gallery.jumped.connect(self._jump_in)
        self.judge.class_chosen.connect(self._choose_class)
        self.suggest.jumped.connect(self._jump)

    def _connect_live(self) -> None:
        self.live.shown.connect(self.views.show_questions)
        self.live.jumped.connect(self.views.go_to)
        self.live.counted.connect(self._recount.every)
        self.live.progressed.connect(self.status.show_live)
        self.live.page.class_chosen.connect(self._choose_class)
        self.gestures.answered.connect(self.live.answer)
        self.gestures.hovered.connect(self.live.hover)

    def _connect_panels(self) -> None:
        self.tomograms.chosen.connect(self.open)
        self.classes.chosen.connect(self.editor.choose_class)
        self.classes.changed.connect(self._classes_changed)
        self.classes.failed.connect(self.complain)
        self.classes.rename_asked.connect(
            lambda name, new: class_dialogs.rename(self, self.editor, name, new)
        )
        self.classes.remove_asked.connect(
            lambda name: class_dialogs.remove(self, self.editor, name)
        )
        self.editor.classes_changed.connect(self._classes_changed)
        self.hint.changed.connect(self._classes_changed)
        self.hint.failed.connect(self.complain)
        self.look.changed.connect(self.views.set_look)
        self.look.layers_changed.connect(self.views.show_layers)
        self.views.look_changed.connect(self.look.show_look)
        self.views.levels_changed.connect(self.look.show_levels)
        self.views.look_changed.connect(self.strip.show_look)
        self.views.look_changed.connect(self.judge.gallery.pictures.show_look)
        self.tools.tool_chosen.connect(self._choose_tool)
        self.tools.eraser_changed.connect(self._set_eraser)
        self.tools.serve(self.editor, self.drawn)
        self.tools.save.triggered.connect(self.save)
        self.tools.done.triggered.connect(self.close)
        self.tools.fit.triggered.connect(self.views.fit)
        self.tools.flip.triggered.connect(lambda: self.drawn.flip_or(self.views.fit))
        self.tools.cloud.toggled.connect(self.views.show_cloud)
        self.tools.straighten.toggled.connect(self.strip.setVisible)
        self.strip.jumped.connect(self.views.go_to)
        self.tools.help.triggered.connect(self.show_help)
        self.tools.next.triggered.connect(lambda: self.tomograms.step(1))
        self.tools.previous.triggered.connect(lambda: self.tomograms.step(-1))
        self.addActions(self.tools.key_actions())

    # --------------------------- what happens ---------------------------------
    def open(self, document: Document) -> None:
        """Show a tomogram."""
        self.drawn.keep()
        self.views.open(document)
        self.editor.open(document)
        self.judge.open()
        self.suggest.clear()
        self.look.offer_layers(
            probability=document.probability is not None,
            mask=document.mask is not None,
        )
        x, y, z = document.volume.shape_zyx[::-1]
        size = f"{x} × {y} × {z} voxels of {document.volume.voxel_size:g}\u00a0Å"
        self.setWindowTitle(f"{document.name} — etpicker")
        self.views.corner.setText(f"<b>{html.escape(document.name)}</b><br>{size}")
        self.status.show_cursor()

    def start(self) -> None:
        """Show the first tomogram, once the window has its size; picks to be judged."""
        self.tomograms.setCurrentCell(0, 0)
        if not self.views.is_open():
            self.open(self.session.documents[0])
        if self.session.has_scores():
            self.tabs.judge()
        self.views.views[Z].setFocus()

    def save(self) -> None:
        """Write the results, besides the autosave."""
        try:
            self.session.save()
        except EtPickerError as error:
            self.complain(str(error))
            return
        self.live.save_model()
        words = self.session.saved_words()
        self.status.say(f"Saved {words}, to {self.session.folder}")

    def complain(self, text: str) -> None:
        """Show an error; while one is open, another takes its place."""
        if self._message is None:
            self._message = frame.warning(self)
        self._message.setText(text)
        self._message.open()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save and close; if saving fails, say first that every edit is kept."""
        self._framed.stop()
        self.drawn.keep()
        self.live.close()
        self.views.close_document()
        self.strip.stop()
        try:
            self.session.close()
        except EtPickerError as error:
            message = frame.warning(self)
            message.setText(
                f"{error}\n\nEvery edit is safe in the annotation's journal: open it "
                "again to go on."
            )
            message.exec_()
        event.accept()

    def showEvent(self, event: QShowEvent) -> None:
        """Look, once it is framed, whether all of it is on the screen."""
        super().showEvent(event)
        self._framed.start()

    def _keep_on_screen(self) -> None:
        frame.keep_on_screen(self)

    def show_help(self) -> None:
        """Show all keys and gestures."""
        if self._help is None:
            self._help = HelpDialog(self)
        self._help.show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what must not be taken from a list or a number that has the focus."""
        key = key_text(event)
        step = STEPS.get(name_of(key, MOVING))
        name = name_of(key, PICKS)
        if step is not None:
            self.state.step(self._axis_under_mouse, step)
        elif name == "class":
            self.classes.choose_key(int(key))
        elif name == "delete":
            self.drawn.delete()
        elif self._types_number() or not self.drawn.press(key):
            super().keyPressEvent(event)

    def _types_number(self) -> bool:
        """Return whether Enter ends a number that is typed."""
        return isinstance(self.focusWidget(), QAbstractSpinBox)

    def _turn_page(self, _index: int) -> None:
        """On *Judge* a click only looks; the tool that was in use comes back after."""
        if self.tabs.is_judging():
            self._tool_before = self.gestures.tool
            self.tools.choose(Tool.LOOK)
        elif self._tool_before is not None:
            if self.gestures.tool is Tool.LOOK:
                self.tools.choose(self._tool_before)
            self._tool_before = None
        live = self.gestures.takes_answers = self.tabs.is_live()
        self.tools.lend(KEYS["doubtful"].keys if live else ())
        self.live.set_active(live)

    def _choose_tool(self, tool: Tool) -> None:
        self.gestures.tool = tool
        self.status.showMessage(self.tools.hint(tool))

    def _set_eraser(self, diameter_ang: float) -> None:
        self.gestures.eraser_ang = diameter_ang

    def _jump(self, pick: int) -> None:
        """Go to a pick; a filament is chosen as a whole."""
        self.drawn.select(pick)
        self.views.go_to(self.editor.annotation.positions_zyx[pick])
        self.views.refresh_circles()

    def _choose_filament(self, name: str, position_zyx: object) -> None:
        self.drawn.filaments.choose(name)
        self.views.go_to(position_zyx)

    def _jump_in(self, document: Document, pick: int) -> None:
        """Go to a pick, of another tomogram too."""
        self.tomograms.show_document(document)
        self._jump(pick)

    def _choose_class(self, name: str) -> None:
        self.classes.choose_key(self.session.classes.names().index(name) + 1)

    def _classes_changed(self) -> None:
        """Show the classes that there are now, everywhere."""
        names = self.session.classes.names()
        current = self.editor.current_class
        self.classes.refresh(current if current in names else names[0])
        self.editor.choose_class(self.classes.current())
        self.hint.refresh()
        self._offer_tools()
        self.tomograms.refresh()
        self.judge.refresh()
        self.views.refresh_circles()

    def _offer_tools(self) -> None:
        classes = self.session.classes
        self.tools.offer({classes.kind_of(name) for name in classes.names()})

    def _count(self, every: bool) -> None:
        self.tomograms.refresh(None if every else self.editor.document)
        self.judge.refresh()
        self.status.show_edits(self.editor.document.journal.edits)

    # --------------------------- where we are ---------------------------------
    def _hover(self, view: object, position: object) -> None:
        self._axis_under_mouse = view.axis
        self.status.show_place(position)
