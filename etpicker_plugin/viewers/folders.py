"""'Analyze results' of protocols whose result is files for other programs."""

from pathlib import Path

from pyworkflow.gui.browser import FileBrowserWindow
from pyworkflow.viewer import DESKTOP_TKINTER, MessageView, View, Viewer

from etpicker_plugin.protocols import ProtEtPickerExportCoordinates


class FolderView(View):
    """Scipion's own file browser, on a folder."""

    def __init__(self, folder, master):
        super().__init__()
        self._folder, self._master = folder, master

    def show(self):
        FileBrowserWindow(
            f"Exported files: {self._folder}", self._master, path=str(self._folder)
        ).show()


class EtPickerExportViewer(Viewer):
    """Opens the folder of the exported files."""

    _name = "etpicker exported files"
    _targets = (ProtEtPickerExportCoordinates,)
    _environments = (DESKTOP_TKINTER,)

    def _visualize(self, protocol, **kwargs):
        folder = Path(protocol.getExportFolder()).resolve()
        if not folder.is_dir() or not any(folder.iterdir()):
            text = "The files are not written yet."
            return [MessageView(text, "Export", tkParent=self._tkRoot)]
        return [FolderView(folder, self.formWindow)]
