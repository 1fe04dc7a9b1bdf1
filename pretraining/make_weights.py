"""The first round of the weights that the default network begins from.

    python pretraining/make_weights.py OUT [--minutes 75]

Simulates scenes crowded with particles of random shapes (their densities are drawn
here, no real map is used) under varied imaging, some of them as at a coarser voxel
size, learns to tell all the species apart, and writes OUT/fast.safetensors: the
network without its head, kernels in half precision. It was run for 75 minutes on two
cores (5013 steps). The package's file is the mean of what came out and of a second
round that went on from there (``second_round.py``). What is finished is not done again.
"""

import argparse
import json
import logging
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np

from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.model.model_file import load_model
from etpicker_plugin.engine.model.pretrained import save_pretrained
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.simulation.random_species import draw_density
from etpicker_plugin.engine.simulation.simulate import simulate
from etpicker_plugin.engine.simulation.species import species_from_map
from etpicker_plugin.engine.volumes.tomogram import (
    read_tomogram,
    read_whole,
    write_volume,
)

VOXEL_SIZE = 10.0
"""Å. The network sees voxels only, so scenes at any voxel size are taught as this."""
SPECIES = 32
LARGE_ANG = 190.0
COARSE_VOXEL_SIZE = 20.0
"""Where what is large at 10 Å per voxel is small, and less noisy."""
FINE_SCENES, COARSE_SCENES = 50, 18
HELD_OUT = (
    f"scene{FINE_SCENES - 2:02d}_01",
    f"scene{FINE_SCENES - 1:02d}_01",
    f"coarse{COARSE_SCENES - 1:02d}_01",
)
"""For validation: the last ones."""
MOST_STEPS = 6500
"""More than 75 minutes on two cores allow: the minutes are to end it."""
MAPS_SEED, COARSE_SEED = 7, 11

Scene = dict[str, Any]


def make_maps(out: Path, generator: np.random.Generator) -> list[Path]:
    """Write the density maps of all species."""
    maps = []
    for number in range(SPECIES):
        path = out / f"s{number:02d}.mrc"
        write_volume(path, draw_density(generator, VOXEL_SIZE), VOXEL_SIZE)
        maps.append(path)
    return maps


def make_coarse_maps(maps: list[Path]) -> list[Path]:
    """Copy the large species' maps under other names: small, they are other classes."""
    found = []
    for path in maps:
        if species_from_map(path, VOXEL_SIZE).diameter_ang >= LARGE_ANG:
            copy = path.with_name(path.name.replace("s", "c", 1))
            write_volume(copy, read_whole(read_tomogram(path)), VOXEL_SIZE)
            found.append(copy)
    return found


class Deck:
    """Deals items so that each comes as often as any other."""

    def __init__(self, items: list[Path], generator: np.random.Generator) -> None:
        self._items, self._generator = items, generator
        self._left: list[int] = []

    def deal(self, number: int) -> tuple[str, ...]:
        """Return that many items, or fewer if one would be there twice."""
        if len(self._left) < number:
            self._left += self._generator.permutation(len(self._items)).tolist()
        hand, self._left = self._left[:number], self._left[number:]
        return tuple(str(self._items[i]) for i in dict.fromkeys(hand))


def draw_fine_scenes(maps: list[Path], generator: np.random.Generator) -> list[Scene]:
    """Draw how scenes at the maps' own voxel size are made."""
    deck = Deck(maps, generator)
    return [
        {
            "name": f"scene{number:02d}",
            "seed": 100 + number,
            "density": deck.deal(7),
            "shape": (208, 208, 72),
            "voxel_size": VOXEL_SIZE,
            "particles": 16,
            "snr": _log_uniform(generator, 0.05, 0.2),
            "tilt_range": float(generator.choice([50, 55, 60, 60])),
            "tilt_step": float(generator.choice([2, 3, 3])),
            "defocus": float(generator.uniform(2.5, 5.5)),
            "membranes": int(generator.integers(0, 4)),
            "filaments": int(generator.integers(0, 6)),
            "gold": int(generator.integers(0, 8)) if generator.random() < 0.5 else 0,
        }
        for number in range(FINE_SCENES)
    ]


