"""How strong a map's particles are in a tomogram, and where it surely is."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.maps.appearance import Appearance
from etpicker_plugin.engine.maps.density import DensityMap
from etpicker_plugin.engine.maps.matching import (
    Matches,
    average_contrast,
    match_density,
)
from etpicker_plugin.engine.volumes.tomogram import Tomogram

logger = logging.getLogger(__name__)

USUAL_DEFOCUS_UM = 3.5
BY_CHANCE, SURE = 5, 1.1
"""A place is sure that fits so much better than the so-manieth best of the inverted
map."""

FEWEST_SURE = 3
"""Places that tell a contrast. Single ones say too little of it, as they were matched
with few rotations, and so does their average, in which some are wrong: the higher of
both is taken."""

LARGE_SHARE = 0.7
"""Of the largest diameter: what is smaller is hardly found surely, and not matched."""

EXPECTED = 11.0
"""Deviations at which a particle is taken to be, where none is found surely."""

MOST_PLACES = 400


@dataclass(frozen=True, kw_only=True)
class Found:
    """What matching tells of a tomogram.

    Attributes
    ----------
    contrasts
        By class.
    places_zyx, radii_vox
        ``(N, 3)`` and ``(N,)``: where particles surely are, in the tomogram's voxels.
    """

    contrasts: Mapping[str, float]
    places_zyx: FloatArray
    radii_vox: FloatArray


def find_contrasts(
    tomogram: Tomogram,
    look: Appearance,
    maps: Sequence[DensityMap],
    *,
    diameters: Mapping[str, float],
    defocus_um: float | None,
) -> Found:
    """Match every map; return contrasts and sure places.

    A class of which none is found surely, or that is small, gets the contrast of the
    others: protein is as dense everywhere. If there are no others, the one with which
    its particles would stand out as they usually do.
    """
    known, usual = {}, {}
    places, radii = [np.zeros((0, 3))], [np.zeros(0)]
    largest = max(diameters[one.name] for one in maps)
    for one in maps:
        diameter = diameters[one.name]
        if diameter < LARGE_SHARE * largest:
            continue
        found = match_density(
            tomogram,
            look,
            one,
            diameter_ang=diameter,
            defocus_um=defocus_um or USUAL_DEFOCUS_UM,
            most=MOST_PLACES,
        )
        sure = found.deviations >= _sure_from(found)
        if int(sure.sum()) >= FEWEST_SURE:
            average = average_contrast(
                tomogram,
                look,
                one,
                found.positions_zyx[sure],
                diameter_ang=diameter,
                defocus_um=defocus_um or USUAL_DEFOCUS_UM,
            )
            known[one.name] = max(average, float(np.median(found.contrasts[sure])))
        usual[one.name] = EXPECTED * _contrast_of_one_deviation(found)
        places.append(found.positions_zyx[sure])
        radii.append(np.full(int(sure.sum()), diameter / 2 / tomogram.voxel_size))
        _tell(one.name, tomogram, int(sure.sum()), known.get(one.name))
    shared = float(np.median(list((known or usual).values())))
    return Found(
        contrasts={one.name: known.get(one.name, shared) for one in maps},
        places_zyx=np.concatenate(places),
        radii_vox=np.concatenate(radii),
    )


def _sure_from(found: Matches) -> float:
    """Return the deviations from which a place is more than chance."""
    if len(found.of_chance) < BY_CHANCE:
        return float("inf")
    return SURE * float(found.of_chance[BY_CHANCE - 1])


def _contrast_of_one_deviation(found: Matches) -> float:
    if not len(found.deviations):
        return 1.0
    return float(found.contrasts[0] / max(found.deviations[0], 1e-6))


def _tell(name: str, tomogram: Tomogram, sure: int, contrast: float | None) -> None:
    told = "" if contrast is None else f", contrast {contrast:.2f}"
    logger.info(
        "%s: its map matches %d place(s) of %s surely%s",
        name,
        sure,
        tomogram.tomogram_id,
        told,
    )
