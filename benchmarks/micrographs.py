"""F1 in simulated micrographs against clicks: instant, pretrained and from nothing.

    python benchmarks/micrographs.py OUT [--clicks 5 20 100] [--seeds 1 2 3]
        [--ways instant pretrained scratch] [--steps 150]

Simulates the data itself: for each species micrographs to learn from and others to
judge by, at three defoci, with ice, crystals, aggregates, hot pixels and in some of
them carbon. Clicks are drawn by each seed among all particles to learn from, whatever
the defocus, and are exact. Each model picks at its own threshold, and at the lowest,
of which the best F1 is told. A case that is finished is not run again.
"""

import argparse
import csv
import json
import random
import time
from itertools import product
from pathlib import Path
from statistics import mean

from dev_accuracy import etpicker

SPECIES = ("apoferritin", "20S", "gpcr")
DEFOCI_UM = (0.8, 1.5, 2.2)
PIXEL_SIZE = 2.0
SIZE_XY = (2048, 2048)
PARTICLES = 80
LEARNT, JUDGED = 1, 2
"""Micrographs of a species and a defocus."""
SEEDS = {"learn": 1, "judge": 7}
LOWEST = 0.001
WAYS = {
    "instant": ("--instant",),
    "pretrained": ("--steps", "{steps}"),
    "scratch": ("--from-scratch", "--steps", "{steps}"),
}


def simulate(data: Path, species: str, part: str) -> list[Path]:
    """Make a species' micrographs of a part, unless they are there; return them."""
    paths = []
    for number, defocus in enumerate(DEFOCI_UM):
        name, count = f"{species}_{part}_{defocus}", {"learn": LEARNT, "judge": JUDGED}
        made = [data / f"{name}_{i:02d}.mrc" for i in range(1, count[part] + 1)]
        if not made[-1].exists():
            etpicker(
                *["simulate", "--out", data, "--name", name, "--shape", *SIZE_XY],
                *["--micrographs", count[part], "--pixel-size", PIXEL_SIZE],
                *["--species", species, "--particles", PARTICLES],
                *["--defocus-range", defocus, defocus],
                *["--seed", 100 * number + SEEDS[part]],
            )
        paths += made
    return paths


def diameter_of(micrograph: Path, species: str) -> float:
    """Return a species' diameter in Å."""
    record = json.loads(micrograph.with_suffix(".json").read_text(encoding="utf-8"))
    return float(record["species"][species]["diameter_ang"])


def click(micrographs: list[Path], folder: Path, clicks: int, seed: int) -> list[Path]:
    """Write so many of the particles, drawn by a seed; return the files."""
    rows = []
    for path in micrographs:
        with path.with_suffix(".csv").open(encoding="utf-8") as stream:
            rows += [(path.stem, row) for row in csv.DictReader(stream)]
    drawn = random.Random(seed).sample(rows, clicks)
    files = []
    for name in sorted({name for name, _ in drawn}):
        lines = [f"{r['class']},{r['x']},{r['y']}" for of, r in drawn if of == name]
        files.append(folder / f"{name}.csv")
        files[-1].write_text("\n".join(["class,x,y", *lines]) + "\n", encoding="utf-8")
    return files


def run(
    data: Path, folder: Path, species: str, clicks: int, seed: int, flags: list[str]
) -> dict:
    """Learn from the clicks, pick, evaluate; return what was found."""
    folder.mkdir(parents=True, exist_ok=True)
    learnt, judged = (simulate(data, species, part) for part in SEEDS)
    files = click(learnt, folder, clicks, seed)
    diameter = f"{species}={diameter_of(judged[0], species)}"
    began = time.perf_counter()
    etpicker(
        *["train", "--tomogram", *(data / f"{path.stem}.mrc" for path in files)],
        *["--coordinates", *files, "--diameter", diameter, "--annotation", "sparse"],
        *["--seed", seed, "--out", folder / "model", *flags],
    )
    seconds = time.perf_counter() - began
    found = {}
    for name, more in (("own", ()), ("all", ("--threshold", f"{species}={LOWEST}"))):
        etpicker(
            *["pick", "--model", folder / "model" / "model.safetensors", *more],
            *["--tomogram", *judged, "--out", folder / name],
        )
        etpicker(
            *["evaluate", "--out", folder / f"evaluation_{name}", "--picks"],
            *(folder / name / f"{path.stem}.csv" for path in judged),
            *["--truth", *(path.with_suffix(".csv") for path in judged)],
            *["--diameter", diameter, "--voxel-size", PIXEL_SIZE],
        )
        metrics = (folder / f"evaluation_{name}" / "metrics.json").read_text()
        found[name] = json.loads(metrics)["classes"][species]
    return {**found["own"], "best_f1": found["all"]["best_f1"], "seconds": seconds}


def print_row(species: str, clicks: int, way: str, found: list[dict]) -> None:
    """Print the mean over the draws, as Markdown."""
    each = ", ".join(f"{m['f1']:.3f}" for m in found)
    p, r = (mean(m[key] for m in found) for key in ("precision", "recall"))
    distance = mean(m["mean_distance_voxels"] or float("nan") for m in found)
    print(
        f"| {species} | {clicks} | {way} | {mean(m['f1'] for m in found):.3f} ({each}) "
        f"| {p:.2f}, {r:.2f} | {mean(m['best_f1'] or 0.0 for m in found):.3f} "
        f"| {distance:.2f} | {mean(m['seconds'] for m in found):.0f} |",
        flush=True,
    )


def main() -> None:
    """Run what has no result yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--species", nargs="+", choices=SPECIES, default=list(SPECIES))
    parser.add_argument("--clicks", nargs="+", type=int, default=[5, 20, 100])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--steps", type=int, default=150)
    arguments = parser.parse_args()
    data = arguments.out / "data"
    data.mkdir(parents=True, exist_ok=True)
    store = arguments.out / "results.json"
    results = json.loads(store.read_text()) if store.exists() else {}
    print("| species | clicks | way | F1 (each) | P, R | best F1 | pixels off | s |")
    print("|---|---|---|---|---|---|---|---|")
    for species, clicks, way in product(
        arguments.species, arguments.clicks, arguments.ways
    ):
        flags = [flag.format(steps=arguments.steps) for flag in WAYS[way]]
        found = []
        for seed in arguments.seeds:
            name = f"{species} {clicks} {' '.join([way, *flags[1:]])} {seed}"
            if name not in results:
                folder = arguments.out / name.replace(" ", "_").replace("--", "")
                results[name] = run(data, folder, species, clicks, seed, flags)
                store.write_text(json.dumps(results, indent=1))
            found.append(results[name])
        print_row(species, clicks, way, found)


if __name__ == "__main__":
    main()
