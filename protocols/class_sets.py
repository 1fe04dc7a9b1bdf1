"""Outputs by class: one set for each, or one whose group ids are the classes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pyworkflow.protocol import params

from etpicker_plugin.convert_columns import known_columns
from etpicker_plugin.convert_coordinates import append_to_set, create_set
from etpicker_plugin.convert_images import is_flat
from etpicker_plugin.convert_kinds import CURVED
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.particles import Particles

FIRST_OUTPUTS = ("Coordinates3D", "outputCoordinates")
"""What the first output is called: of tomograms, and of micrographs."""

SET_PER_CLASS = 0
ONE_SET = 1


def add_output_choice(form, *, level=params.LEVEL_NORMAL):
    """Ask for one set per class or one set for all."""
    form.addParam(
        "outputSets",
        params.EnumParam,
        choices=["one set per class", "one set, classes as group ids"],
        default=SET_PER_CLASS,
        expertLevel=level,
        label="Output",
        help="Sets of one class are labelled with its name. Each class of filaments "
        "and vesicles has a set of its own: there group ids number them. Coordinates "
        "of micrographs have no group ids: each class has a set.",
    )


def split_groups(
    groups: Mapping[str, int], choice: int, kinds: Mapping[str, str]
) -> list[dict[str, int]]:
    """Return the groups (class -> id) of each set.

    Filaments and vesicles are numbered by group ids: each class of them has a set of
    its own.
    """
    alone = [{name: group} for name, group in groups.items()]
    if choice != ONE_SET:
        return alone
    curved = [part for part in alone if kind_of(part, kinds) in CURVED]
    together = {n: i for part in alone if part not in curved for n, i in part.items()}
    return [*([together] if together else []), *curved]


def kind_of(names: Mapping[str, int], kinds: Mapping[str, str]) -> str:
    """Return the kind of a set of these classes."""
    return kinds.get(next(iter(names)), PARTICLE)


def numbered(name: str, number: int) -> str:
    """Return ``Name``, ``Name2``, ``Name3`` ... as Scipion names several outputs."""
    return name if number == 1 else f"{name}{number}"


def make_class_sets(
    protocol,
    particles: Mapping[str, Particles],
    tomograms: Mapping[str, object],
    *,
    groups: Mapping[str, int],
    boxes: Mapping[str, int],
    diameters: Mapping[str, float],
    kinds: Mapping[str, str],
    output_name: str,
    ending: str = "",
    label_of=", ".join,
):
    """Return the filled sets by output name; a joint set has the largest box.

    ``diameters`` (Å) go with the sets, of the classes that have one, and ``kinds``, of
    those that are no particles; ``ending`` goes to every name, to tell new outputs from
    those there are; ``label_of`` gives the label of a set's classes.
    """
    outputs = {}
    prefix = "" if output_name in FIRST_OUTPUTS else f"_{output_name}"
    asked = getattr(protocol, "outputSets", None)
    choice = SET_PER_CLASS if asked is None else asked.get()
    images = protocol.imagesPointer()
    if is_flat(images.get()):
        choice = SET_PER_CLASS
    for number, part in enumerate(split_groups(groups, choice, kinds), 1):
        kind = kind_of(part, kinds)
        coordinates = create_set(
            images,
            protocol._getPath(),
            f"{prefix}{numbered('', number)}{ending}",
            box_size=max(boxes[name] for name in part),
            label=label_of(part),
            kind=kind,
            diameters={n: diameters[n] for n in part if n in diameters},
        )
        own = {
            t: p.select(np.isin(p.class_names, list(part)))
            for t, p in particles.items()
        }
        columns = known_columns(own.values(), kind=kind)
        for ts_id, found in own.items():
            append_to_set(
                coordinates, tomograms[ts_id], found, groups=part, columns=columns
            )
        coordinates.write()
        outputs[f"{numbered(output_name, number)}{ending}"] = coordinates
    return outputs
