"""One screen and one application for all tests of the window."""

import os

import pytest

from etpicker_plugin.tests.support.phantoms import DIAMETERS, make_phantoms
from etpicker_plugin.tests.support.screen import screen
from etpicker_plugin.tests.support.window_driver import wait_drawn


@pytest.fixture(scope="session")
def display():
    """A screen of the tests' own."""
    with screen() as name:
        if name is not None:
            os.environ["DISPLAY"] = name
            os.environ["QT_QPA_PLATFORM"] = "xcb"
        yield name


@pytest.fixture(scope="session")
def application(display):
    """The Qt application."""
    from PyQt5.QtWidgets import QApplication

    from etpicker_plugin.window.qt.style import dress

    application = QApplication.instance() or QApplication(["etpicker"])
    dress(application)
    return application


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory):
    """Tomograms of three different odd sizes, and their truth."""
    folder = tmp_path_factory.mktemp("phantoms")
    return folder, make_phantoms(folder)


@pytest.fixture
def open_window(application, tmp_path):
    """Return a function that opens the window on an annotation, as ``view`` does."""
    from etpicker_plugin.engine.config.view import ViewConfig
    from etpicker_plugin.window.document.session import Session
    from etpicker_plugin.window.qt.main_window import MainWindow

    opened = []

    def open_it(*tomograms, out=None, diameter=None, kind=None, **inputs):
        folder = out or tmp_path / "annotation"
        folder.mkdir(exist_ok=True)
        config = ViewConfig(
            tomogram=tuple(str(t) for t in tomograms),
            diameter=DIAMETERS if diameter is None else diameter,
            kind=kind or {},
            out=str(folder),
            **{k: tuple(str(p) for p in v) for k, v in inputs.items()},
        )
        window = MainWindow(Session(config, folder))
        window.show()
        window.start()
        application.setActiveWindow(window)  # There is no window manager to do so.
        opened.append(window)
        wait_drawn(window)
        window.views.fit()
        application.processEvents()
        return window

    yield open_it
    for window in opened:
        window.close()
        window.deleteLater()
    application.processEvents()
