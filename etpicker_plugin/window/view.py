"""``etpicker view``: the window on tomograms and picks."""

import signal
import sys
from pathlib import Path

from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.progress import Progress
from etpicker_plugin.window.document.display import require_display
from etpicker_plugin.window.document.session import Session

NEEDED = "PyQt5 and pyqtgraph"


def view(config: ViewConfig, out_dir: Path, *, on_progress: Progress) -> None:
    """Open the window, and save the picks when it is closed.

    Raises
    ------
    ConfigError, InputDataError
        If an input cannot be used.
    ResourceError
        If there is no display, Qt is missing, or the folder is in use.
    """
    require_display()
    session = Session(config, out_dir)
    try:
        from PyQt5.QtWidgets import QApplication

        from etpicker_plugin.window.qt.main_window import MainWindow
        from etpicker_plugin.window.qt.style import dress
    except ImportError as error:
        raise ResourceError(
            f"The window needs {NEEDED}: {error}. Install them: pip install PyQt5 "
            "pyqtgraph."
        ) from error
    application = QApplication.instance() or QApplication(sys.argv[:1])
    dress(application)
    # Without this, Ctrl-C waits for the next event of the window.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    window = MainWindow(session)
    window.show()
    window.start()
    application.exec_()
