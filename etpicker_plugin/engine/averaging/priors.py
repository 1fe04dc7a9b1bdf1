"""Boxes along filaments or on membranes: what is known of how they lie."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pandas as pd

from etpicker_plugin.engine.averaging.inputs import Boxes
from etpicker_plugin.engine.config.average import (
    HELICAL_FIELDS,
    TUBE_DIAMETERS,
    AverageConfig,
)
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.relion_helices import TRACK, TUBE
from etpicker_plugin.engine.formats.relion_priors import PRIORS
from etpicker_plugin.engine.halves import part_things
from etpicker_plugin.engine.relion.priors import (
    CENTRAL_SHARE,
    Helix,
    Priors,
    Symmetry,
)
from etpicker_plugin.engine.subtomograms.star import ON_VESICLE

logger = logging.getLogger(__name__)

TUBE_IN_MASK = 0.98
"""Of the round mask's diameter: the widest tube, which RELION wants to be smaller."""

LEAST_UNITS = 2.01
MOST_SHARE = 0.99
"""Of a box along z, in which RELION wants to see two subunits at the least."""

HALF = "rlnRandomSubset"

TUBE_KEYS = ["rlnMicrographName", TUBE]


def has_priors(boxes: Boxes) -> bool:
    """Tell whether a table knows tilt and psi of each box: of curves and membranes."""
    return set(PRIORS) <= set(boxes.particles.columns)


def on_tubes(boxes: Boxes) -> bool:
    """Tell whether a table says which filament each box lies on."""
    return {*TUBE_KEYS, TRACK} <= set(boxes.particles.columns)


def choose_priors(
    config: AverageConfig, boxes: Boxes, *, width_ang: float | None, mask_ang: float
) -> Priors | None:
    """Return what RELION is told of the boxes; ``None`` of particles.

    Parameters
    ----------
    width_ang
        Of the filaments, if it is known.
    mask_ang
        Diameter of the round mask.

    Raises
    ------
    ConfigError
        If parameters of filaments do not fit the boxes.
    """
    if not on_tubes(boxes):
        given = [n for n in HELICAL_FIELDS if getattr(config, n) not in (None, ())]
        if given:
            raise ConfigError(
                f"--{given[0].replace('_', '-')}: the boxes of {boxes.star} do not say "
                f"which filament each lies on ({TUBE}). Extract the picks of a class "
                "of filaments, alone."
            )
        return Priors(config.angle_prior) if has_priors(boxes) else None
    sigma = config.angle_prior if has_priors(boxes) else 0.0
    widest = TUBE_IN_MASK * mask_ang
    usual = min(TUBE_DIAMETERS * width_ang, widest) if width_ang else widest
    outer = config.tube_diameter or usual
    if outer >= mask_ang:
        raise ConfigError(
            f"--tube-diameter: got {outer:g} Å, expected less than the mask's diameter "
            f"of {mask_ang:g} Å. Give a larger --diameter, or extract larger boxes."
        )
    return Priors(
        sigma_deg=sigma,
        helix=Helix(
            outer_diameter_ang=outer,
            inner_diameter_ang=config.tube_inner_diameter,
            symmetry=_symmetry(config, boxes, outer_ang=outer, mask_ang=mask_ang),
            keep_tilt=config.keep_tilt_prior,
        ),
    )


def check_tubes(boxes: Boxes, task: str) -> None:
    """See that a refinement has two filaments: RELION parts halves by filament.

    Raises
    ------
    InputDataError
        If there is one alone.
    """
    if task != "refine" or not on_tubes(boxes):
        return
    count = len(boxes.particles.drop_duplicates(TUBE_KEYS))
    if count < 2:
        raise InputDataError(
            f"{boxes.star}: all boxes lie on one filament, and each half set needs one "
            "of its own. Give more filaments, or classify into one class."
        )


def parted_by_vesicle(boxes: Boxes, task: str) -> Boxes:
    """Return boxes on membranes with half sets for a refinement, parted by vesicle.

    Neighbours on one membrane overlap. RELION knows filaments alone; it keeps halves
    that a table has.
    """
    table = boxes.particles
    if task != "refine" or ON_VESICLE not in table or HALF in table:
        return boxes
    number = table.groupby(["rlnMicrographName", ON_VESICLE]).ngroup().to_numpy()
    if number.max(initial=0) == 0:
        logger.warning(
            "All boxes lie on one vesicle: both halves of the refinement hold pieces "
            "of it, which overlap where they are neighbours. The resolution may be "
            "too good."
        )
        return boxes
    half = part_things(np.bincount(number)[:, None])
    return replace(boxes, particles=table.assign(**{HALF: half[number]}))


def _symmetry(
    config: AverageConfig, boxes: Boxes, *, outer_ang: float, mask_ang: float
) -> Symmetry | None:
    """Return the helix, measured in a part of the box that RELION takes.

    That holds two subunits and lies where tube and round mask do not cut it.
    """
    if config.helical_rise is None or config.helical_twist is None:
        return None
    edge = boxes.box * boxes.voxel_size
    most = float(np.sqrt(mask_ang**2 - outer_ang**2)) / edge
    rise = max(config.helical_rise, *config.rise_range, 0.0)
    share = max(CENTRAL_SHARE, LEAST_UNITS * rise / edge)
    if share > min(most, MOST_SHARE):
        raise ConfigError(
            f"--helical-rise: {LEAST_UNITS:g} rises of {rise:g} Å do not fit into the "
            f"part of a box of {edge:g} Å that lies within the mask ({mask_ang:g} Å) "
            f"and the tube ({outer_ang:g} Å). Extract larger boxes, or give a larger "
            "--diameter or a smaller --tube-diameter."
        )
    fresh = round(spacing_ang(boxes.particles) / config.helical_rise)
    most_units = 2 * int(0.5 * (1 - share) * edge / rise) + 1
    return Symmetry(
        rise_ang=config.helical_rise,
        twist_deg=config.helical_twist,
        units=max(1, min(fresh, most_units)),
        central_share=share,
        rise_range=_pair(config.rise_range),
        twist_range=_pair(config.twist_range),
    )


def spacing_ang(particles: pd.DataFrame) -> float:
    """Return the median way along a filament from one box to the next; 0 of none."""
    steps = particles.groupby(TUBE_KEYS)[TRACK].apply(
        lambda along: pd.Series(np.diff(np.sort(along.to_numpy(float))))
    )
    return float(steps.median()) if len(steps) else 0.0


def _pair(values: tuple[float, ...]) -> tuple[float, float] | None:
    return (values[0], values[1]) if values else None
