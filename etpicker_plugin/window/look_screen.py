"""Whether a window could be opened; ``etpicker doctor`` runs it in a process."""

from __future__ import annotations

import importlib
import os

from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.window.document.display import require_display


def look():
    """Yield versions, then the screen: Qt ends the process where there is none."""
    yield {"trying": "PyQt5"}
    core = importlib.import_module("PyQt5.QtCore")
    widgets = importlib.import_module("PyQt5.QtWidgets")
    yield {"trying": "pyqtgraph"}
    plots = importlib.import_module("pyqtgraph")
    versions = f"Qt {core.QT_VERSION_STR}, PyQt5 {core.PYQT_VERSION_STR}"
    yield {"versions": f"{versions}, pyqtgraph {plots.__version__}"}
    try:
        require_display()
    except ResourceError:
        yield {"no_display": True}
        return
    yield {"display": os.environ.get("DISPLAY", "")}
    application = widgets.QApplication([])
    size = application.primaryScreen().size()
    where = f"screen of {size.width()} x {size.height()}"
    yield {"screen": f"{where} ({application.platformName()})"}
