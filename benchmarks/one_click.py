"""F1 of models that a few clicks make without training, ``etpicker train --instant``.

    python benchmarks/one_click.py DATA OUT [--clicks 1 3 5 20] [--seeds 1 2 3 4]

DATA is the folder with dev_01.mrc, dev_01.csv … dev_04.csv. N particles of a species in
dev_01 and dev_02, drawn by each seed, are clicked with a scatter of 0.7 voxels: the
ribosome alone; and the proteasome, beside as many clicks on ribosomes, a class of their
own. dev_03 + dev_04, of lower SNR, are picked (match distance: half the diameter). A
case that is finished is not run again.
"""

import argparse
import csv
import json
import random
import sys
import time
from itertools import product
from pathlib import Path
from statistics import mean

from dev_accuracy import DIAMETERS, TESTING, TRAINING, VOXEL_SIZE, etpicker

WAYS = {"ribosome alone": ("5mrc",), "proteasome, ribosomes told": ("4cr2", "5mrc")}
SCATTER_VOX = 0.7


def click(data: Path, folder: Path, species: str, clicks: int, seed: int) -> None:
    """Add the clicks on a species to the files of a folder."""
    chosen = random.Random(f"{species} {seed}")
    centres = []
    for name in TRAINING:
        with (data / f"{name}.csv").open(encoding="utf-8") as stream:
            rows = [r for r in csv.DictReader(stream) if r["class"] == species]
        centres += [(name, [float(r[axis]) for axis in "xyz"]) for r in rows]
    for name, centre in chosen.sample(centres, clicks):
        place = [value + chosen.gauss(0, SCATTER_VOX) for value in centre]
        path = folder / f"{name}.csv"
        begun = path.exists()
        with path.open("a", encoding="utf-8") as stream:
            stream.write("" if begun else "class,x,y,z\n")
            stream.write(",".join([species, *(f"{max(v, 0):.2f}" for v in place)]))
            stream.write("\n")


def run(
    data: Path, folder: Path, species: tuple[str, ...], clicks: int, seed: int
) -> dict:
    """Make the model, pick and evaluate; return the first species' metrics."""
    folder.mkdir(parents=True)
    for name in species:
        click(data, folder, name, clicks, seed)
    files = sorted(folder.glob("*.csv"))
    diameters = [f"{name}={DIAMETERS[name]}" for name in species]
    words = ("--tomogram", *(data / f"{path.stem}.mrc" for path in files))
    words += ("--coordinates", *files, "--diameter", *diameters)
    began = time.perf_counter()
    etpicker("train", "--instant", *words, "--out", folder / "model")
    seconds = time.perf_counter() - began
    model = ("--model", folder / "model" / "model.safetensors")
    tomograms = [data / f"{name}.mrc" for name in TESTING]
    etpicker("pick", *model, "--tomogram", *tomograms, "--out", folder / "picks")
    words = ("--picks", *(folder / "picks" / f"{name}.csv" for name in TESTING))
    words += ("--truth", *(data / f"{name}.csv" for name in TESTING))
    words += ("--diameter", *diameters, "--voxel-size", VOXEL_SIZE)
    etpicker("evaluate", *words, "--out", folder / "evaluation")
    metrics = json.loads((folder / "evaluation" / "metrics.json").read_text())
    return {**metrics["classes"][species[0]], "seconds": seconds}


def main() -> None:
    """Run what has no result yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--clicks", type=int, nargs="+", default=[1, 3, 5, 20])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4])
    arguments = parser.parse_args()
    if not (arguments.data / "dev_01.mrc").exists():
        sys.exit(f"{arguments.data}: no dev_01.mrc here; the benchmark data is absent.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    store = arguments.out / "results.json"
    results = json.loads(store.read_text()) if store.exists() else {}
    print("| species | clicks | F1 | of each draw | precision, recall | distance | s |")
    print("|---|---|---|---|---|---|---|")
    for (way, species), clicks in product(WAYS.items(), arguments.clicks):
        found = []
        for seed in arguments.seeds:
            name = f"{way} {clicks} {seed}"
            if name not in results:
                folder = arguments.out / name.replace(" ", "_").replace(",", "")
                results[name] = run(arguments.data, folder, species, clicks, seed)
                store.write_text(json.dumps(results, indent=1))
            found.append(results[name])
        each = ", ".join(f"{m['f1']:.3f}" for m in found)
        p, r = (mean(m[key] for m in found) for key in ("precision", "recall"))
        distance = mean(m["mean_distance_voxels"] or float("nan") for m in found)
        print(
            f"| {way} | {clicks} | {mean(m['f1'] for m in found):.3f} | {each} "
            f"| {p:.2f}, {r:.2f} | {distance:.2f} "
            f"| {mean(m['seconds'] for m in found):.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
