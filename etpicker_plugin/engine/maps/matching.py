"""Where a map is found in a tomogram by matching it, and how strong it is there.

A density is turned every so many degrees, seen through the tomogram's transfer, and
correlated with the whitened tomogram (a matched filter). What comes out, in deviations,
tells how sure a place is; and the factor by which the density fits there best is the
contrast with which particles are drawn into scenes.
"""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.maps.appearance import Appearance, Volume
from etpicker_plugin.engine.maps.density import DensityMap
from etpicker_plugin.engine.maps.transfer import signal_transfer, wedge_of
from etpicker_plugin.engine.simulation.placement import turned_density
from etpicker_plugin.engine.simulation.species import Species
from etpicker_plugin.engine.volumes.tomogram import Tomogram, read_box

logger = logging.getLogger(__name__)

VOXELS_ACROSS = 12.0
"""Of the diameter, at the voxel size at which it is matched."""

MOST_VOXELS = 8_000_000
MOST_WORK = 80_000_000
ROTATIONS = (24, 200)
"""Voxels times rotations that are tried at most, but so many rotations at least."""

SHELLS = 48
EXTREME_SD = 3.5
METAL_ANG, METAL_DEPTH = 30.0, 3.0
"""Averaged over so much, what is darker than the median by so many times as much as the
darkest hundredth is: gold is 3 to 8 times, the densest protein up to 2.7."""

BOX_SHARE = 0.6
"""Of a diameter: half the edge of the boxes that are averaged."""

EXCLUDED_SHARE = 0.5
"""Of a diameter: how near to a better place no other is taken."""


@dataclass(frozen=True, kw_only=True)
class Matches:
    """Places, best first, in voxels of the tomogram.

    Attributes
    ----------
    positions_zyx
        ``(N, 3)``.
    deviations
        ``(N,)``: how far the best rotation's score stands out.
    contrasts
        ``(N,)``: the factor by which the density fits there.
    of_chance
        ``(M,)``: deviations at which the inverted density is found, best first. There
        is none; so that much comes by chance, and of other structures.
    """

    positions_zyx: NDArray[np.float64]
    deviations: NDArray[np.float64]
    contrasts: NDArray[np.float64]
    of_chance: NDArray[np.float64]


def even_rotations(number: int) -> Rotation:
    """Return rotations that cover all orientations evenly (super-Fibonacci spirals).

    See Alexa, CVPR 2022: quaternions along a spiral on the three-sphere.
    """
    phi, psi = np.sqrt(2.0), 1.533751168755204288118041
    place = np.arange(number) + 0.5
    inner, outer = np.sqrt(place / number), np.sqrt(1.0 - place / number)
    alpha, beta = 2 * np.pi * place / phi, 2 * np.pi * place / psi
    return Rotation.from_quat(
        np.stack(
            [
                inner * np.sin(alpha),
                inner * np.cos(alpha),
                outer * np.sin(beta),
                outer * np.cos(beta),
            ],
            axis=1,
        )
    )


