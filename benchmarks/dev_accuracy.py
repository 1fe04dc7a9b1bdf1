"""Accuracy on the development tomograms: train on 01 + 02, pick 03 + 04.

    python benchmarks/dev_accuracy.py DATA OUT [--minutes 20 | --steps 400]
        [--seed 2] [--cases fast ...]

DATA is the folder with dev_01.mrc, dev_01.csv … dev_04.csv. Each case is trained and
picked by the commands that a user types, and judged by ``etpicker evaluate`` (match
distance: half the particle's diameter). Prints a table and writes OUT/results.json.
A case that is finished is not run again.
"""

import argparse
import csv
import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

VOXEL_SIZE = 10.0
DIAMETERS = {
    "5mrc": 371,
    "4cr2": 309,
    "1qvr": 190,
    "3cf3": 183,
    "1u6g": 189,
    "1bxn": 151,
}
TRAINING = ("dev_01", "dev_02")
TESTING = ("dev_03", "dev_04")
SPARSE_CLICKS = 20


@dataclass(frozen=True)
class Case:
    """What is trained on what: all centres, or some, the first or drawn by a seed."""

    flags: tuple[str, ...]
    classes: tuple[str, ...] = tuple(DIAMETERS)
    clicks: int | None = None
    drawn_by: int | None = None


CASES = {
    "fast": Case(flags=("--network", "fast")),
    "fast, sparse": Case(flags=("--network", "fast", "--annotation", "sparse")),
    "deepetpicker": Case(flags=("--network", "deepetpicker", "--patch-size", "64")),
    "fast, ribosome only": Case(flags=(), classes=("5mrc",)),
    "deepetpicker, ribosome only": Case(
        flags=("--network", "deepetpicker", "--working-voxel-size", "10"),
        classes=("5mrc",),
    ),
    "fast, 20 clicks (sparse)": Case(
        flags=("--annotation", "sparse"), classes=("5mrc",), clicks=SPARSE_CLICKS
    ),
}


def etpicker(*words: object) -> None:
    """Run one command of the product."""
    command = [sys.executable, "-m", "etpicker_plugin.engine", *map(str, words)]
    subprocess.run(command, check=True)


def write_clicks(data: Path, folder: Path, case: Case) -> tuple[list[str], list[Path]]:
    """Write the clicks of a case's classes; return tomograms and their CSVs.

    The first ones are taken from dev_01 first, then from dev_02, as a user would go on.
    """
    clicks = []
    for name in TRAINING:
        with (data / f"{name}.csv").open(encoding="utf-8") as stream:
            rows = [r for r in csv.DictReader(stream) if r["class"] in case.classes]
        clicks += [(name, row) for row in rows]
    if case.drawn_by is not None:
        random.Random(case.drawn_by).shuffle(clicks)
    clicks = clicks[: case.clicks]
    names = sorted({name for name, _ in clicks})
    files = [folder / f"{name}.csv" for name in names]
    for name, path in zip(names, files, strict=True):
        rows = [row for of, row in clicks if of == name]
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    return names, files


def run_case(data: Path, out: Path, case: Case, minutes: float | None) -> dict:
    """Train, pick and evaluate; return the metrics with the times."""
    out.mkdir(parents=True, exist_ok=True)
    diameters = [f"{name}={DIAMETERS[name]}" for name in case.classes]
    names, files = write_clicks(data, out, case)
    began = time.perf_counter()
    etpicker(
        "train",
        "--tomogram",
        *(data / f"{name}.mrc" for name in names),
        "--coordinates",
        *files,
        "--diameter",
        *diameters,
        *(() if minutes is None else ("--max-minutes", minutes)),
        "--out",
        out / "model",
        *case.flags,
    )
    trained = time.perf_counter()
    etpicker(
        "pick",
        "--model",
        out / "model" / "model.safetensors",
        "--tomogram",
        *(data / f"{name}.mrc" for name in TESTING),
        "--out",
        out / "picks",
    )
    picked = time.perf_counter()
    etpicker(
        "evaluate",
        "--picks",
        *(out / "picks" / f"{name}.csv" for name in TESTING),
        "--truth",
        *(data / f"{name}.csv" for name in TESTING),
        "--diameter",
        *diameters,
        "--voxel-size",
        VOXEL_SIZE,
        "--out",
        out / "evaluation",
    )
    metrics = json.loads((out / "evaluation" / "metrics.json").read_text())
    return {
        "classes": metrics["classes"],
        "training_minutes": (trained - began) / 60,
        "picking_seconds": picked - trained,
    }


def print_table(results: dict[str, dict]) -> None:
    """Print one row a case and class, as Markdown."""
    print("| case | class | P | R | F1 | distance (voxels) | AP | best F1 |")
    print("|---|---|---|---|---|---|---|---|")
    for name, result in results.items():
        for label, m in result["classes"].items():
            distance = m["mean_distance_voxels"]
            print(
                f"| {name} | {label} | {m['precision']:.2f} | {m['recall']:.2f} "
                f"| {m['f1']:.3f} | {'-' if distance is None else f'{distance:.2f}'} "
                f"| {m['average_precision'] or 0:.3f} | {m['best_f1'] or 0:.3f} |"
            )
        print(
            f"| {name} | training {result['training_minutes']:.1f} min, picking two "
            f"tomograms {result['picking_seconds']:.1f} s | | | | | | |"
        )


def main() -> None:
    """Run the cases asked for that have no result yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--steps", type=int, help="so many steps, whatever the time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    arguments = parser.parse_args()
    if not (arguments.data / "dev_01.mrc").exists():
        sys.exit(f"{arguments.data}: no dev_01.mrc here; the benchmark data is absent.")
    store = arguments.out / "results.json"
    results = json.loads(store.read_text()) if store.exists() else {}
    for name in arguments.cases:
        if name not in results:
            folder = arguments.out / name.replace(",", "").replace(" ", "_")
            case, minutes = CASES[name], arguments.minutes
            more = ("--seed", str(arguments.seed))
            if arguments.steps is not None:
                minutes, more = None, (*more, "--steps", str(arguments.steps))
            case = replace(case, flags=(*case.flags, *more))
            results[name] = run_case(arguments.data, folder, case, minutes)
            store.write_text(json.dumps(results, indent=1))
    print_table(results)


if __name__ == "__main__":
    main()
