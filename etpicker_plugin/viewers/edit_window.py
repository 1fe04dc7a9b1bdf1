"""The etpicker window on a protocol's picks; what is changed becomes a new output."""

from pathlib import Path

from pyworkflow.gui import dialog
from tomo.objects import SetOfCoordinates3D, SetOfTomoMasks

from etpicker_plugin.convert import particles_by_tomogram, tomograms_by_id
from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.protocols.annotation import (
    NEGATIVES,
    VERSION,
    has_news,
    prepare_window,
    register_annotation,
    start_window,
    window_error,
)
from etpicker_plugin.window.view import require_display

POLL_MS = 400


class EditWindow:
    """Starts the window beside Scipion's, and waits for its end without blocking."""

    def __init__(self, root, protocol, *, diameters, groups, class_of):
        self.root, self.protocol = root, protocol
        self.diameters, self.groups, self.class_of = diameters, groups, class_of
        own = getattr(protocol, "getWindowFolder", None)
        self.folder = own() if own else Path(protocol._getExtraPath("window"))
        self.tomograms = tomograms_by_id(protocol.inputTomograms.get())

    def open(self):
        """Start the window.

        Raises
        ------
        EtPickerError
            If there is no display, or an input cannot be used.
        """
        require_display()
        self.config = self._prepare()
        self.process = start_window(self.config, self.folder)
        self.root.after(POLL_MS, self._poll)

    def _prepare(self):
        if hasattr(self.protocol, "getWindowFolder"):
            return self.protocol._buildConfig(self.folder)
        sets = [item for _, item in first_outputs(self.protocol)]
        sources = [(item, self.class_of(item)) for item in sets]
        maps = [m for _, m in self.protocol.iterOutputAttributes(SetOfTomoMasks)]
        return prepare_window(
            self.folder,
            self.tomograms,
            particles_by_tomogram(sources),
            diameters=self.diameters,
            probability=tomograms_by_id(maps[0]) if len(maps) == 1 else None,
        )

    def _poll(self):
        if self.process.poll() is None:
            self.root.after(POLL_MS, self._poll)
            return
        error = window_error(self.config, self.process.returncode)
        if error is not None:
            dialog.showError("etpicker", str(error), self.root)
        elif has_news(self.folder, self.tomograms) and dialog.askYesNo(
            "Save picks",
            "The picks were changed. Save them as a new output of this protocol? The "
            "outputs that are there stay as they are.",
            self.root,
        ):
            register_annotation(
                self.protocol, self.folder, self.tomograms, known_groups=self.groups
            )


def first_outputs(protocol):
    """Return names and sets of coordinates as the protocol made them, unedited."""
    return [
        (name, item)
        for name, item in protocol.iterOutputAttributes(SetOfCoordinates3D)
        if VERSION not in name and not name.startswith(NEGATIVES)
    ]


def open_or_say_why(window):
    """Open a window; return the message of what is in its way, or nothing."""
    try:
        window.open()
    except EtPickerError as error:
        return str(error)
    return ""
