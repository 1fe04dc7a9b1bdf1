"""The etpicker window from Scipion's: on a protocol's picks, and for the wizards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pyworkflow.gui import dialog
from tomo.objects import SetOfTomoMasks

from etpicker_plugin.convert import particles_by_tomogram, tomograms_by_id
from etpicker_plugin.convert_images import COORDINATE_SETS
from etpicker_plugin.convert_surfaces import is_mesh
from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.protocols.annotation import (
    ANNOTATION,
    NEGATIVES,
    VERSION,
    has_news,
    known_kinds,
    prepare_window,
    register_annotation,
    start_window,
    window_error,
)
from etpicker_plugin.protocols.pick_outputs import PickOutputs
from etpicker_plugin.protocols.words import in_form_words
from etpicker_plugin.window.document.counts import describe, read_saved
from etpicker_plugin.window.document.display import require_display

POLL_MS = 400


def follow_window(
    root: object, config: ViewConfig, folder: Path, on_close: Callable[[], None]
) -> None:
    """Start the window beside Scipion's; call ``on_close`` when it was closed.

    Raises
    ------
    ResourceError
        If there is no display.
    """
    require_display()
    process = start_window(config, folder)

    def poll():
        if process.poll() is None:
            root.after(POLL_MS, poll)
            return
        error = window_error(config, process.returncode)
        if error is not None:
            dialog.showError("etpicker", in_form_words(error), root)
        else:
            on_close()

    root.after(POLL_MS, poll)


def edit_picks(root, protocol, *, diameters, groups, class_of, on_close=None) -> None:
    """Open a protocol's picks; what is changed may become a new output of it.

    ``class_of`` gives, for a set, the function from group id to class name;
    ``on_close`` gets the annotation's folder.

    Raises
    ------
    EtPickerError
        If there is no display, or an input cannot be used.
    """
    tomograms = tomograms_by_id(protocol.imagesPointer().get())
    own = getattr(protocol, "getWindowFolder", None)
    folder = own() if own else Path(protocol._getExtraPath("window"))
    if own:
        config = protocol._buildConfig(folder)
    else:
        maps = [
            item
            for name, item in protocol.iterOutputAttributes(SetOfTomoMasks)
            if name.startswith(PickOutputs.ProbabilityMaps.name)
        ]
        sources = [(item, class_of(item)) for _, item in first_outputs(protocol)]
        config = prepare_window(
            folder,
            tomograms,
            particles_by_tomogram(sources),
            diameters=diameters,
            kinds=known_kinds(protocol),
            thresholds=model_thresholds(protocol),
            probability=tomograms_by_id(maps[0]) if len(maps) == 1 else None,
        )

    def done():
        if on_close is not None:
            on_close(folder)
        offer_saving(root, protocol, folder, tomograms, groups=groups)

    follow_window(root, config, folder, done)


def model_thresholds(protocol) -> dict[str, float]:
    """Return the thresholds of the model that a protocol picked with, if known."""
    model = getattr(protocol, "inputModel", None)
    if model is None or model.get() is None:
        return {}
    try:
        card = model.get().getCard()
    except EtPickerError:  # Its picks can be looked at without it.
        return {}
    return {one.name: one.threshold for one in card.classes}


def edit_marks(root, protocol) -> None:
    """Open what a protocol learns from; mended marks may become its output.

    Raises
    ------
    EtPickerError
        If there is no display, or an input cannot be used.
    """
    folder = Path(protocol.getMarksFolder())
    tomograms = protocol.getLearntTomograms()
    config = prepare_window(
        folder,
        tomograms,
        protocol.getMarks(),
        diameters=protocol.getDiameters(),
        kinds=known_kinds(protocol),
        masks=protocol.getMasks(),
    )
    groups = {name: i for i, name in enumerate(protocol.getDiameters(), 1)}
    follow_window(
        root,
        config,
        folder,
        lambda: offer_saving(root, protocol, folder, tomograms, groups=groups),
    )


def offer_saving(root, protocol, folder, tomograms, *, groups) -> None:
    """Ask whether changed picks become a new output of the protocol."""
    if has_news(folder, tomograms) and dialog.askYesNo(
        "Save picks",
        f"The picks were changed. {what_is_kept(folder)}Save them as a new output of "
        "this protocol? The outputs that are there stay as they are.",
        root,
    ):
        register_annotation(protocol, folder, tomograms, known_groups=groups)


def what_is_kept(folder: Path) -> str:
    """Return how many of how many picks the window has kept, in a sentence."""
    count = read_saved(folder / ANNOTATION)
    return "" if count is None else f"Kept are {describe(count)}. "


def first_outputs(protocol):
    """Return names and sets of coordinates as the protocol made them, unedited."""
    return [
        (name, item)
        for name, item in protocol.iterOutputAttributes(COORDINATE_SETS)
        if VERSION not in name and not name.startswith(NEGATIVES) and not is_mesh(item)
    ]
