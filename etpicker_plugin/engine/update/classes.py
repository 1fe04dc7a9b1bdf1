"""Which classes an updated model has: the old ones first, then the new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.names import require_new_names, tomogram_id_of
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.scale import WIDTHS, species_at

SAME_DIAMETER = 0.02


@dataclass(frozen=True)
class Plan:
    """The classes of an updated model.

    Attributes
    ----------
    species
        Every class, in the order of the channels: the old model's as they are in it.
    learnt
        Those that the new tomograms are annotated with.
    n_old
        How many the old model knows.
    """

    species: tuple[Species, ...]
    learnt: tuple[str, ...]
    n_old: int

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in the order of the channels."""
        return tuple(s.name for s in self.species)


def plan_classes(card: ModelCard, config: UpdateConfig) -> Plan:
    """Decide what is learnt, and refuse what the model cannot learn.

    Raises
    ------
    ConfigError
        If a new class has no diameter, or a known one another diameter or kind.
    InputDataError
        If a new class is too small for the model's working voxel size.
    """
    known = {c.name: c.diameter_ang for c in card.classes}
    learnt = config.diameter or _marked_classes(config, known)
    for name in known.keys() & learnt.keys():
        if abs(learnt[name] / known[name] - 1) > SAME_DIAMETER:
            raise ConfigError(
                f"--diameter {name}={learnt[name]:g}: the model knows {name} with "
                f"{known[name]:g} Å. Give that, or another name for another particle."
            )
    _check_kinds(card, config.kind)
    new = {name: d for name, d in learnt.items() if name not in known}
    require_new_names(new, what="--diameter")
    added = species_at(card.working_voxel_size, new, kinds=config.kind)
    _check_sizes(added, card.working_voxel_size)
    return Plan(
        species=(*card.classes, *added),
        learnt=tuple(learnt),
        n_old=len(known),
    )


def _marked_classes(config: UpdateConfig, known: dict[str, float]) -> dict[str, float]:
    """Return the classes in the coordinates, all of which must be known."""
    names: set[str] = set()
    for tomogram, path in zip_strict(config.tomogram, config.coordinates):
        particles = read_csv(
            Path(path), tomogram_id=tomogram_id_of(tomogram), flat=True
        )
        names |= set(particles.class_names.tolist()) - {NEGATIVE}
    new = sorted(names - known.keys())
    if new:
        raise ConfigError(
            f"Class {', '.join(new)} in the coordinates is new to the model, which "
            f"knows {', '.join(known)}. Give its diameter (Å) and name every class to "
            f"learn: --diameter {new[0]}=…; classes left out are not learnt."
        )
    if not names:
        raise InputDataError(
            "The coordinates hold no particle. Mark some in the new tomograms."
        )
    return {name: d for name, d in known.items() if name in names}


def _check_kinds(card: ModelCard, given: Mapping[str, str]) -> None:
    """Refuse to take a known class for something else."""
    for one in card.classes:
        kind = given.get(one.name, one.kind)
        if kind != one.kind:
            raise ConfigError(
                f"--kind {one.name}={kind}: the model knows {one.name} as a class of "
                f"the kind '{one.kind}'. Leave it out, or give another name for "
                "something else."
            )


def _check_sizes(new: Sequence[Species], voxel_size: float) -> None:
    for one in new:
        across, least = one.across_ang, WIDTHS[one.kind].least
        if across < least * voxel_size:
            raise InputDataError(
                f"Class {one.name}: {across:g} Å is {across / voxel_size:.1f} voxels "
                f"at the {voxel_size:.3g} Å per voxel at which this model works; "
                f"{least:g} or more are needed. Train a new model for it, with "
                "--working-voxel-size small enough."
            )
