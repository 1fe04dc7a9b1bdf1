"""From diameters in Å to voxels: the working voxel size and the labels."""

from __future__ import annotations

import logging

from etpicker_plugin.engine.errors import InputDataError

logger = logging.getLogger(__name__)

COMFORTABLE_DIAMETER = 18.0
NARROW_DIAMETER = 15.0
SMALLEST_DIAMETER = 12.0
MOST_REFINEMENT = 2.0
LEAST_INPUT_DIAMETER = 3.0
LABEL_SHARE = 0.45
LABEL_RANGE_VOX = (5.0, 13.0)


def choose_working_voxel_size(
    diameters: dict[str, float], voxel_size: float, *, first_look: bool = False
) -> float:
    """Choose the voxel size at which the network works, Å.

    Coarser than the input until the smallest class is 18 voxels wide. Finer only where
    it would be under 15 voxels wide, because the network's first layer halves the
    resolution: then 18 voxels too, but no more than twice as fine unless 12 need it.
    For a first look always 12.

    Raises
    ------
    InputDataError
        If a particle is narrower than three voxels of the input.
    """
    name = min(diameters, key=lambda key: diameters[key])
    smallest = diameters[name]
    if smallest < LEAST_INPUT_DIAMETER * voxel_size:
        raise InputDataError(
            f"Class {name}: {smallest:g} Å is {smallest / voxel_size:.1f} voxels at "
            f"{voxel_size:g} Å, too small to be seen (3 or more are needed). Give "
            "less binned tomograms, or check diameter (Å) and voxel size."
        )
    least = smallest / SMALLEST_DIAMETER
    if first_look:
        return least
    comfortable = smallest / COMFORTABLE_DIAMETER
    if voxel_size <= smallest / NARROW_DIAMETER:
        return max(voxel_size, comfortable)
    return max(comfortable, min(voxel_size / MOST_REFINEMENT, least))


def label_diameters_ang(
    diameters: dict[str, float], working_voxel_size: float, given: float | None
) -> dict[str, float]:
    """Return each class's label diameter in Å: given, or 0.45 of the particle's.

    Held between 5 and 13 working voxels: smaller ones are lost among millions of
    background voxels, larger ones blur the centre.
    """
    if given is not None:
        return dict.fromkeys(diameters, given)
    low, high = (v * working_voxel_size for v in LABEL_RANGE_VOX)
    return {
        name: min(max(LABEL_SHARE * diameter, low), high)
        for name, diameter in diameters.items()
    }
