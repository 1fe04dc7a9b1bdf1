"""The circles of candidates that nobody has answered: dashed."""

from dataclasses import replace

import numpy as np

from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.settings import Classes
from etpicker_plugin.window.drawing.circles import CircleGroup, ViewCircles
from etpicker_plugin.window.drawing.colours import class_colour
from etpicker_plugin.window.drawing.sections import Sections, cut_spheres
from etpicker_plugin.window.live.candidates import Candidates, radii_vox


def with_questions(
    circles: ViewCircles,
    questions: Candidates,
    *,
    document: Document,
    classes: Classes,
    axis: int,
    index: int,
    asked: int | None,
    hidden: frozenset[str] = frozenset(),
) -> ViewCircles:
    """Return a view's circles with those of the candidates, the asked one thick."""
    sections = cut_spheres(
        questions.positions_zyx,
        radii_vox(questions, document, classes),
        np.arange(len(questions)),
        axis=axis,
        index=index,
    )
    sections = _only(sections, ~np.isin(_names(sections, questions), list(hidden)))
    groups = _groups(sections, questions, classes)
    thick = _groups(_only(sections, sections.ids == asked), questions, classes)
    return replace(
        circles,
        groups=[*circles.groups, *groups],
        highlight=[*circles.highlight, *(replace(g, thick=True) for g in thick)],
        questions=sections,
    )


def _names(sections: Sections, questions: Candidates) -> np.ndarray:
    return questions.class_names[sections.ids]


def _only(sections: Sections, chosen: np.ndarray) -> Sections:
    return Sections(
        ids=sections.ids[chosen],
        centres=sections.centres[chosen],
        radii=sections.radii[chosen],
        heights=sections.heights[chosen],
    )


def _groups(
    sections: Sections, questions: Candidates, classes: Classes
) -> list[CircleGroup]:
    names, found = _names(sections, questions), []
    for name in np.unique(names).tolist():
        own = _only(sections, names == name)
        found.append(
            CircleGroup(
                colour=class_colour(name, classes.names()),
                centres=own.centres,
                radii=own.radii,
                heights=own.heights,
                dashed=True,
            )
        )
    return found
