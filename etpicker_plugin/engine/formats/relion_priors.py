"""What RELION calls priors: angles that are told by a filament, or by a membrane.

RELION 3.1 and 4 take the priors of tilt and psi from each particle's own angles. RELION
5 keeps a particle's geometry in ``rlnTomoSubtomogramRot/Tilt/Psi`` and lets the angles
that it refines start at (0, 90, 0), which are the priors, for all particles: with S the
matrix of the former and P = Ry(-90) that of the latter, S P is the orientation, whose z
axis lies along the filament, or the normal (``star_poses``, which reads them so).

Points on membranes have these, as RELION's own points on spheres do, and besides the
number of their vesicle in ``rlnTomoManifoldIndex``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.columns import RADIUS, ROTATION, VESICLE, Column, Values
from etpicker_plugin.engine.formats.groups import numbers_of, texts_of
from etpicker_plugin.engine.formats.star_columns import ANGLES
from etpicker_plugin.engine.formats.star_numbers import read_columns
from etpicker_plugin.engine.formats.star_poses import SUBTOMOGRAM_ANGLES
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.orientation import (
    from_relion_angles,
    known_or_unturned,
    to_relion_angles,
)
from etpicker_plugin.engine.particles import Particles

if TYPE_CHECKING:
    import pandas as pd

PRIORS = ("rlnAngleTiltPrior", "rlnAnglePsiPrior")
MANIFOLD = "rlnTomoManifoldIndex"
START_DEG = (0.0, 90.0, 0.0)
"""Rot, tilt and psi of every such particle, in RELION 5."""


def prior_columns(particles: Particles, *, version: str) -> dict[str, Values]:
    """Return label -> ``(N,)``: angles and their priors; nothing if none is known."""
    known = particles.optional.get(ROTATION.name)
    if known is None:
        return {}
    turned = known_or_unturned(np.asarray(known))
    if version != "relion5":
        angles = to_relion_angles(turned)
        return dict(zip_strict(PRIORS, angles[:, 1:].T))
    start = np.tile(START_DEG, (len(particles), 1))
    geometry = to_relion_angles(turned @ from_relion_angles(-start[:, ::-1]))
    return {
        **dict(zip_strict(SUBTOMOGRAM_ANGLES, geometry.T)),
        **dict(zip_strict(ANGLES, start.T)),
        **dict(zip_strict(PRIORS, start[:, 1:].T)),
    }


def are_on_membranes(sets: Sequence[Particles]) -> bool:
    """Tell whether all are points on vesicles: these have a radius at their centre."""
    names = np.concatenate([texts_of(VESICLE, p) for p in sets])
    unknown = [RADIUS.unknown(len(p)) for p in sets]
    radii = [p.optional.get(RADIUS.name, u) for p, u in zip_strict(sets, unknown)]
    on_membrane = (names != VESICLE.missing) & np.isnan(np.concatenate(radii))
    return len(names) > 0 and bool(on_membrane.all())


def membrane_columns(particles: Particles, *, version: str) -> dict[str, Values]:
    """Return label -> ``(N,)`` for points on membranes; RELION 3.1 has no manifolds."""
    priors = prior_columns(particles, version=version)
    if version == "relion3":
        return priors
    return {MANIFOLD: numbers_of(texts_of(VESICLE, particles)), **priors}


def names_of_numbers(
    rows: pd.DataFrame, label: str, column: Column, *, path: Path
) -> NDArray[np.str_] | None:
    """Return ``(N,)`` names made of RELION's numbers; ``None`` without them.

    So it is too where the table has the names themselves.
    """
    if label not in rows.columns or column.star_labels[0] in rows.columns:
        return None
    numbers = read_columns(rows, (label,), path=path)[:, 0]
    return np.array([str(int(n)) if n > 0 else "" for n in numbers], dtype=str)


def vesicle_names(rows: pd.DataFrame, *, path: Path) -> NDArray[np.str_] | None:
    """Return ``(N,)`` names of vesicles made of RELION's manifolds, if it says them.

    Beside priors alone: other programs number particles of any kind so.
    """
    if PRIORS[0] not in rows.columns:
        return None
    return names_of_numbers(rows, MANIFOLD, VESICLE, path=path)
