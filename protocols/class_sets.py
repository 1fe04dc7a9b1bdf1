"""Outputs by class: one set for each, or one whose group ids are the classes."""

from __future__ import annotations

from collections.abc import Mapping

from pyworkflow.protocol import params

from etpicker_plugin.convert import append_particles, create_coordinates
from etpicker_plugin.engine.particles import Particles

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
        help="Sets of one class are labelled with its name.",
    )


def split_groups(groups: Mapping[str, int], choice: int) -> list[dict[str, int]]:
    """Return the groups (class -> id) of each set."""
    if choice == ONE_SET:
        return [dict(groups)]
    return [{name: group} for name, group in groups.items()]


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
    output_name: str,
    ending: str = "",
    label_of=", ".join,
):
    """Return the filled sets by output name; a joint set has the largest box.

    ``diameters`` (Å) go with the sets, of the classes that have one; ``ending`` goes to
    every name, to tell new outputs from those there are; ``label_of`` gives the label
    of a set's classes.
    """
    outputs = {}
    prefix = "" if output_name == "Coordinates3D" else f"_{output_name}"
    asked = getattr(protocol, "outputSets", None)
    choice = SET_PER_CLASS if asked is None else asked.get()
    for number, part in enumerate(split_groups(groups, choice), 1):
        coordinates = create_coordinates(
            protocol._getPath(),
            f"{prefix}{numbered('', number)}{ending}",
            precedents=protocol.inputTomograms,
            sampling_rate=protocol.inputTomograms.get().getSamplingRate(),
            box_size=max(boxes[name] for name in part),
            label=label_of(part),
            diameters={n: diameters[n] for n in part if n in diameters},
        )
        for ts_id, found in particles.items():
            append_particles(coordinates, tomograms[ts_id], found, groups=part)
        coordinates.write()
        outputs[f"{numbered(output_name, number)}{ending}"] = coordinates
    return outputs
