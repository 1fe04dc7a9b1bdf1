"""What is marked and what reaches the live cut-off, of all tomograms, as files."""

import contextlib
import shutil

import numpy as np

from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.particles import Particles, make_particles
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.session import LIVE_PICKS, Session
from etpicker_plugin.window.live.picker import LivePicker
from etpicker_plugin.window.live.refined import cannot


def live_picks(document: Document, session: Session, picker: LivePicker) -> Particles:
    """Return a tomogram's picks that count, and its candidates above the cut-off.

    Of classes with candidates alone; places without a particle are none of them.
    """
    marked = document.annotation.to_particles(document.shown(session.classes))
    names = [
        name for name in session.classes.names() if np.isfinite(picker.cut_off(name))
    ]
    marked = marked.select(np.isin(marked.class_names, names))
    found = picker.proposed(document)
    return make_particles(
        document.name,
        np.concatenate([marked.positions_zyx, found.positions_zyx]),
        class_names=np.concatenate([marked.class_names, found.class_names]),
        scores=np.concatenate([marked.scores, found.scores]),
    )


def write_live_picks(session: Session, picker: LivePicker) -> None:
    """Write them, beside the live model, in place of those before.

    Raises
    ------
    ResourceError
        If they cannot be written.
    """
    folder = session.folder / LIVE_PICKS
    with cannot(folder):
        folder.mkdir(exist_ok=True)
    for document in session.documents:
        picks = live_picks(document, session, picker)
        write_csv(picks, folder / f"{document.name}.csv")


def forget_live_picks(session: Session) -> None:
    """Remove those of another model than the one that is saved."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(session.folder / LIVE_PICKS)
