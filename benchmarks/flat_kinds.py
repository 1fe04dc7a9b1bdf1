"""Filaments, vesicles and particles of micrographs, learnt from EPicker's labels.

    python benchmarks/flat_kinds.py OUT [--steps 200] [--seed 1]
        [--cases together apart]

Micrographs of apoferritin, microtubules, actin and vesicles are simulated into OUT, in
which filaments cross and vesicles overlap. Six are learnt, and four of another seed
judged. Their labels are written as EPicker writes them: a ``.thi`` for each kind, in
whole pixels, a fibre as some points of it with the number of its group, a vesicle with
its radius in pixels. They are converted, and learnt

together    by one model of all classes
apart       by a model for each, as EPicker has them

Commands are those that a user types. Prints a table and writes OUT/results.json; what
is there already is not run again.
"""

import argparse
import csv
import json
from pathlib import Path

from dev_accuracy import etpicker

PIXEL_SIZE = 4.0
SIZES = {"apoferritin": 130, "mt": 250, "actin": 70, "liposome": 700}
KINDS = {"mt": "filament", "actin": "filament", "liposome": "vesicle"}
HEADINGS = {
    "particle": "[Particle Coordinates: X Y Value]",
    "filament": "[Helix Coordinates: X Y Group Value]",
    "vesicle": "[Vesicle Coordinates: X Y Radius Value]",
}
EVERY = 10
"""Of a filament's points in the truth, 50 Å apart, a person marks one in so many."""

SHOWN = {
    "particle": ("f1", "precision", "recall"),
    "filament": (
        *("recall_length", "precision_length", "mean_distance_ang"),
        *("filament_f1", "splits_per_filament"),
    ),
    "vesicle": ("f1", "centre_error_ang", "radius_error"),
}


def simulate(out: Path, name: str, count: int, seed: int) -> list[Path]:
    """Make micrographs, unless they are there; return them."""
    paths = [out / f"{name}_{n:02d}.mrc" for n in range(1, count + 1)]
    if not paths[-1].with_suffix(".json").exists():
        etpicker(
            *("simulate", "--out", out, "--name", name, "--micrographs", count),
            *("--filament-species", "mt=4", "actin=5", "--overlap", 0.1),
            *("--vesicle-species", "liposome=4", "--species", "apoferritin"),
            *("--particles", 40, "--pixel-size", PIXEL_SIZE, "--seed", seed),
        )
    return paths


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def write_thi(truth: Path, path: Path, name: str) -> None:
    """Write the labels of one class as EPicker's window does."""
    rows = [row for row in _rows(truth) if row["class"] == name]
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(row["filament"], []).append(row)
    lines = []
    for number, own in enumerate(groups.values(), 1):
        marked = (
            own
            if name not in KINDS or KINDS[name] != "filament"
            else ([*own[:-1:EVERY], own[-1]])
        )
        for row in marked:
            place = f"{float(row['x']):.0f} {float(row['y']):.0f}"
            more = {
                "particle": "",
                "filament": f" {number}",
                "vesicle": f" {float(row['radius'] or 0) / PIXEL_SIZE:.0f}",
            }
            lines.append(f"{place}{more[KINDS.get(name, 'particle')]} 1.0")
    heading = HEADINGS[KINDS.get(name, "particle")]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([heading, *lines, "[End]"]) + "\n", encoding="utf-8")


def read_labels(micrographs: list[Path], out: Path, name: str) -> dict[str, list[str]]:
    """Convert a class's ``.thi`` of all micrographs; return the lines of the CSVs."""
    labels = [out / name / f"{path.stem}.thi" for path in micrographs]
    for path, label in zip(micrographs, labels, strict=True):
        write_thi(path.with_suffix(".csv"), label, name)
    etpicker(
        *("convert", "--input", *labels, "--input-format", "epicker"),
        *("--output-format", "csv", "--tomogram", *micrographs),
        *("--class-name", name, "--out", out / f"{name}_csv"),
    )
    return {
        path.stem: _rows(out / f"{name}_csv" / f"{path.stem}.csv")
        for path in micrographs
    }


def write_marks(
    micrographs: list[Path], labels: Path, out: Path, names: tuple[str, ...]
) -> list[Path]:
    """Write the marks of some classes, a CSV for each micrograph; return them."""
    found = {name: read_labels(micrographs, labels, name) for name in names}
    out.mkdir(parents=True, exist_ok=True)
    columns = ("class", "x", "y", "filament", "radius")
    made = []
    for path in micrographs:
        made.append(out / f"{path.stem}.csv")
        with made[-1].open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns, extrasaction="ignore", restval="")
            writer.writeheader()
            for name in names:
                for row in found[name][path.stem]:
                    fibre = row.get("filament")
                    own = f"{name}_{fibre}" if fibre else ""  # EPicker counts from 1
                    writer.writerow({**row, "filament": own})
    return made


def sizes_of(names: tuple[str, ...]) -> list[str]:
    """Return the flags that say what classes are."""
    kinds = [f"{name}={KINDS[name]}" for name in names if name in KINDS]
    diameters = [f"{name}={SIZES[name]}" for name in names]
    return ["--diameter", *diameters, *(["--kind", *kinds] if kinds else [])]


def learn_and_judge(
    out: Path,
    learnt: list[Path],
    judged: list[Path],
    names: tuple[str, ...],
    *length: object,
) -> dict[str, dict[str, float]]:
    """Return what a model of some classes is worth, by class."""
    marks = write_marks(learnt, out / "thi", out / "marks", names)
    etpicker(
        *("train", "--tomogram", *learnt, "--coordinates", *marks),
        *(*sizes_of(names), "--annotation", "complete", "--patience", 99),
        *(*length, "--out", out / "model"),
    )
    model = out / "model" / "model.safetensors"
    etpicker("pick", "--model", model, "--tomogram", *judged, "--out", out / "picks")
    picks = [out / "picks" / f"{path.stem}.csv" for path in judged]
    etpicker(
        *("evaluate", "--picks", *picks),
        *("--truth", *(path.with_suffix(".csv") for path in judged)),
        *(*sizes_of(names), "--voxel-size", PIXEL_SIZE, "--out", out / "score"),
    )
    return json.loads((out / "score" / "metrics.json").read_text())["classes"]


def main() -> None:
    """Run the cases asked for that have no result yet, and print what there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    cases = ("together", "apart")
    parser.add_argument("--cases", nargs="+", choices=cases, default=list(cases))
    asked = parser.parse_args()
    learnt = simulate(asked.out, "learn", 6, 10 * asked.seed + 1)
    judged = simulate(asked.out, "judge", 4, 10 * asked.seed + 2)
    store = asked.out / "results.json"
    results = json.loads(store.read_text()) if store.exists() else {}
    groups = {
        "together": [tuple(SIZES)],
        "apart": [(name,) for name in SIZES],
    }
    for case in asked.cases:
        for names in groups[case]:
            key = " ".join(names)
            if key not in results:
                out = asked.out / "_".join(names)
                length = ("--steps", asked.steps, "--seed", asked.seed)
                results[key] = learn_and_judge(out, learnt, judged, names, *length)
                store.write_text(json.dumps(results, indent=1))
    print("| learnt | class | measured |\n|---|---|---|")
    for classes in results.values():
        learnt_with = "alone" if len(classes) == 1 else "together"
        for name, numbers in classes.items():
            keys = SHOWN[KINDS.get(name, "particle")]
            shown = ", ".join(f"{one} {numbers[one]:.3g}" for one in keys)
            print(f"| {learnt_with} | {name} | {shown} |")


if __name__ == "__main__":
    main()
