"""Scenes of the second round: many small ones, of many species, imaged in many ways.

    python pretraining/second_scenes.py OUT [--seconds 540] [--workers 13]

Writes OUT/classes.json and scenes OUT/NUMBER.npz, one after the other, until the time
is over: they can be learnt from while others are made. A scene follows from its number.
"""

import argparse
import json
import logging
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from cell import draw_cell
from finishing import finish
from numpy.typing import NDArray

from etpicker_plugin.engine.simulation.imaging import Microscope, reconstruct_scene
from etpicker_plugin.engine.simulation.placement import Placed, place_species
from etpicker_plugin.engine.simulation.random_species import draw_density
from etpicker_plugin.engine.simulation.species import Species, species_from_map
from etpicker_plugin.engine.training.scale import label_diameters_ang
from etpicker_plugin.engine.volumes.array_volume import load_into_memory
from etpicker_plugin.engine.volumes.tomogram import read_tomogram, write_volume
from etpicker_plugin.engine.volumes.working_volume import open_working_volume

logger = logging.getLogger(__name__)

SEED = 20
SPECIES = 160
MAP_VOXEL_SIZE = 10.0
COARSE_VOXEL_SIZE = 20.0
LARGE_ANG = 190.0
"""What is as large is taught at the coarse voxel size too, small, as another class."""
SHAPE_ZYX = (64, 160, 160)
"""Of every scene, in the network's voxels."""
SPECIES_OF_SCENE = 6
COARSE_SHARE, RESAMPLED_SHARE = 0.25, 0.25
RESAMPLED_VOXEL_SIZE = (13.0, 22.0)
"""Imaged coarser than the network works, as heavily binned tomograms are."""
MOST_SCENES = 4000

Volume = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """The voxel sizes (Å) of a scene: as imaged, and as taught."""

    imaged: float
    taught: float
    prefix: str

    def shape_zyx(self) -> tuple[int, int, int]:
        """Return how many voxels are imaged."""
        scale = self.taught / self.imaged
        z, y, x = (round(n * scale) for n in SHAPE_ZYX)
        return z, y, x


def make_maps(out: Path) -> list[str]:
    """Write the density maps of all species; return the names of all classes."""
    names = []
    for number in range(SPECIES):
        path = out / f"s{number:03d}.mrc"
        density = draw_density(np.random.default_rng([SEED, number]), MAP_VOXEL_SIZE)
        write_volume(path, density, MAP_VOXEL_SIZE)
        names.append(path.stem)
        if _species(path, MAP_VOXEL_SIZE).diameter_ang >= LARGE_ANG:
            names.append(path.stem.replace("s", "c"))
    return sorted(names)


def draw_sampling(generator: np.random.Generator) -> Sampling:
    """Draw at which voxel size a scene is imaged and taught."""
    kind = generator.random()
    if kind < COARSE_SHARE:
        return Sampling(imaged=COARSE_VOXEL_SIZE, taught=COARSE_VOXEL_SIZE, prefix="c")
    imaged = MAP_VOXEL_SIZE
    if kind < COARSE_SHARE + RESAMPLED_SHARE:
        imaged = float(generator.uniform(*RESAMPLED_VOXEL_SIZE))
    return Sampling(imaged=imaged, taught=MAP_VOXEL_SIZE, prefix="s")


def draw_microscope(generator: np.random.Generator, voxel_size: float) -> Microscope:
    """Draw a tilt scheme, a defocus, and a dose: what is coarser is less noisy."""
    low, high = np.log(0.045), np.log(0.4)
    finer = (voxel_size / MAP_VOXEL_SIZE) ** 1.3
    return Microscope(
        tilt_range=float(generator.choice([42, 48, 54, 60, 60, 60, 66])),
        tilt_step=float(generator.choice([2, 3, 3, 3, 4, 5])),
        defocus_um=float(generator.uniform(1.0, 7.0)),
        snr=float(np.exp(generator.uniform(low, high)) * finer),
    )


def make_scene(maps: Path, names: list[str], number: int) -> dict[str, NDArray]:
    """Make a scene: image, and its particles' places, classes and label sizes."""
    generator = np.random.default_rng([SEED, 1, number])
    sampling = draw_sampling(generator)
    own = [name for name in names if name.startswith(sampling.prefix)]
    drawn = [str(n) for n in generator.choice(own, SPECIES_OF_SCENE, replace=False)]
    kinds = [_species(maps / f"s{name[1:]}.mrc", sampling.imaged) for name in drawn]
    scene = draw_cell(sampling.shape_zyx(), sampling.imaged, generator)
    placed: list[Placed] = []
    for kind in sorted(kinds, key=lambda kind: -kind.diameter_ang):
        count = int(generator.integers(6, 18))
        placed += place_species(scene, kind, count, generator=generator)
    microscope = draw_microscope(generator, sampling.imaged)
    volume = reconstruct_scene(
        scene.density,
        sampling.imaged,
        microscope=microscope,
        generator=generator,
        on_tilt=lambda _done, _all: None,
    )
    volume = finish(volume, sampling.imaged, microscope.defocus_um, generator)
    diameters = {kind.name: kind.diameter_ang for kind in kinds}
    labels = label_diameters_ang(diameters, sampling.taught, None)
    return {
        "image": as_seen(volume, sampling),
        "positions": np.array([p.position_zyx for p in placed]).reshape(-1, 3)
        * (sampling.imaged / sampling.taught),
        "channels": np.array(
            [names.index(sampling.prefix + p.name[1:]) for p in placed], dtype=np.int64
        ),
        "labels": np.array([labels[p.name] / sampling.taught for p in placed]),
    }


def as_seen(volume: Volume, sampling: Sampling) -> NDArray[np.float16]:
    """Return a tomogram as the network sees it, normalised and resampled."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.mrc"
        write_volume(path, volume.astype(np.float32), sampling.imaged)
        working = open_working_volume(read_tomogram(path), sampling.taught)
        return load_into_memory(working).data.astype(np.float16)


@lru_cache(maxsize=512)
def _species(path: Path, voxel_size: float) -> Species:
    return species_from_map(path, voxel_size)


@dataclass(frozen=True)
class Writer:
    """Makes a scene and writes it whole, unless the time is over."""

    out: Path
    names: list[str]
    deadline: float

    def __call__(self, number: int) -> bool:
        """Return whether the scene was written."""
        if time.time() > self.deadline:
            return False
        arrays = make_scene(self.out, self.names, number)
        unfinished = self.out / f"{number:05d}.part"
        with unfinished.open("wb") as stream:
            np.savez(stream, **arrays)
        os.replace(unfinished, self.out / f"{number:05d}.npz")
        return True


def make_all(write: Callable[[int], bool], scenes: int, workers: int) -> int:
    """Write scenes side by side; return how many there are."""
    if workers < 2:
        return sum(map(write, range(scenes)))
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        return sum(pool.imap_unordered(write, range(scenes)))


def main() -> None:
    """Make maps, then scenes until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=540.0)
    parser.add_argument("--workers", type=int, default=13)
    parser.add_argument("--scenes", type=int, default=MOST_SCENES, help="at most")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    deadline = time.time() + arguments.seconds
    arguments.out.mkdir(parents=True, exist_ok=True)
    names = make_maps(arguments.out)
    listed = arguments.out / "classes.part"
    listed.write_text(json.dumps(names), encoding="utf-8")
    os.replace(listed, arguments.out / "classes.json")
    write = Writer(arguments.out, names, deadline)
    made = make_all(write, arguments.scenes, arguments.workers)
    logger.info("%d scenes of %d classes", made, len(names))


if __name__ == "__main__":
    main()