def match_density(
    tomogram: Tomogram,
    look: Appearance,
    particle: DensityMap,
    *,
    diameter_ang: float,
    defocus_um: float,
    most: int,
) -> Matches:
    """Match a particle in (the middle of) a tomogram's sample, at a coarse voxel size.

    Parameters
    ----------
    most
        Places that are returned at most.
    """
    step = max(1, int(diameter_ang / VOXELS_ACROSS / look.voxel_size))
    box = _middle_of_sample(tomogram, look, step)
    values = (np.asarray(read_box(tomogram, box), np.float32) - look.mean) / (
        look.deviation
    )
    coarse = without_extremes(bin_voxels(values, step))
    number = int(np.clip(MOST_WORK // coarse.size, *ROTATIONS))
    scores, contrasts, inverted = best_scores(
        coarse,
        look,
        (particle, step),
        defocus_um=defocus_um,
        rotations=even_rotations(number),
    )
    apart = EXCLUDED_SHARE * diameter_ang / (look.voxel_size * step)
    near_metal = _near_metal(values, step, look.voxel_size, reach_ang=diameter_ang / 2)
    for volume in (scores, inverted):
        volume[near_metal] = -np.inf
    places = find_peaks(scores, apart=apart, most=most)
    chance = find_peaks(inverted, apart=apart, most=most)
    start = np.array([s.start for s in box])
    return Matches(
        positions_zyx=(places + 0.5) * step - 0.5 + start,
        deviations=scores[tuple(places.T)].astype(np.float64),
        contrasts=contrasts[tuple(places.T)].astype(np.float64),
        of_chance=inverted[tuple(chance.T)].astype(np.float64),
    )


def average_contrast(
    tomogram: Tomogram,
    look: Appearance,
    particle: DensityMap,
    places_zyx: NDArray[np.float64],
    *,
    diameter_ang: float,
    defocus_um: float,
) -> float:
    """Return the contrast of a particle at places, whatever its orientation there.

    The average of many boxes is the density turned every way; matching with too few
    rotations would find every particle too weak. Of a box that crosses a face of the
    tomogram what is inside is compared: in a thin one all boxes of a large particle
    do. Without places, NaN.
    """
    species = particle.species_at(look.voxel_size)
    rounded = _turned_every_way(species)
    half = max(int(BOX_SHARE * diameter_ang / look.voxel_size), rounded.shape[0] // 2)
    shape = (2 * half + 1,) * 3
    body = np.pad(rounded, half - rounded.shape[0] // 2)
    transfer = signal_transfer(look, shape, defocus_um=defocus_um)
    expected = fft.irfftn(fft.rfftn(body) * transfer, s=shape)
    expected -= expected.mean()
    fitting, whole = 0.0, 0.0
    for place in np.round(places_zyx).astype(int):
        low = np.maximum(place - half, 0)
        high = np.minimum(place + half + 1, tomogram.shape_zyx)
        z, y, x = (slice(a, b) for a, b in zip(low, high, strict=True))
        values = np.asarray(read_box(tomogram, (z, y, x)), np.float32)
        seen = without_extremes((values - look.mean) / look.deviation)
        inside = zip(low - place + half, high - place + half, strict=True)
        there = expected[tuple(slice(a, b) for a, b in inside)]
        fitting += float(np.sum(seen * there))
        whole += float(np.sum(there**2))
    return fitting / whole if whole else float("nan")


def _turned_every_way(species: Species) -> Volume:
    """Return the mean of a density's orientations, in an odd cube."""
    turned = [turned_density(species, one, np.zeros(3)) for one in even_rotations(40)]
    half = max(box.shape[0] for box in turned) // 2
    total = sum(np.pad(box, half - box.shape[0] // 2) for box in turned)
    return np.asarray(total / len(turned), dtype=np.float32)


def _middle_of_sample(
    tomogram: Tomogram, look: Appearance, step: int
) -> tuple[slice, slice, slice]:
    """Return a box of whole coarse voxels, no larger than can be matched soon."""
    first, last = look.sample_z
    depth = (last - first) // step * step
    most = int(np.sqrt(MOST_VOXELS / max(depth // step, 1)))
    edges = [min(n // step, most) * step for n in tomogram.shape_zyx[1:]]
    y, x = (
        (n - edge) // 2 for n, edge in zip(tomogram.shape_zyx[1:], edges, strict=True)
    )
    return (
        slice(first, first + depth),
        slice(y, y + edges[0]),
        slice(x, x + edges[1]),
    )


def without_extremes(values: Volume) -> Volume:
    """Cut off what is darker or brighter than protein: gold and its fringes, ice."""
    low, middle, high = np.percentile(values, (15.87, 50.0, 84.13))
    reach = EXTREME_SD * (high - low) / 2
    return np.asarray(np.clip(values, middle - reach, middle + reach))


def _near_metal(
    values: Volume, step: int, voxel_size: float, *, reach_ang: float
) -> NDArray[np.bool_]:
    """Tell which coarse voxels gold, or ice as dark, lies within reach of.

    Cut off though it is, its edge and its fringes fit a small map better than particles
    do, and would be taken for strong ones.
    """
    smooth = ndimage.uniform_filter(values, max(1, round(METAL_ANG / voxel_size)))
    low, middle = np.percentile(smooth, (1.0, 50.0))
    metal = bin_voxels(smooth < middle - METAL_DEPTH * (middle - low), step) > 0
    if not metal.any():
        return metal
    away = ndimage.distance_transform_edt(~metal) * step * voxel_size
    return np.asarray(away <= reach_ang)


def bin_voxels(values: Volume, step: int) -> Volume:
    """Return means of cubes of voxels."""
    z, y, x = (n // step for n in values.shape)
    cubes = values.reshape(z, step, y, step, x, step)
    return np.asarray(cubes.mean(axis=(1, 3, 5)), dtype=np.float32)


def best_scores(
    coarse: Volume,
    look: Appearance,
    template: tuple[DensityMap, int],
    *,
    defocus_um: float,
    rotations: Rotation,
) -> tuple[Volume, Volume, Volume]:
    """Return each voxel's best score, the contrast there, and the inverted's best."""
    particle, step = template
    species = particle.species_at(look.voxel_size * step)
    # A contrast is that of the density at the tomogram's own voxel size.
    fine = particle.species_at(look.voxel_size).density.sum()
    as_dense = np.float32(fine / (species.density.sum() * step**3))
    shape = (coarse.shape[0], coarse.shape[1], coarse.shape[2])
    transfer = signal_transfer(look, shape, defocus_um=defocus_um, binning=float(step))
    spectrum = fft.rfftn(coarse)
    weight = _whitening(spectrum, look, shape) * transfer
    scores = np.full(shape, -np.inf, np.float32)
    contrasts = np.zeros(shape, np.float32)
    lowest = np.full(shape, np.inf, np.float32)
    # Of the frequencies of a real FFT all but the first and last stand for two.
    twice = np.full(spectrum.shape[2], 2.0)
    twice[0] = 1.0
    if shape[2] % 2 == 0:
        twice[-1] = 1.0
    for rotation in rotations:
        turned = as_dense * turned_density(species, rotation, np.zeros(3))
        seen = fft.rfftn(_at_origin(turned, shape))
        strength = float(
            np.sum(np.abs(seen) ** 2 * weight * transfer * twice) / coarse.size
        )
        product = fft.irfftn(spectrum * np.conj(seen) * weight, s=shape)
        score = product.astype(np.float32) / np.float32(np.sqrt(strength))
        better = score > scores
        scores[better] = score[better]
        contrasts[better] = score[better] / np.float32(np.sqrt(strength))
        np.minimum(lowest, score, out=lowest)
    return scores, contrasts, -lowest


def _whitening(
    spectrum: NDArray[np.complexfloating], look: Appearance, shape: tuple[int, int, int]
) -> Volume:
    """Return one over the power of a volume, shell by shell, within the wedge."""
    measured = wedge_of(look, shape)
    radius = np.sqrt(
        np.fft.fftfreq(shape[0])[:, None, None] ** 2
        + np.fft.fftfreq(shape[1])[:, None] ** 2
        + np.fft.rfftfreq(shape[2]) ** 2
    )
    shell = np.minimum((radius * 2 * SHELLS).astype(int), SHELLS - 1)
    power = np.abs(spectrum) ** 2 / np.prod(shape)
    sums = np.bincount(shell[measured], power[measured], minlength=SHELLS)
    counts = np.bincount(shell[measured], minlength=SHELLS)
    means = np.maximum(sums / np.maximum(counts, 1), 1e-12)
    usable = measured & (counts[shell] > 0)
    usable[0, 0, 0] = False
    return np.where(usable, 1.0 / means[shell], 0.0).astype(np.float32)


def _at_origin(box: Volume, shape: tuple[int, int, int]) -> Volume:
    """Put a box's centre at the first voxel of a volume, around the corner."""
    half = box.shape[0] // 2
    volume = np.zeros(shape, np.float32)
    places = [np.arange(-half, half + 1) % n for n in shape]
    np.add.at(volume, np.ix_(*places), box)
    return volume


def find_peaks(scores: Volume, *, apart: float, most: int) -> NDArray[np.intp]:
    """Return the highest places ``(N, 3)``, no two of them too near to each other."""
    radius = max(int(apart), 1)
    highest = scores == ndimage.maximum_filter(scores, size=2 * radius + 1)
    highest &= np.isfinite(scores)
    places = np.argwhere(highest)
    order = np.argsort(-scores[highest], kind="stable")
    return places[order[:most]]
