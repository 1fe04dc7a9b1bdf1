"""The engine's pages, opened in the browser."""

import webbrowser
from pathlib import Path

from pyworkflow.viewer import DESKTOP_TKINTER, MessageView, Viewer

from etpicker_plugin.protocols import ProtEtPickerCompare, ProtEtPickerValidate


class EtPickerReportViewer(Viewer):
    """Opens the engine's page in the browser."""

    _name = "etpicker report"
    _targets = (ProtEtPickerCompare, ProtEtPickerValidate)
    _environments = (DESKTOP_TKINTER,)

    def _visualize(self, protocol, **kwargs):
        return open_report(protocol.getReportFile(), self._tkRoot)


def open_report(path, tk_root):
    """Open a page in the browser; a message where there is no page or browser."""
    report = Path(path).resolve()
    if not report.is_file():
        text = "The report is not ready yet."
        return [MessageView(text, "Report", tkParent=tk_root)]
    if not webbrowser.open(report.as_uri()):
        text = f"No browser found. Open {report}"
        return [MessageView(text, "Report", tkParent=tk_root)]
    return []
