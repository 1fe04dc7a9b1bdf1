"""Training: patches per second, and F1 against the minutes it took.

    python benchmarks/training.py DATA OUT [--minutes 1 2 4 8] [--scratch 8]
        [--reference 8]

DATA is the folder with dev_01.mrc, dev_01.csv … dev_04.csv. Ribosomes and proteasomes
of dev_01 + dev_02 are learnt with each time limit, by the default network from its
pretrained weights, from random ones for ``--scratch`` minutes, and by the published
network for ``--reference`` minutes; dev_03 + dev_04 are picked (match distance: half
the diameter). Every run has a learning rate laid out for its own length. Patches
per second: between the first and the last step, with validations and without. A case
that is finished is not run again.
"""

import argparse
import json
import sys
from itertools import pairwise
from pathlib import Path

from dev_accuracy import Case, run_case

from etpicker_plugin.engine.records import progress_file

SPECIES = ("5mrc", "4cr2")
BATCH_SIZE = 4
PRETRAINED, SCRATCH, REFERENCE = "default", "default from scratch", "published"
FLAGS = {
    PRETRAINED: ("--network", "fast"),
    SCRATCH: ("--network", "fast", "--from-scratch"),
    REFERENCE: ("--network", "deepetpicker"),
}


def patches_per_second(events: list[dict]) -> tuple[float, float]:
    """Return what a training's progress says: all in all, and without validations."""
    steps = [e for e in events if e["stage"] == "training"]
    seconds = steps[-1]["time"] - steps[0]["time"]
    patches = BATCH_SIZE * (len(steps) - 1)
    validated = {e["step"] for e in events if e["stage"] == "validation"}
    # A validation follows the step of its number, before the next one.
    pairs = [
        b["time"] - a["time"] for a, b in pairwise(steps) if a["done"] not in validated
    ]
    return patches / seconds, BATCH_SIZE * len(pairs) / sum(pairs)


def run(data: Path, folder: Path, way: str, minutes: float) -> dict:
    """Train, pick and evaluate one case; add its speed."""
    case = Case(flags=(*FLAGS[way], "--patience", "99"), classes=SPECIES)
    result = run_case(data, folder, case, minutes)
    log = progress_file(folder / "model").read_text()
    events = [json.loads(line) for line in log.splitlines()]
    result["patches_per_s"], result["patches_per_s_alone"] = patches_per_second(events)
    result["steps"] = max(e["done"] for e in events if e["stage"] == "training")
    return result


def main() -> None:
    """Run what has no result yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", nargs="+", type=float, default=[1, 2, 4, 8])
    parser.add_argument("--scratch", nargs="*", type=float, default=[8])
    parser.add_argument("--reference", nargs="*", type=float, default=[8])
    arguments = parser.parse_args()
    if not (arguments.data / "dev_01.mrc").exists():
        sys.exit(f"{arguments.data}: no dev_01.mrc here; the benchmark data is absent.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    store = arguments.out / "results.json"
    results = json.loads(store.read_text()) if store.exists() else {}
    cases = [(PRETRAINED, m) for m in arguments.minutes]
    cases += [(SCRATCH, m) for m in arguments.scratch]
    cases += [(REFERENCE, m) for m in arguments.reference]
    for way, minutes in cases:
        name = f"{way} {minutes:g}"
        if name not in results:
            folder = arguments.out / name.replace(" ", "_")
            results[name] = run(arguments.data, folder, way, minutes)
            store.write_text(json.dumps(results, indent=1))
    print("| network | minutes | steps | patches/s (training alone) | ", end="")
    print(" | ".join(f"F1 {s} (at best)" for s in SPECIES) + " |")
    print("|---" * (4 + len(SPECIES)) + "|")
    for way, minutes in cases:
        r = results[f"{way} {minutes:g}"]
        metrics = [r["classes"][s] for s in SPECIES]
        cells = " | ".join(f"{m['f1']:.3f} ({m['best_f1'] or 0:.3f})" for m in metrics)
        speed = f"{r['patches_per_s']:.1f} ({r['patches_per_s_alone']:.1f})"
        print(
            f"| {way} | {r['training_minutes']:.1f} | {r['steps']} | {speed} "
            f"| {cells} |"
        )


if __name__ == "__main__":
    main()
