"""The live model and the live picks as files: asked for, taken, and told."""

import html

from PyQt5.QtCore import QObject, pyqtSignal

from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.window.live import engine
from etpicker_plugin.window.live.events import Refused, Saved
from etpicker_plugin.window.live.live_picks import forget_live_picks, write_live_picks
from etpicker_plugin.window.live.picker import LivePicker
from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.live_process import LiveProcess

SAVED_WITHIN_MS = 10_000


class LiveSaving(QObject):
    """Has the process write its model, and writes the picks that go with it.

    Attributes
    ----------
    is_unsaved
        Whether the live picker knows more than the file.
    """

    saved = pyqtSignal(str)

    def __init__(
        self, editor: Editor, picker: LivePicker, process: LiveProcess
    ) -> None:
        super().__init__()
        self.editor, self.picker, self.process = editor, picker, process
        self.is_unsaved = self._is_saving = False
        self._model = engine.ModelFile(editor.session.folder)

    def save(self) -> None:
        """Have the model of the last answer written into the annotation's folder."""
        if self.is_unsaved and not self._is_saving and self.process.is_running():
            try:
                path = self._model.make_room()
            except EtPickerError as error:
                self.editor.failed.emit(str(error))
                return
            self._is_saving = True
            self.process.ask({"do": "save", "path": str(path)})

    def hear(self, event: object) -> None:
        """Take what was written, or learn that nothing was."""
        if isinstance(event, Saved):
            self._take()
        elif isinstance(event, Refused) and event.number is None:
            self._is_saving = False

    def forget(self) -> None:
        """Wait no longer: the process that was asked is gone."""
        self._is_saving = False

    def close(self) -> None:
        """Save what is not saved yet, if all of it is there."""
        if self.picker.is_solved and self.is_unsaved and self.process.is_running():
            self.save()
            for _ in range(SAVED_WITHIN_MS // 100):
                if not self._is_saving:
                    return
                self.process.wait(100)
        elif self.picker.is_solved and self._model.path is not None:
            self._write_picks()

    def _take(self) -> None:
        self._is_saving = False
        try:
            path = self._model.take()
        except EtPickerError as error:
            self.editor.failed.emit(str(error))
            return
        self.is_unsaved = False
        self._write_picks()
        name, folder = html.escape(path.name), html.escape(str(path.parent))
        self.saved.emit(f"The live model is <b>{name}</b> in {folder}.")

    def _write_picks(self) -> None:
        """Write the picks that go with the model; none while some are missing."""
        session = self.editor.session
        try:
            if self.picker.is_solved:
                write_live_picks(session, self.picker)
            else:
                forget_live_picks(session)
        except EtPickerError as error:
            self.editor.failed.emit(str(error))
