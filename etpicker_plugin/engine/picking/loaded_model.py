"""A model ready to pick, and which of its classes it picks from which score."""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

from etpicker_plugin.engine.config.pick import FILAMENT_LENGTHS, PickConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.filaments.settings import TraceSettings, trace_settings
from etpicker_plugin.engine.kinds import FILAMENT, VESICLE
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.picking.second_look import SecondLook
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.species import Species

LOWEST_SCORE = 0.01


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A network on its device, its card, its file's hash, and maps if it has any."""

    network: Network
    card: ModelCard
    sha256: str
    second_look: SecondLook | None = None

    def telling(self, name: str, on_progress: Progress) -> "LoadedModel":
        """Return it with a second look that says how far it is in a tomogram."""
        if self.second_look is None:
            return self
        stage = f"comparing {name} with maps"
        look = self.second_look.reporting_to(
            lambda done, total: on_progress(ProgressEvent(stage, done, total))
        )
        return replace(self, second_look=look)


def thresholds(card: ModelCard, config: PickConfig) -> dict[str, float]:
    """Return the lowest score kept, for each class to pick.

    With ``max_picks`` the number decides, and any possible score is let through.
    Unbiased picks have one threshold for all classes: the lowest of theirs.

    Raises
    ------
    ConfigError
        If a class asked for is not one of the model's.
    """
    known = card.class_names()
    unknown = sorted({*config.classes, *config.threshold} - set(known))
    if unknown:
        raise ConfigError(
            f"Class {', '.join(unknown)} is not known to the model. It knows: "
            f"{', '.join(known)}."
        )
    if config.max_picks is not None:
        chosen = dict.fromkeys(known, LOWEST_SCORE)
    else:
        chosen = {c.name: max(c.threshold, LOWEST_SCORE) for c in card.classes}
    if config.unbiased:
        chosen = dict.fromkeys(known, min(chosen.values()))
    chosen.update(config.threshold)
    wanted = config.classes or known
    return {name: value for name, value in chosen.items() if name in wanted}


def wanted_species(card: ModelCard, config: PickConfig) -> tuple[Species, ...]:
    """Return the model's species with the lowest scores that are kept of them.

    Infinite for those that are not asked for: they keep their channels.
    """
    limits = thresholds(card, config)
    return tuple(
        replace(s, threshold=limits.get(s.name, math.inf)) for s in card.classes
    )


def border_of(card: ModelCard, config: PickConfig) -> tuple[float, float, float]:
    """Return how near to the faces in z, y and x nothing is picked, Å.

    What is asked for holds for all faces; what the annotations leave out, in x and y.
    """
    if config.border is not None:
        return config.border, config.border, config.border
    return 0.0, card.border_ang, card.border_ang


def trace_settings_of(card: ModelCard, config: PickConfig) -> dict[str, TraceSettings]:
    """Return how the filaments of each class are traced: as asked for, or as suits.

    Raises
    ------
    ConfigError
        If something is asked for of a class that the model has no filaments of, or a
        twist of those of micrographs.
    """
    if card.is_flat and config.filament_twist:
        raise ConfigError(
            "--filament-twist: a micrograph does not show how a filament is turned "
            "about itself. Pick without it."
        )
    diameters = {s.name: s.diameter_ang for s in card.classes if s.kind == FILAMENT}
    for field in (*FILAMENT_LENGTHS, "filament_twist"):
        _check_kind(field, getattr(config, field), diameters, "filaments")
    return {
        name: trace_settings(
            diameter,
            card.working_voxel_size,
            step_ang=config.filament_step.get(name),
            gap_ang=config.filament_gap.get(name),
            min_length_ang=config.filament_length.get(name),
            min_radius_ang=config.filament_radius.get(name),
            twist_per_ang=config.filament_twist.get(name, 0.0)
            / config.filament_rise.get(name, 1.0),
        )
        for name, diameter in diameters.items()
    }


def surface_steps(card: ModelCard, config: PickConfig) -> dict[str, float]:
    """Return how far apart points on membranes are, Å, for each class that has them.

    Raises
    ------
    ConfigError
        If they are asked for of a class that the model has no vesicles of.
    """
    vesicles = [s.name for s in card.classes if s.kind == VESICLE]
    _check_kind("surface_step", config.surface_step, vesicles, "vesicles")
    if config.instance_masks and not vesicles:
        raise ConfigError(
            "--instance-masks: the model has no vesicles. Pick without them."
        )
    return dict(config.surface_step)


def _check_kind(
    field: str, asked: Collection[str], known: Collection[str], what: str
) -> None:
    """Refuse what is asked for of classes that are not of a kind."""
    for name in asked:
        if name not in known:
            raise ConfigError(
                f"--{field.replace('_', '-')} {name}: the model has no {what} of that "
                f"name. It has: {', '.join(known) or 'none'}."
            )
