"""From diameters in Å to voxels: the working voxel size and the labels."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.kinds import FILAMENT, PARTICLE, VESICLE
from etpicker_plugin.engine.species import Species, across_ang

logger = logging.getLogger(__name__)

MOST_REFINEMENT = 2.0
LEAST_INPUT_DIAMETER = 3.0
LABEL_SHARE = 0.45
LABEL_RANGE_VOX = (5.0, 13.0)


@dataclass(frozen=True)
class Widths:
    """How many voxels are comfortable across a thing, too few, and the fewest.

    ``least`` are enough where the working voxel size is not to be chosen any more.
    """

    comfortable: float
    narrow: float
    smallest: float
    least: float


WIDTHS = {
    PARTICLE: Widths(18.0, 15.0, 12.0, 6.0),
    FILAMENT: Widths(14.0, 6.0, 5.0, 5.0),
    VESICLE: Widths(7.0, 6.0, 5.0, 5.0),
}
"""What goes on along a curve or a membrane is seen where a narrow particle is not."""

FIRST_LOOK_SHARE = 2 / 3


def choose_working_voxel_size(
    diameters: Mapping[str, float],
    voxel_size: float,
    *,
    kinds: Mapping[str, str] | None = None,
    first_look: bool = False,
) -> float:
    """Choose the voxel size at which the network works, Å: the finest that any needs.

    Coarser than the input until a particle is 18 voxels wide. Finer only where it would
    be under 15 voxels wide, because the network's first layer halves the resolution:
    then 18 voxels too, but no more than twice as fine unless 12 need it. For a first
    look always 12. Across filaments and membranes fewer are enough.

    Parameters
    ----------
    diameters
        Of each class, Å.
    voxel_size
        Of the input, Å.
    kinds
        Of the classes that are no particles.

    Raises
    ------
    InputDataError
        If a particle is narrower than three voxels of the input.
    """
    wanted = []
    for name, diameter in diameters.items():
        kind = (kinds or {}).get(name, PARTICLE)
        across = across_ang(diameter, kind)
        if across < LEAST_INPUT_DIAMETER * voxel_size:
            raise InputDataError(
                f"Class {name}: {across:g} Å is {across / voxel_size:.1f} voxels at "
                f"{voxel_size:g} Å, too small to be seen (3 or more are needed). Give "
                "less binned tomograms, or check diameter (Å) and voxel size."
            )
        wanted.append(_choose(across, voxel_size, WIDTHS[kind], first_look=first_look))
    return min(wanted)


def _choose(
    across: float, voxel_size: float, widths: Widths, *, first_look: bool
) -> float:
    comfortable = across / widths.comfortable
    if first_look:
        return comfortable / FIRST_LOOK_SHARE
    if voxel_size <= across / widths.narrow:
        return max(voxel_size, comfortable)
    least = across / widths.smallest
    return max(comfortable, min(voxel_size / MOST_REFINEMENT, least))


def label_diameters_ang(
    diameters: Mapping[str, float],
    working_voxel_size: float,
    given: float | None,
    *,
    kinds: Mapping[str, str] | None = None,
) -> dict[str, float]:
    """Return each class's label diameter in Å: given, or 0.45 of the particle's.

    Of a filament, of its width; of a vesicle, of its membrane's thickness.

    Held between 5 and 13 working voxels: smaller ones are lost among millions of
    background voxels, larger ones blur the centre.
    """
    if given is not None:
        return dict.fromkeys(diameters, given)
    low, high = (v * working_voxel_size for v in LABEL_RANGE_VOX)
    across = {
        name: across_ang(diameter, (kinds or {}).get(name, PARTICLE))
        for name, diameter in diameters.items()
    }
    return {name: min(max(LABEL_SHARE * a, low), high) for name, a in across.items()}


def species_at(
    working_voxel_size: float,
    diameters: Mapping[str, float],
    *,
    kinds: Mapping[str, str] | None = None,
    label_diameter_ang: float | None = None,
) -> tuple[Species, ...]:
    """Return classes as they are learnt at a working voxel size (Å), no threshold yet.

    Parameters
    ----------
    label_diameter_ang
        Of all labels, instead of what suits the diameters.
    """
    labels = label_diameters_ang(
        diameters, working_voxel_size, label_diameter_ang, kinds=kinds
    )
    return tuple(
        Species(
            name=name,
            diameter_ang=diameter,
            label_diameter_ang=labels[name],
            kind=(kinds or {}).get(name, PARTICLE),
        )
        for name, diameter in diameters.items()
    )
