"""Which circles a view shows, in which colours."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.kinds import VESICLE
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.window.aids.agreement import Agreement
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.settings import Classes
from etpicker_plugin.window.drawing.colours import (
    BOTH_COLOUR,
    FIRST_COLOUR,
    SECOND_COLOUR,
    class_colour,
)
from etpicker_plugin.window.drawing.sections import (
    IN_PLANE,
    Sections,
    cut_spheres,
    joined,
)
from etpicker_plugin.window.drawing.traces import LEAST_BAND


@dataclass(kw_only=True)
class CircleGroup:
    """Circles of one look: ``(M, 2)`` centres, ``(M,)`` radii and heights, voxels."""

    colour: str
    centres: NDArray[np.float64]
    radii: NDArray[np.float64]
    heights: NDArray[np.float64]
    crossed: bool = False
    thick: bool = False
    dashed: bool = False


@dataclass(kw_only=True)
class ViewCircles:
    """What one view shows: what the mouse can grip, what is drawn, what stands out.

    ``questions`` are the candidates that a click answers.
    """

    sections: Sections
    groups: list[CircleGroup]
    highlight: list[CircleGroup]
    questions: Sections | None = None


@dataclass(frozen=True, kw_only=True)
class Carried:
    """A pick that is being dragged, and where it is now, or how large."""

    pick: int
    position_zyx: NDArray[np.float64]
    radius_vox: float | None = None


def circles_of_view(
    document: Document,
    classes: Classes,
    *,
    axis: int,
    index: int,
    selected: int | None,
    carried: Carried | None = None,
    agreement: Agreement | None = None,
    hidden: frozenset[str] = frozenset(),
) -> ViewCircles:
    """Return the circles of the picks that count, by class or by agreement.

    Points of filaments have none, but can be gripped near the slice.

    The selected pick and the one that is carried are drawn thick; the selected one even
    if it is below the cut-off or of a hidden class.
    """
    annotation = document.annotation
    reach = document.reach_vox(classes, annotation.optional)
    ids = document.heights.near(axis, index - reach, index + reach)
    ids = ids[document.visible(classes, hidden, ids)]
    on_filament = document.on_filament(classes, ids)
    points = ids[on_filament]
    sections = _cut(document, classes, ids[~on_filament], axis, index)
    codes = annotation.codes[sections.ids]
    moving = carried.pick if carried else -1
    if agreement is None:
        groups = [
            _group(sections, (codes == code) & (sections.ids != moving), name, classes)
            for code, name in enumerate(annotation.class_names)
        ]
    else:
        groups = _agreeing_groups(document, classes, agreement, sections, axis, index)
    highlight = []
    standing_out = [p for p in (selected, carried and carried.pick) if p is not None]
    if document.on_filament(classes, np.array(standing_out, dtype=np.intp)).any():
        pass  # Drawn with its curve.
    elif carried:
        ghost = cut_spheres(
            carried.position_zyx[None],
            document.radii_vox(classes, np.array([moving]))
            if carried.radius_vox is None
            else np.array([carried.radius_vox]),
            np.array([moving]),
            axis=axis,
            index=index,
        )
        name = annotation.class_of(moving)
        highlight = [_group(ghost, np.ones(len(ghost.ids), bool), name, classes)]
    elif selected is not None:
        name = annotation.class_of(selected)
        alone = _cut(document, classes, np.array([selected]), axis, index)
        highlight = [_group(alone, annotation.alive[alone.ids], name, classes)]
    return ViewCircles(
        sections=joined(
            replace(sections, hollow=_hollow(document, classes, sections.ids)),
            _grips(document, classes, points, axis, index),
        ),
        groups=groups,
        highlight=[replace(group, thick=True) for group in highlight],
    )


def _hollow(
    document: Document, classes: Classes, ids: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Return which picks are vesicles, ``(N,)``: what lies in them is marked too."""
    names = document.annotation.class_names
    table = [classes.kind_of(name) == VESICLE for name in names]
    return np.array(table or [False])[document.annotation.codes[ids]]


def _grips(
    document: Document,
    classes: Classes,
    ids: NDArray[np.intp],
    axis: int,
    index: int,
) -> Sections:
    """Return the points of filaments near a slice, as circles without a radius."""
    positions = document.annotation.positions_zyx[ids]
    band = np.maximum(document.radii_vox(classes, ids), LEAST_BAND)
    near = np.abs(positions[:, axis] - index) <= band
    return Sections(
        ids=ids[near],
        centres=positions[near][:, IN_PLANE[axis]],
        radii=np.zeros(int(near.sum())),
        heights=positions[near][:, axis] - index,
    )


def _cut(
    document: Document,
    classes: Classes,
    ids: NDArray[np.intp],
    axis: int,
    index: int,
) -> Sections:
    """Return the circles in which a slice cuts some picks of the annotation."""
    return cut_spheres(
        document.annotation.positions_zyx[ids],
        document.radii_vox(classes, ids),
        ids,
        axis=axis,
        index=index,
    )


def _agreeing_groups(
    document: Document,
    classes: Classes,
    agreement: Agreement,
    sections: Sections,
    axis: int,
    index: int,
) -> list[CircleGroup]:
    """Return circles found by both, only here, and only in the other set."""
    other = document.other
    reach = document.reach_vox(classes, other.optional)
    ids = document.other_heights.near(axis, index - reach, index + reach)
    ids = ids[~agreement.second[ids]]
    alone = cut_spheres(
        other.positions_zyx[ids],
        document.other_radii_vox(classes, ids),
        ids,
        axis=axis,
        index=index,
    )
    both = agreement.first[sections.ids]
    return [
        _coloured(sections, both, BOTH_COLOUR),
        _coloured(sections, ~both, FIRST_COLOUR),
        _coloured(alone, np.ones(len(alone.ids), dtype=bool), SECOND_COLOUR),
    ]


def _coloured(
    sections: Sections, chosen: NDArray[np.bool_], colour: str
) -> CircleGroup:
    return CircleGroup(
        colour=colour,
        centres=sections.centres[chosen],
        radii=sections.radii[chosen],
        heights=sections.heights[chosen],
    )


def _group(
    sections: Sections, chosen: NDArray[np.bool_], name: str, classes: Classes
) -> CircleGroup:
    colour = class_colour(name, classes.names())
    return replace(_coloured(sections, chosen, colour), crossed=name == NEGATIVE)
