"""Refined models of an annotation: where they lie, and which one finds candidates.

Each has a folder of its own beside the live picker's files, with the model and what it
sees in the tomograms. A note says which one is in use; a folder that it does not name
is left of a training that was not finished, and is removed.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.disk import cannot_write
from etpicker_plugin.engine.json_checks import JsonFault, parse, record, text

MODEL_FILE = "model.safetensors"
NOTE_FILE = "refined.json"
PREFIX = "refined_"
NOTE = record({"in_use": text})


class RefinedModels:
    """The one in use, and the one that is offered; each a folder, or none.

    Parameters
    ----------
    folder
        The live picker's; its window holds the annotation.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.in_use = self._read_note()
        self.offered: Path | None = None
        for other in folder.glob(f"{PREFIX}*"):
            if other != self.in_use:
                discard(other)

    def features(self) -> Path:
        """Return where what the network in use sees in the tomograms is kept."""
        return self.folder if self.in_use is None else self.in_use

    def model(self) -> Path | None:
        """Return the file of the model in use; none for the shipped weights."""
        return None if self.in_use is None else self.in_use / MODEL_FILE

    def begin(self) -> Path:
        """Return a new folder.

        Raises
        ------
        ResourceError
            If it cannot be made.
        """
        paths = (self.folder / f"{PREFIX}{number}" for number in count(1))
        path = next(path for path in paths if not path.exists())
        with cannot(path):
            path.mkdir(parents=True)
        return path

    def offer(self, path: Path) -> None:
        """Offer a model that is finished, in place of one offered before."""
        if self.offered is not None:
            discard(self.offered)
        self.offered = path

    def use_offered(self) -> None:
        """Let candidates come from the offered one; the one in use goes.

        Raises
        ------
        ResourceError
            If that cannot be noted; all is as before.
        """
        if self.offered is not None:
            before = self.in_use
            self._use(self.offered)
            self.offered = None
            if before is not None:
                discard(before)

    def use_shipped(self) -> None:
        """Let candidates come from the shipped weights; the one in use is offered.

        Raises
        ------
        ResourceError
            If that cannot be noted; all is as before.
        """
        before = self.in_use
        self._use(None)
        if before is not None:
            self.offer(before)

    def _use(self, path: Path | None) -> None:
        note = json.dumps({"in_use": "" if path is None else path.name})
        file = self.folder / NOTE_FILE
        with cannot(file), write_whole(file) as temporary:
            temporary.write_text(note, encoding="utf-8")
        self.in_use = path

    def _read_note(self) -> Path | None:
        """Return the folder that a former window has used, if its model is there."""
        try:
            name = NOTE(parse((self.folder / NOTE_FILE).read_bytes()), "note")["in_use"]
        except (OSError, JsonFault):
            return None
        known = [path for path in self.folder.glob(f"{PREFIX}*") if path.name == name]
        return next((path for path in known if (path / MODEL_FILE).is_file()), None)


def discard(path: Path) -> None:
    """Remove what is left of a training, as far as it can be."""
    with contextlib.suppress(OSError):
        shutil.rmtree(path)


@contextlib.contextmanager
def cannot(path: Path) -> Iterator[None]:
    """Turn the errors of writing a file into one that says what to do."""
    try:
        yield
    except OSError as error:
        raise cannot_write(str(path), path, error) from error
