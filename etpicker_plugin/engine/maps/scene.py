"""A scene: particles of maps, and rivals, as they would look in a user's tomogram.

Either pasted into a piece of the tomogram itself, which brings its real noise,
membranes and beads; or simulated altogether, with noise of the measured spectrum, so
that all that is in it is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import fft

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.maps.appearance import Appearance, Volume
from etpicker_plugin.engine.maps.transfer import (
    noise_amplitude,
    signal_transfer,
    wedge_of,
)
from etpicker_plugin.engine.simulation.distractors import add_distractors
from etpicker_plugin.engine.simulation.placement import (
    Placed,
    Scene,
    empty_scene,
    place_species,
)
from etpicker_plugin.engine.simulation.random_species import draw_density
from etpicker_plugin.engine.simulation.species import (
    BODY_LEVEL,
    Species,
    make_species,
)

CROWDING = (0.02, 0.10)
"""Share of the volume that the particles of the maps fill."""

MOST_OF_A_SPECIES = 100
AT_A_TIME = 3
RIVAL_KINDS = 4
RIVAL_SHARE = 1.0
"""Rivals of a kind for each particle of a species."""

DEFOCUS_UM = (2.0, 5.0)
CORRECTED_SHARE = 0.3
"""Of the scenes: those with the phases of the contrast transfer flipped."""

LEVEL_SPREAD, SPECIES_SPREAD = 0.3, 0.12
"""Standard deviations of the log of the contrast, by scene and by species."""

LEAST_NOISE = 0.25
"""Of the measured power: noise, where a scene's particles have as much alone."""

SHELLS = 32


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What scenes are made of.

    Attributes
    ----------
    particles
        Of each class, as placed at the tomogram's voxel size.
    contrasts
        By class: the factor from density to grey value (deviations).
    defocus_um
        As given by a user; drawn without.
    number
        Of particles of each class; drawn without.
    varied
        Whether contrasts are drawn about those given.
    """

    look: Appearance
    particles: Sequence[Species]
    contrasts: Mapping[str, float]
    defocus_um: float | None
    number: int | None = None
    varied: bool = True

    def draw_level(self, spread: float, generator: np.random.Generator) -> float:
        """Draw a factor about 1, with a standard deviation of its logarithm."""
        return float(np.exp(self.varied * spread * generator.standard_normal()))


def draw_scene(
    recipe: Recipe,
    shape: Shape,
    *,
    generator: np.random.Generator,
    background: Volume | None = None,
) -> tuple[Volume, list[Placed]]:
    """Return a scene ``(Z, Y, X)`` in deviations, and the particles in it.

    Parameters
    ----------
    background
        Of that shape, in deviations: a piece of a tomogram to paste into. Without
        one all is simulated.
    """
    margin = max(int(np.ceil(_radius_vox(recipe))), 1)
    padded = (shape[0], shape[1] + 2 * margin, shape[2] + 2 * margin)
    scene = empty_scene(padded)
    if background is None:
        _add_surroundings(scene, recipe.look.voxel_size, generator)
    placed = _place_all(scene, recipe, generator)
    level = recipe.draw_level(LEVEL_SPREAD, generator)
    transfer = signal_transfer(
        recipe.look,
        padded,
        defocus_um=recipe.defocus_um or float(generator.uniform(*DEFOCUS_UM)),
        corrected=recipe.defocus_um is None and generator.random() < CORRECTED_SHARE,
    )
    spectrum = fft.rfftn(scene.density) * (transfer * np.float32(level))
    signal = np.asarray(fft.irfftn(spectrum, s=padded), dtype=np.float32)
    if background is None:
        signal += _draw_noise(recipe.look, spectrum, padded, generator)
    inner = slice(margin, margin + shape[1]), slice(margin, margin + shape[2])
    seen = signal[:, inner[0], inner[1]]
    off = np.array([0, margin, margin])
    kept = [
        replace(one, position_zyx=one.position_zyx - off)
        for one in placed
        if _is_inside(one.position_zyx - off, shape)
    ]
    return (seen if background is None else background + seen), kept


def _radius_vox(recipe: Recipe) -> float:
    largest = max(one.diameter_ang for one in recipe.particles)
    return largest / 2 / recipe.look.voxel_size


def _is_inside(position: np.ndarray, shape: Shape) -> bool:
    return bool((position >= 0).all() and (position <= np.array(shape) - 1).all())


def _add_surroundings(
    scene: Scene, voxel_size: float, generator: np.random.Generator
) -> None:
    """Add membranes, filaments and, now and then, gold."""
    add_distractors(
        scene,
        vesicles=int(generator.integers(0, 4)),
        filaments=int(generator.integers(0, 4)),
        gold=int(generator.integers(0, 4)) if generator.random() < 0.5 else 0,
        voxel_size=voxel_size,
        generator=generator,
    )


def _place_all(
    scene: Scene, recipe: Recipe, generator: np.random.Generator
) -> list[Placed]:
    """Place the classes' particles and rivals, the largest first; return the former."""
    low, high = np.log(CROWDING)
    share = float(np.exp(generator.uniform(low, high)))
    bodies = sum(int((one.density > BODY_LEVEL).sum()) for one in recipe.particles)
    number = int(share * scene.density.size / max(bodies, 1))
    number = recipe.number or int(np.clip(number, 1, MOST_OF_A_SPECIES))
    rivals = [
        make_species(
            "", draw_density(generator, recipe.look.voxel_size), recipe.look.voxel_size
        )
        for _ in range(RIVAL_KINDS)
    ]
    mean = float(np.mean(list(recipe.contrasts.values())))
    everything = [
        *((one, recipe.contrasts[one.name], number) for one in recipe.particles),
        *((one, mean, int(np.ceil(RIVAL_SHARE * number))) for one in rivals),
    ]
    placed: list[Placed] = []
    # The distractors' densities are of a protein's, too.
    scene.density *= mean
    for one, contrast, count in sorted(everything, key=lambda e: -e[0].diameter_ang):
        strength = contrast * recipe.draw_level(SPECIES_SPREAD, generator)
        own = Scene(np.zeros_like(scene.density), scene.occupied)
        found = _place_while_there_is_room(own, one, count, generator)
        scene.density += own.density * np.float32(strength)
        placed += found if one.name else []
    return placed


