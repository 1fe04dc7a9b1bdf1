"""F1 against the number of clicked particles, marked as complete and as sparse.

    python benchmarks/label_efficiency.py DATA OUT [--steps 60] [--clicks 5 10 20 34]

DATA is the folder with dev_01.mrc, dev_01.csv … dev_04.csv. N ribosomes of dev_01 and
dev_02, drawn at random by each seed, are learnt in the same number of steps each time;
dev_03 + dev_04 are picked (match distance: half the diameter). ``complete`` with fewer
clicks than there are particles says that the others are background, which is not true:
it shows what ``sparse`` is for. A case that is finished is not run again.
"""

import argparse
import json
import sys
from itertools import product
from pathlib import Path
from statistics import mean

from dev_accuracy import Case, run_case

SPECIES = "5mrc"
ANNOTATIONS = ("sparse", "complete")


def draw(clicks: int, annotation: str, seed: int, steps: int) -> Case:
    """Return the case of clicks that a seed draws; it is the training's seed too."""
    flags = ("--annotation", annotation, "--seed", str(seed), "--steps", str(steps))
    return Case(flags=flags, classes=(SPECIES,), clicks=clicks, drawn_by=seed)


def print_row(clicks: int, annotation: str, found: list[dict]) -> None:
    """Print the mean over the draws, as Markdown."""
    each = ", ".join(f"{m['f1']:.3f}" for m in found)
    best = mean(m["best_f1"] or 0.0 for m in found)
    distance = mean(m["mean_distance_voxels"] or float("nan") for m in found)
    print(
        f"| {clicks} | {annotation} | {mean(m['f1'] for m in found):.3f} "
        f"| {each} | {best:.3f} | {distance:.2f} |",
        flush=True,
    )


def main() -> None:
    """Train, pick and evaluate for each number of clicks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--clicks", nargs="+", type=int, default=[5, 10, 20, 34])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument(
        "--annotations", nargs="+", choices=ANNOTATIONS, default=list(ANNOTATIONS)
    )
    arguments = parser.parse_args()
    if not (arguments.data / "dev_01.mrc").exists():
        sys.exit(f"{arguments.data}: no dev_01.mrc here; the benchmark data is absent.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    store = arguments.out / "results.json"
    results = json.loads(store.read_text()) if store.exists() else {}
    print("| clicks | annotation | F1 | of each draw | at best | distance (voxels) |")
    print("|---|---|---|---|---|---|")
    for clicks, annotation in product(arguments.clicks, arguments.annotations):
        names = {f"{clicks} {annotation} {seed}": seed for seed in arguments.seeds}
        for name, seed in names.items():
            if name not in results:
                case = draw(clicks, annotation, seed, arguments.steps)
                folder = arguments.out / name.replace(" ", "_")
                results[name] = run_case(arguments.data, folder, case, minutes=None)
                store.write_text(json.dumps(results, indent=1))
        found = [results[name]["classes"][SPECIES] for name in names]
        print_row(clicks, annotation, found)


if __name__ == "__main__":
    main()
