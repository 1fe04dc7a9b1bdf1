"""What *Live* has learnt, as outputs: its model, and what it finds."""

from __future__ import annotations

import shutil
from pathlib import Path

from etpicker_plugin.protocols.annotation import (
    ANNOTATION,
    LIVE_SETS,
    VERSION,
    digest_of,
    number_on,
    read_folder,
)
from etpicker_plugin.protocols.class_sets import make_class_sets

from etpicker_plugin.convert import even_box
from etpicker_plugin.convert_images import COORDINATE_SETS
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.objects import EtPickerModel
from etpicker_plugin.window.document.session import (
    CLASSES_FILE,
    LIVE_MODEL,
    LIVE_PICKS,
)
from etpicker_plugin.window.document.settings import Classes

MODEL = "model"
REGISTERED_LIVE = "registered_live.txt"


def register_live_model(protocol, folder: Path) -> None:
    """Make an output of the live picker's model, if there is a new one.

    It is copied: a model that a workflow has picked with stays, whatever is answered
    in the window later.
    """
    files = sorted(
        (folder / ANNOTATION).glob(f"{LIVE_MODEL}*.safetensors"),
        key=lambda file: file.stat().st_mtime_ns,
    )
    known = [m.getSha256() for _, m in protocol.iterOutputAttributes(EtPickerModel)]
    if not files or file_sha256(files[-1]) in known:
        return
    file = files[-1]
    ending = f"{VERSION}{len(known) + 1}" if known else ""
    copied = folder / f"{LIVE_MODEL}{ending}{file.suffix}"
    shutil.copyfile(file, copied)
    model = EtPickerModel.fromFile(copied)
    protocol._defineOutputs(**{f"{MODEL}{ending}": model})
    protocol._defineSourceRelation(protocol.imagesPointer(), model)


def register_live_picks(protocol, folder: Path, tomograms, *, known_groups) -> None:
    """Make outputs of what *Live* finds in all tomograms, if it is new.

    Boxes can be cut from them at once: they hold what was marked or accepted, and all
    that reaches the live cut-off.
    """
    particles = read_folder(folder / ANNOTATION / LIVE_PICKS, tomograms)
    found = {str(n) for p in particles.values() for n in p.class_names}
    digest = digest_of(folder / ANNOTATION / LIVE_PICKS, tomograms)
    note = folder / REGISTERED_LIVE
    if not found or (note.is_file() and note.read_text(encoding="utf-8") == digest):
        return
    classes = Classes(folder / ANNOTATION / CLASSES_FILE, {})
    groups = number_on(known_groups, [n for n in classes.names() if n in found])
    rate = protocol.imagesPointer().get().getSamplingRate()
    diameters = {name: classes[name].diameter_ang for name in groups}
    known = [
        name
        for name, _ in protocol.iterOutputAttributes(COORDINATE_SETS)
        if name.split(VERSION)[0] == LIVE_SETS
    ]
    outputs = make_class_sets(
        protocol,
        particles,
        tomograms,
        groups=groups,
        boxes={name: even_box(ang, rate) for name, ang in diameters.items()},
        diameters=diameters,
        kinds={},  # Live finds particles alone.
        output_name=LIVE_SETS,
        ending=f"{VERSION}{len(known) + 1}" if known else "",
        label_of=lambda names: f"{', '.join(names)}, as found on Live",
    )
    protocol._defineOutputs(**outputs)
    for output in outputs.values():
        protocol._defineSourceRelation(protocol.imagesPointer(), output)
    note.write_text(digest, encoding="utf-8")
