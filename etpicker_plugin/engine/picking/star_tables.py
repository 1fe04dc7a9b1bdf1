"""The STAR files of a picked tomogram or micrograph, as RELION reads them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.format import FormatOptions
from etpicker_plugin.engine.formats.relion_micrographs import RELION_COORDINATES
from etpicker_plugin.engine.formats.relion_star import write_star
from etpicker_plugin.engine.formats.star_words import in_star_words
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.names import star_word
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.species import Species


def tables_of(name: str, card: ModelCard) -> dict[str, list[str]]:
    """Return the STAR files of a model's picks, each with its classes."""
    if card.is_flat:
        return coordinate_tables(name, card.classes)
    return star_tables(name, card.classes)


def star_tables(name: str, species: Sequence[Species]) -> dict[str, list[str]]:
    """Return the STAR files of a tomogram's picks, each with its classes.

    RELION has other columns for filaments, and takes an orientation that is not known
    beside known ones, as vesicles have them, for known: beside other classes each class
    of these has a table of its own, NAME_CLASS.star.
    """
    if len(species) == 1:
        return {f"{name}.star": [species[0].name]}
    curves = [one.name for one in species if one.kind != PARTICLE]
    others = [one.name for one in species if one.kind == PARTICLE]
    tables = {f"{name}.star": others} if others else {}
    return {**tables, **{f"{name}_{curve}.star": [curve] for curve in curves}}


def coordinate_tables(name: str, species: Sequence[Species]) -> dict[str, list[str]]:
    """Return the STAR files of a micrograph's picks, each with its class.

    RELION takes all coordinates of a micrograph's file for one species, which are to be
    extracted with one size of box: each of several classes has a file of its own.
    """
    if len(species) == 1:
        return {f"{name}_autopick.star": [species[0].name]}
    return {f"{name}_{one.name}_autopick.star": [one.name] for one in species}


def check_tables(names: Iterable[str], card: ModelCard) -> None:
    """See that no two tomograms, or micrographs, write one file.

    Raises
    ------
    ConfigError
        Naming them and the file.
    """
    owners: dict[str, str] = {}
    for name in names:
        for table in tables_of(name, card):
            if owners.setdefault(table, name) != name:
                raise ConfigError(
                    f"{table} would hold picks of {owners[table]} and of {name}, "
                    "because one's name and a class make up the other's. Rename one, "
                    "or pick them into two folders."
                )


def write_table(
    particles: Particles,
    frame: TomogramFrame,
    path: Path,
    *,
    classes: Sequence[str],
    card: ModelCard,
) -> None:
    """Write the picks of some classes, which have the model's numbers."""
    own = particles.select(np.isin(particles.class_names, classes))
    order = [star_word(name) for name in card.class_names()]
    item = in_star_words(own, frame)
    if card.is_flat:
        numbers = {name: number for number, name in enumerate(order, 1)}
        RELION_COORDINATES.write([item], path, FormatOptions(), numbers)
    else:
        write_star([item], path, version="relion5", class_order=order)
