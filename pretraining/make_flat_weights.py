"""The weights that the network of micrographs begins from.

    python pretraining/make_flat_weights.py OUT [--minutes 20]

Simulates micrographs crowded with projections of particles of random shapes (see
``simulation/random_species.py``) at three pixel sizes, under varied defocus and dose,
learns to tell all the species apart, and writes OUT/fast-2d.safetensors: the network
without its head, kernels in half precision. What is finished is not done again.
"""

import argparse
import json
import logging
from pathlib import Path

import mrcfile
import numpy as np
from make_weights import Deck, Scene, train_from_scratch

from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.model.model_file import load_model
from etpicker_plugin.engine.model.pretrained import FLAT_WEIGHTS, save_pretrained
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.simulation.random_species import draw_density
from etpicker_plugin.engine.simulation.simulate import simulate
from etpicker_plugin.engine.volumes.tomogram import write_volume

DRAWN_AT = 10.0
"""Å per voxel of the densities as they are drawn, and as all micrographs are taught."""
PIXEL_SIZES = (4.0, 6.0, 9.0)
"""Å; the same densities in voxels are 44 to 350 Å wide then."""
SPECIES, SCENES = 12, 22
"""Of each pixel size."""
HELD_OUT = 2
"""Scenes of each pixel size: the last ones."""
SHAPE = (640, 640)
SEED = 23


def make_maps(out: Path, generator: np.random.Generator) -> dict[float, list[Path]]:
    """Write the density maps of all species, by pixel size."""
    maps: dict[float, list[Path]] = {}
    for pixel_size in PIXEL_SIZES:
        for number in range(SPECIES):
            path = out / f"p{pixel_size:g}s{number:02d}.mrc"
            write_volume(path, draw_density(generator, DRAWN_AT), pixel_size)
            maps.setdefault(pixel_size, []).append(path)
    return maps


def draw_scenes(
    maps: dict[float, list[Path]], generator: np.random.Generator
) -> list[Scene]:
    """Draw how the micrographs are made."""
    scenes = []
    for pixel_size, of_size in maps.items():
        deck = Deck(of_size, generator)
        for number in range(SCENES):
            defocus = float(generator.uniform(0.7, 2.8))
            scenes.append(
                {
                    "name": f"scene{pixel_size:g}_{number:02d}",
                    "seed": number,
                    "density": deck.deal(5),
                    "shape": SHAPE,
                    "pixel_size": pixel_size,
                    "particles": int(generator.integers(8, 26)),
                    "defocus_range": (defocus, defocus),
                    "dose": float(np.exp(generator.uniform(np.log(20), np.log(90)))),
                    "overlap": float(generator.choice([0.0, 0.1])),
                    "carbon": float(generator.random() < 0.25),
                    "crystals": int(generator.integers(0, 5)),
                    "aggregates": int(generator.integers(0, 5)),
                    "hot_pixels": int(generator.integers(0, 60)),
                }
            )
    return scenes


def make_scenes(out: Path) -> tuple[list[Path], dict[str, int]]:
    """Simulate all; return the micrographs, and each class's diameter as taught, Å."""
    generator = np.random.default_rng(SEED)
    scenes = draw_scenes(make_maps(out, generator), generator)
    micrographs, diameters = [], {}
    for scene in scenes:
        config = SimulateConfig(out=str(out), micrographs=1, **scene)
        (path,) = simulate(config, out, on_progress=ignore_progress)
        record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        for name, values in record["species"].items():
            taught = values["diameter_ang"] * DRAWN_AT / config.pixel_size
            diameters[name] = round(taught)
        taught_path = out / "taught" / path.name
        taught_path.parent.mkdir(exist_ok=True)
        with mrcfile.new(taught_path, overwrite=True) as mrc:
            mrc.set_data(mrcfile.read(path))
            mrc.voxel_size = DRAWN_AT
        taught_path.with_suffix(".csv").write_bytes(
            path.with_suffix(".csv").read_bytes()
        )
        micrographs.append(taught_path)
    return micrographs, dict(sorted(diameters.items()))


def learn(
    micrographs: list[Path], diameters: dict[str, int], out: Path, minutes: float
) -> Path:
    """Train from random weights; return the model."""
    last = {f"{number:02d}" for number in range(SCENES - HELD_OUT, SCENES)}
    held_out = [p for p in micrographs if p.stem.split("_")[1] in last]
    learnt = [p for p in micrographs if p not in held_out]
    flags = ["--annotation", "complete", "--working-voxel-size", str(DRAWN_AT)]
    flags += ["--patch-size", "96", "--batch-size", "12", "--steps", "20000"]
    return train_from_scratch(learnt, held_out, diameters, out, minutes, *flags)


def main() -> None:
    """Simulate, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=20.0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments.out.mkdir(parents=True, exist_ok=True)
    micrographs, diameters = make_scenes(arguments.out)
    model = learn(micrographs, diameters, arguments.out, arguments.minutes)
    network, _ = load_model(model)
    save_pretrained(network, arguments.out / FLAT_WEIGHTS.name)


if __name__ == "__main__":
    main()
