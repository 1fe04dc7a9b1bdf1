"""The scenes of a run, on disk: tomograms with coordinates like those of a user."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.maps.appearance import Appearance, Volume, measure
from etpicker_plugin.engine.maps.contrast import Found, find_contrasts
from etpicker_plugin.engine.maps.density import DensityMap
from etpicker_plugin.engine.maps.scene import Recipe, draw_scene
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.result_files import read_record
from etpicker_plugin.engine.volumes.tomogram import Tomogram, read_box, write_volume

logger = logging.getLogger(__name__)

SIMULATED, PASTED, HELD_OUT = "simulated", "pasted", "held_out"
COUNTS = {SIMULATED: 6, PASTED: 12, HELD_OUT: 2}
"""Scenes of each kind. Those held out are simulated: all that is in them is known."""

MOST_TOMOGRAMS = 2
"""Are measured and pasted into; of more, those that are spread over the list."""

MOST_VOXELS_ZYX = (96, 192, 192)
"""Of a scene, in voxels of the network."""

DRAWS = 10
"""Of a scene at most: in a small one the few particles may all lie beyond its faces."""

WRITTEN_SD = 1000.0
NOTE = "scenes.json"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class SceneFile:
    """A scene's files; ``kind`` is one of ``COUNTS``. Pasted ones have a mask."""

    kind: str
    stem: Path

    @property
    def tomogram(self) -> Path:
        """Its volume."""
        return self.stem.with_suffix(".mrc")

    @property
    def coordinates(self) -> Path:
        """The particles in it."""
        return self.stem.with_suffix(".csv")

    @property
    def mask(self) -> Path:
        """Where it may be learnt: not where the tomogram's own particles surely are."""
        return self.stem.with_name(f"{self.stem.name}_mask.mrc")

    def is_whole(self) -> bool:
        """Tell whether all its files are there; the coordinates are written last."""
        return self.coordinates.exists()


@dataclass(frozen=True, kw_only=True)
class Source:
    """A user's tomogram, measured."""

    tomogram: Tomogram
    look: Appearance
    found: Found


def plan_scenes(folder: Path) -> list[SceneFile]:
    """Return the scenes of a folder, made or not."""
    return [
        SceneFile(kind=kind, stem=folder / f"{kind}_{number:02d}")
        for kind, count in COUNTS.items()
        for number in range(1, count + 1)
    ]


