"""How strong a map's particles are in a tomogram, and where it surely is."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.maps.appearance import Appearance
from etpicker_plugin.engine.maps.density import DensityMap
from etpicker_plugin.engine.maps.matching import (
    Matches,
    average_contrast,
    match_density,
)
from etpicker_plugin.engine.maps.scene import Recipe, draw_scene
from etpicker_plugin.engine.volumes.tomogram import Tomogram

logger = logging.getLogger(__name__)

USUAL_DEFOCUS_UM = 3.5
BY_CHANCE, SURE = 5, 1.1
"""A place is sure that fits so much better than the so-manieth best of the inverted
map."""

FEWEST_SURE = 3
"""Places that tell a contrast."""

CORRECTED = (1.0, 2.0)
"""Within what a contrast is corrected by what planted particles tell: what goes wrong
makes it too weak, never too strong."""

LEAST_CONTRAST = 1e-3
"""What is measured as less is no contrast, but a wrong place or map."""

MOST_PLANTED, MOST_EDGE = 60, 320

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
    defocus = defocus_um or USUAL_DEFOCUS_UM
    places, radii = [np.zeros((0, 3))], [np.zeros(0)]
    largest = max(diameters[one.name] for one in maps)
    for one in maps:
        diameter = diameters[one.name]
        if diameter < LARGE_SHARE * largest:
            continue
        measure = partial(
            _measure,
            look=look,
            particle=one,
            diameter_ang=diameter,
            defocus_um=defocus,
        )
        found, sure, average = measure(tomogram)
        number = int(sure.sum())
        if number >= FEWEST_SURE and average > LEAST_CONTRAST:
            planted, there = _plant(
                tomogram, look, one, average, number, defocus_um=defocus
            )
            _, _, again = measure(planted, near=there)
            known[one.name] = average * _correction(average, again)
        usual[one.name] = EXPECTED * _contrast_of_one_deviation(found)
        places.append(found.positions_zyx[sure])
        radii.append(np.full(number, diameter / 2 / tomogram.voxel_size))
        _tell(one.name, tomogram, number, known.get(one.name))
    shared = float(np.median(list((known or usual).values())))
    return Found(
        contrasts={one.name: known.get(one.name, shared) for one in maps},
        places_zyx=np.concatenate(places),
        radii_vox=np.concatenate(radii),
    )


def _measure(
    tomogram: Tomogram,
    *,
    look: Appearance,
    particle: DensityMap,
    diameter_ang: float,
    defocus_um: float,
    near: FloatArray | None = None,
) -> tuple[Matches, NDArray[np.bool_], float]:
    """Return where a map fits, which places are sure, and the contrast there or NaN.

    Parameters
    ----------
    near
        ``(N, 3)``: particles are known to be there, and nowhere else is sure.
    """
    found = match_density(
        tomogram,
        look,
        particle,
        diameter_ang=diameter_ang,
        defocus_um=defocus_um,
        most=MOST_PLACES,
    )
    sure = found.deviations >= _sure_from(found)
    if near is not None and len(near):
        distances, _ = cKDTree(near).query(found.positions_zyx)
        sure &= distances < diameter_ang / 4 / tomogram.voxel_size
    average = average_contrast(
        tomogram,
        look,
        particle,
        found.positions_zyx[sure],
        diameter_ang=diameter_ang,
        defocus_um=defocus_um,
    )
    return found, sure, average


def _correction(contrast: float, measured: float) -> float:
    """Return by what a contrast is multiplied, of what planted ones were measured."""
    if not measured > LEAST_CONTRAST:  # NaN too: none of them is found
        return CORRECTED[1]
    return float(np.clip(contrast / measured, *CORRECTED))


def _plant(
    tomogram: Tomogram,
    look: Appearance,
    particle: DensityMap,
    contrast: float,
    number: int,
    *,
    defocus_um: float,
) -> tuple[Tomogram, FloatArray]:
    """Return a simulated tomogram like one with so many particles, and their places.

    What is measured there tells how much too weak such measures are: places are not
    exact, and others lie near.
    """
    first, last = look.sample_z
    recipe = Recipe(
        look=look,
        particles=[particle.species_at(tomogram.voxel_size)],
        contrasts={particle.name: contrast},
        defocus_um=defocus_um,
        number=min(number, MOST_PLANTED),
        varied=False,
    )
    y, x = (min(n, MOST_EDGE) for n in tomogram.shape_zyx[1:])
    generator = np.random.default_rng(0)
    values, placed = draw_scene(recipe, (last - first, y, x), generator=generator)
    grey = values * look.deviation + look.mean
    padding = [(first, tomogram.shape_zyx[0] - last), (0, 0), (0, 0)]
    offset = np.array([first, 0.0, 0.0])
    places = [one.position_zyx + offset for one in placed]
    planted = replace(tomogram, data=np.pad(grey, padding), file=None)
    return planted, np.asarray(places, dtype=np.float64).reshape(-1, 3)


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