def _place_while_there_is_room(
    scene: Scene, species: Species, count: int, generator: np.random.Generator
) -> list[Placed]:
    """Place some at a time, until none of them finds room: to look on takes long."""
    placed: list[Placed] = []
    for first in range(0, count, AT_A_TIME):
        some = min(AT_A_TIME, count - first)
        found = place_species(scene, species, some, generator=generator)
        placed += found
        if not found:
            break
    return placed


def _draw_noise(
    look: Appearance,
    spectrum: np.ndarray,
    shape: Shape,
    generator: np.random.Generator,
) -> Volume:
    """Draw noise that makes the power of a scene what was measured.

    What the scene's own particles have of it is taken off, shell by shell, within the
    wedge.
    """
    amplitude = noise_amplitude(look, shape)
    radius = np.sqrt(
        np.fft.fftfreq(shape[0])[:, None, None] ** 2
        + np.fft.fftfreq(shape[1])[:, None] ** 2
        + np.fft.rfftfreq(shape[2]) ** 2
    )
    shell = np.minimum((radius * 2 * SHELLS).astype(int), SHELLS - 1)
    measured = wedge_of(look, shape)
    of_scene = np.bincount(
        shell[measured],
        np.abs(spectrum[measured]) ** 2 / np.prod(shape),
        minlength=SHELLS,
    )
    of_all = np.bincount(shell[measured], amplitude[measured] ** 2, minlength=SHELLS)
    left = np.clip(1 - of_scene / np.maximum(of_all, 1e-12), LEAST_NOISE, 1)
    amplitude *= np.sqrt(left)[shell].astype(np.float32)
    white = generator.standard_normal(shape, dtype=np.float32)
    return np.asarray(
        fft.irfftn(fft.rfftn(white) * amplitude, s=shape), dtype=np.float32
    )