def make_scenes(
    folder: Path,
    tomograms: Sequence[Tomogram],
    maps: Sequence[DensityMap],
    *,
    diameters: Mapping[str, float],
    working_voxel_size: float,
    defocus_um: float | None,
    seed: int,
    digest: str,
    on_progress: Progress,
) -> list[SceneFile]:
    """Make a run's scenes, those that are not there already.

    Parameters
    ----------
    working_voxel_size
        Of the network, Å: scenes are as large as some patches of it.
    digest
        Of the run; scenes of another one are made anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    planned = plan_scenes(folder)
    _forget_others(folder, planned, digest)
    missing = [one for one in planned if not one.is_whole()]
    if not missing:
        logger.info("The scenes in %s are there already.", folder)
        return planned
    sources = [
        _measured(tomogram, maps, diameters, defocus_um)
        for tomogram in some_of(tomograms)
    ]
    for number, one in enumerate(planned):
        if one in missing:
            source = sources[number % len(sources)]
            generator = np.random.default_rng([seed, number])
            scale = working_voxel_size / source.tomogram.voxel_size
            _make_scene(one, source, maps, defocus_um, scale, generator)
        on_progress(ProgressEvent("simulating scenes", number + 1, len(planned)))
    size = sum(file.stat().st_size for file in folder.iterdir())
    logger.info("%d scenes in %s, %.0f MB", len(planned), folder, size / 1e6)
    return planned


def some_of(given: Sequence[T]) -> list[T]:
    """Return the tomograms that are looked at: two, as far apart as can be."""
    chosen = np.linspace(0, len(given) - 1, min(MOST_TOMOGRAMS, len(given)))
    return [given[i] for i in np.unique(chosen.astype(int))]


def _forget_others(folder: Path, planned: list[SceneFile], digest: str) -> None:
    """Delete what another run left, and note whose the folder is."""
    note = folder / NOTE
    if (read_record(note) or {}).get("digest") == digest:
        return
    for one in planned:
        one.coordinates.unlink(missing_ok=True)
    with write_whole(note) as temporary:
        temporary.write_text(json.dumps({"digest": digest}), encoding="utf-8")


def _measured(
    tomogram: Tomogram,
    maps: Sequence[DensityMap],
    diameters: Mapping[str, float],
    defocus_um: float | None,
) -> Source:
    look = measure(tomogram)
    logger.info("%s: %s", tomogram.tomogram_id, look.describe())
    found = find_contrasts(
        tomogram, look, maps, diameters=diameters, defocus_um=defocus_um
    )
    return Source(tomogram=tomogram, look=look, found=found)


def _make_scene(
    file: SceneFile,
    source: Source,
    maps: Sequence[DensityMap],
    defocus_um: float | None,
    scale: float,
    generator: np.random.Generator,
) -> None:
    """Draw one scene and write its files."""
    tomogram, look = source.tomogram, source.look
    recipe = Recipe(
        look=look,
        particles=[one.species_at(tomogram.voxel_size) for one in maps],
        contrasts=source.found.contrasts,
        defocus_um=defocus_um,
    )
    shape = _shape_of(tomogram, scale)
    background = None
    if file.kind == PASTED:
        background, mask = _cut_background(source, shape, generator)
        with write_whole(file.mask) as temporary:
            write_volume(temporary, mask.astype(np.int8), tomogram.voxel_size)
    for _ in range(DRAWS):
        volume, placed = draw_scene(
            recipe, shape, generator=generator, background=background
        )
        if placed:
            break
    else:
        size = "x".join(str(n) for n in shape[::-1])
        raise InputDataError(
            f"No room for one particle in a scene of {size} voxels of "
            f"{tomogram.voxel_size:g} Å, as {tomogram.tomogram_id} has. Check the "
            "diameters and voxel sizes, or give a thicker tomogram."
        )
    counts = np.clip(np.round(volume * WRITTEN_SD), -32768, 32767).astype(np.int16)
    with write_whole(file.tomogram) as temporary:
        write_volume(temporary, counts, tomogram.voxel_size)
    particles = make_particles(
        file.stem.name,
        [one.position_zyx.tolist() for one in placed],
        class_names=[one.name for one in placed],
    )
    write_csv(particles, file.coordinates)


def _shape_of(tomogram: Tomogram, scale: float) -> Shape:
    """Return the size of a scene, in the tomogram's voxels."""
    z, y, x = (
        min(n, max(int(most * scale), 16))
        for n, most in zip(tomogram.shape_zyx, MOST_VOXELS_ZYX, strict=True)
    )
    return z, y, x


def _cut_background(
    source: Source, shape: Shape, generator: np.random.Generator
) -> tuple[Volume, NDArray[np.bool_]]:
    """Return a piece of the sample, mirrored by chance, and where it may be learnt."""
    tomogram, look = source.tomogram, source.look
    middle = (sum(look.sample_z) - shape[0]) // 2
    start = [
        min(max(middle, 0), tomogram.shape_zyx[0] - shape[0]),
        *(
            int(generator.integers(0, n - m + 1))
            for n, m in zip(tomogram.shape_zyx[1:], shape[1:], strict=True)
        ),
    ]
    z, y, x = (slice(s, s + n) for s, n in zip(start, shape, strict=True))
    piece = np.asarray(read_box(tomogram, (z, y, x)), dtype=np.float32)
    piece = (piece - look.mean) / look.deviation
    mask = np.ones(shape, dtype=bool)
    for place, radius in zip(
        source.found.places_zyx - start, source.found.radii_vox, strict=True
    ):
        _forbid(mask, place, float(radius))
    turns = _draw_mirrors(look, generator)
    return np.ascontiguousarray(piece[turns]), np.ascontiguousarray(mask[turns])


def _draw_mirrors(
    look: Appearance, generator: np.random.Generator
) -> tuple[slice, ...]:
    """Draw mirrors that leave the missing wedge where it is.

    Those are along the tilt axis, and along both others together.
    """
    along, others = (-1 if generator.random() < 0.5 else 1 for _ in range(2))
    axis = 1 if look.tilt_axis == "y" else 2
    return tuple(slice(None, None, along if i == axis else others) for i in range(3))


def _forbid(
    mask: NDArray[np.bool_], place_zyx: NDArray[np.float64], radius: float
) -> None:
    """Set a ball of a mask to False, in place."""
    low = np.maximum(np.floor(place_zyx - radius).astype(int), 0)
    high = np.maximum(np.ceil(place_zyx + radius).astype(int) + 1, 0)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    grids = np.ogrid[
        tuple(slice(a, a + n) for a, n in zip(low, mask[box].shape, strict=True))
    ]
    squared = sum((g - c) ** 2 for g, c in zip(grids, place_zyx, strict=True))
    mask[box] &= squared > radius**2