def draw_coarse_scenes(maps: list[Path], generator: np.random.Generator) -> list[Scene]:
    """Draw how scenes at twice the maps' voxel size are made."""
    deck = Deck(maps, generator)
    return [
        {
            "name": f"coarse{number:02d}",
            "seed": 300 + number,
            "density": deck.deal(5),
            "shape": (184, 184, 64),
            "voxel_size": COARSE_VOXEL_SIZE,
            "particles": 22,
            "snr": _log_uniform(generator, 0.12, 0.5),
            "tilt_range": float(generator.choice([50, 60, 60])),
            "tilt_step": 3.0,
            "defocus": float(generator.uniform(3.0, 6.0)),
            "membranes": int(generator.integers(1, 5)),
            "filaments": int(generator.integers(0, 6)),
            "gold": int(generator.integers(0, 6)),
        }
        for number in range(COARSE_SCENES)
    ]


def _log_uniform(generator: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(generator.uniform(np.log(low), np.log(high))))


def make_scenes(out: Path) -> tuple[list[Path], dict[str, int]]:
    """Simulate all scenes; return the tomograms, and each class's diameter in Å."""
    generator = np.random.default_rng(MAPS_SEED)
    maps = make_maps(out, generator)
    scenes = draw_fine_scenes(maps, generator)
    coarse = np.random.default_rng(COARSE_SEED)
    scenes += draw_coarse_scenes(make_coarse_maps(maps), coarse)
    tomograms = []
    diameters = defaultdict(list)
    for scene in scenes:
        config = SimulateConfig(out=str(out), tomograms=1, **scene)
        (path,) = simulate(config, out, on_progress=ignore_progress)
        with mrcfile.open(path, "r+") as mrc:
            mrc.voxel_size = VOXEL_SIZE
        record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        for name, values in record["species"].items():
            taught = values["diameter_ang"] * VOXEL_SIZE / config.voxel_size
            diameters[name].append(taught)
        tomograms.append(path)
    return sorted(tomograms), {
        name: round(float(np.mean(values)))
        for name, values in sorted(diameters.items())
    }


def learn(
    tomograms: list[Path], diameters: dict[str, int], out: Path, minutes: float
) -> Path:
    """Train from random weights; return the model."""
    held_out = [path for path in tomograms if path.stem in HELD_OUT]
    learnt = [path for path in tomograms if path.stem not in HELD_OUT]
    flags = ["--working-voxel-size", str(VOXEL_SIZE), "--steps", str(MOST_STEPS)]
    return train_from_scratch(learnt, held_out, diameters, out, minutes, *flags)


def train_from_scratch(
    learnt: list[Path],
    held_out: list[Path],
    diameters: dict[str, int],
    out: Path,
    minutes: float,
    *flags: str,
) -> Path:
    """Train on images whose centres lie beside them; return the model."""
    command = [sys.executable, "-m", "etpicker_plugin.engine", "train"]
    command += ["--from-scratch", *flags]
    for prefix, paths in ("--", learnt), ("--validation-", held_out):
        command += [f"{prefix}tomogram", *map(str, paths), f"{prefix}coordinates"]
        command += [str(path.with_suffix(".csv")) for path in paths]
    command += ["--diameter", *(f"{name}={d}" for name, d in diameters.items())]
    command += ["--patience", "99", "--max-minutes", str(minutes), "--seed", "1"]
    command += ["--exemplars", "none", "--out", str(out / "model")]
    subprocess.run(command, check=True)
    return out / "model" / "model.safetensors"


def main() -> None:
    """Simulate, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=75.0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments.out.mkdir(parents=True, exist_ok=True)
    tomograms, diameters = make_scenes(arguments.out)
    model = learn(tomograms, diameters, arguments.out, arguments.minutes)
    network, _ = load_model(model)
    save_pretrained(network, arguments.out / "fast.safetensors")


if __name__ == "__main__":
    main()
