"""F1 against the number of clicked particles, marked as complete and as sparse.

    python benchmarks/label_efficiency.py DATA OUT [--steps 250] [--clicks 5 10 20 34]

DATA is the folder with dev_01.mrc, dev_01.csv … dev_04.csv. The first N ribosomes of
dev_01 and dev_02 are learnt in the same number of steps each time; dev_03 + dev_04 are
picked (match distance: half the diameter). ``complete`` with fewer clicks than there
are particles says that the others are background, which is not true: it shows what
``sparse`` is for. A case that is finished is not run again.
"""

import argparse
import json
import sys
from pathlib import Path

from dev_accuracy import Case, run_case

SPECIES = "5mrc"
ANNOTATIONS = ("sparse", "complete")


def main() -> None:
    """Train, pick and evaluate for each number of clicks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--clicks", nargs="+", type=int, default=[5, 10, 20, 34])
    arguments = parser.parse_args()
    if not (arguments.data / "dev_01.mrc").exists():
        sys.exit(f"{arguments.data}: no dev_01.mrc here; the benchmark data is absent.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    store = arguments.out / "results.json"
    results = json.loads(store.read_text()) if store.exists() else {}
    for clicks in arguments.clicks:
        for annotation in ANNOTATIONS:
            name = f"{clicks} {annotation}"
            if name in results:
                continue
            flags = ("--annotation", annotation, "--steps", str(arguments.steps))
            case = Case(flags=flags, classes=(SPECIES,), clicks=clicks)
            folder = arguments.out / name.replace(" ", "_")
            results[name] = run_case(arguments.data, folder, case, minutes=None)
            store.write_text(json.dumps(results, indent=1))
    print("| Clicks | " + " | ".join(f"F1, {a} (at best)" for a in ANNOTATIONS) + " |")
    print("|---" * (len(ANNOTATIONS) + 1) + "|")
    for clicks in arguments.clicks:
        row = [results[f"{clicks} {a}"]["classes"][SPECIES] for a in ANNOTATIONS]
        cells = " | ".join(f"{m['f1']:.3f} ({m['best_f1'] or 0:.3f})" for m in row)
        print(f"| {clicks} | {cells} |")


if __name__ == "__main__":
    main()
