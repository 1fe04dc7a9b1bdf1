"""What the live picker is asked: the whole state each time, so nothing drifts apart."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.settings import Classes, ParticleClass

Marks = dict[str, dict[str, list[list[float]]]]
"""Tomogram -> class -> positions x, y, z."""


def clicked_classes(classes: Classes) -> list[ParticleClass]:
    """Return the classes of particles: a click on a curve is no place of its own."""
    return [item for item in classes if classes.kind_of(item.name) == PARTICLE]


def marks_of(documents: Iterable[Document], classes: Classes) -> Marks:
    """Return what a person marked or confirmed, and the places without a particle.

    A pick with a score is a model's word, and teaches nothing.
    """
    names = [*(item.name for item in clicked_classes(classes)), NEGATIVE]
    return {d.name: {n: xyz for n in names if (xyz := _own(d, n))} for d in documents}


def _own(document: Document, name: str) -> list[list[float]]:
    annotation = document.annotation
    ids = annotation.ids_of(name)
    ids = ids[np.isnan(annotation.scores[ids])]
    xyz: list[list[float]] = annotation.positions_zyx[ids][:, ::-1].tolist()
    return xyz


def has_click(marks: Marks) -> bool:
    """Return whether any particle is marked, in any tomogram."""
    return any(name != NEGATIVE for own in marks.values() for name in own)


def count_particles(request: Mapping[str, Any]) -> int:
    """Return how many particles a request holds, of all classes and tomograms."""
    marks: Marks = request["marks"]
    return sum(
        len(xyz) for own in marks.values() for n, xyz in own.items() if n != NEGATIVE
    )


def solve_request(
    number: int, classes: Classes, marks: Marks, *, tomogram: str, z: int
) -> dict[str, Any]:
    """Return the request for candidates; what is looked at comes first."""
    return {
        "do": "solve",
        "number": number,
        "classes": [
            {"name": item.name, "diameter_ang": item.diameter_ang}
            for item in clicked_classes(classes)
        ],
        "marks": marks,
        "first": {"tomogram": tomogram, "z": z},
    }
