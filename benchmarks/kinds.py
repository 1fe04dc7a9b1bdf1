"""Filaments and vesicles: learnt in minutes, judged on other scenes, and their price.

    python benchmarks/kinds.py OUT [--curves DATA] [--minutes 15 | --steps 240]
        [--seeds 1] [--cases own few curves particles]

Scenes of two ribosome-size species, microtubules, actin and vesicles are simulated into
OUT; three of them are learnt and two judged, their truth complete.

own         filaments and vesicles are learnt from own scenes, and judged on own ones,
            and on curves_01 and curves_02 of the folder DATA: scenes of another program
few         one microtubule, three actin filaments and one vesicle of one scene are
            marked: a model without training, and one of 60 steps
curves      filaments are learnt from curves_01 alone, and judged on curves_02
particles   two species learnt alone, and with the filaments and vesicles of the same
            scenes: accuracy, seconds a step and seconds of picking

Commands are those that a user types. Prints a table a case and writes OUT/results.json;
what is there already is not run again.
"""

import argparse
import csv
import json
import sys
import time
from pathlib import Path

from dev_accuracy import etpicker

VOXEL_SIZE = 10.0
SIZES = {"mt": 250, "actin": 70, "liposome": 700, "ribosome": 300, "proteasome": 250}
KINDS = {"mt": "filament", "actin": "filament", "liposome": "vesicle"}
CURVED = ("mt", "actin", "liposome")
SOLID = ("ribosome", "proteasome")
FEW = {"mt": 1, "actin": 3, "liposome": 1}
LEARNT, JUDGED = ("scene_01", "scene_02", "scene_03"), ("scene_04", "scene_05")


def simulate(folder: Path, seed: int) -> None:
    """Make the scenes of a seed, unless they are there."""
    if not (folder / f"{JUDGED[-1]}.json").exists():
        etpicker(
            *("simulate", "--out", folder, "--name", "scene", "--tomograms", 5),
            *("--shape", 220, 200, 80, "--snr", 0.08, "--seed", seed),
            *("--filament-species", "mt=2", "actin=8"),
            *("--vesicle-species", "liposome=4"),
        )


def write_curves_truth(data: Path, folder: Path) -> None:
    """Write the truth of the other program's scenes as coordinate CSVs.

    Vesicles are those that a centre and a radius describe: no tori, and their centre
    inside the tomogram.
    """
    for name in ("curves_01", "curves_02"):
        rows = [
            {**row, "filament": row.get("filament") or row.get("filament_id")}
            for row in _rows(data / f"{name}_filaments.csv")
        ]
        surfaces = data / f"{name}_vesicles.csv"
        for row in _rows(surfaces) if surfaces.exists() else []:
            axes = [float(row[key]) for key in ("r_min", "r_mid", "r_max")]
            if row["kind"] != "toroid" and 0 <= float(row["z"]) < 96:
                radius = sum(axes) / 3 * VOXEL_SIZE
                rows.append({**row, "class": "liposome", "radius": f"{radius:.1f}"})
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as to:
            columns = ("class", "x", "y", "z", "filament", "radius")
            writer = csv.DictWriter(to, columns, extrasaction="ignore", restval="")
            writer.writeheader()
            writer.writerows(rows)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def sizes_of(classes: tuple[str, ...]) -> list[str]:
    """Return the flags that say what classes are."""
    kinds = [f"{name}={KINDS[name]}" for name in classes if name in KINDS]
    diameters = [f"{name}={SIZES[name]}" for name in classes]
    return ["--diameter", *diameters, *(["--kind", *kinds] if kinds else [])]


def write_marks(truth: Path, marks: Path, most: dict[str, float]) -> None:
    """Write what is marked: of each class so many of its filaments or centres."""
    marked: dict[str, set[str]] = {name: set() for name in most}
    rows = []
    for number, row in enumerate(_rows(truth)):
        name, one = row["class"], row["filament"] or str(number)
        if name in most and (one in marked[name] or len(marked[name]) < most[name]):
            marked[name].add(one)
            rows.append(row)
    with marks.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def train(
    out: Path, tomograms: list[Path], most: dict[str, float], *length: object
) -> float:
    """Train a model from the marks of some classes; return its seconds a step."""
    marks = [out / f"{path.stem}.csv" for path in tomograms]
    out.mkdir(parents=True, exist_ok=True)
    for mark in marks:
        write_marks(out.parent / mark.name, mark, most)
    if not (out / "model" / "model.safetensors").exists():
        etpicker(
            *("train", "--tomogram", *tomograms, "--coordinates", *marks),
            *(*sizes_of(tuple(most)), *length, "--out", out / "model"),
        )
    stages = (out / "model" / "records" / "progress.jsonl").read_text(encoding="utf-8")
    steps = [
        e for e in map(json.loads, stages.splitlines()) if e["stage"] == "training"
    ]
    if len(steps) < 2:
        return float("nan")
    took = steps[-1]["time"] - steps[0]["time"]
    return took / (steps[-1]["done"] - steps[0]["done"])


def judge(
    out: Path, model: Path, tomogram: Path, truth: Path, classes: tuple[str, ...]
) -> dict:
    """Pick a tomogram and return what evaluate says of some classes, and seconds."""
    picks = out / tomogram.stem
    began = time.perf_counter()
    etpicker("pick", "--model", model, "--tomogram", tomogram, "--out", picks)
    seconds = time.perf_counter() - began
    etpicker(
        *("evaluate", "--picks", picks / f"{tomogram.stem}.csv", "--truth", truth),
        *(*sizes_of(classes), "--voxel-size", VOXEL_SIZE),
        *("--out", out / f"{tomogram.stem}_score"),
    )
    metrics = json.loads((out / f"{tomogram.stem}_score" / "metrics.json").read_text())
    return {"classes": metrics["classes"], "picking_seconds": seconds}


def learn_and_judge(
    out: Path,
    learnt: list[Path],
    judged: list[tuple[Path, Path, tuple[str, ...]]],
    most: dict[str, float],
    *length: object,
) -> dict:
    """Return what one model of the classes learnt is worth on each scene judged."""
    rate = train(out, learnt, most, *length)
    model = out / "model" / "model.safetensors"
    scenes = {path.stem: judge(out, model, path, *rest) for path, *rest in judged}
    return {"seconds_a_step": rate, "scenes": scenes}


def run_case(case: str, out: Path, data: Path | None, *length: object) -> dict:
    """Return the results of a case by what was learnt."""
    own = [(out / f"{name}.mrc", out / f"{name}.csv") for name in JUDGED]
    learnt = [out / f"{name}.mrc" for name in LEARNT]
    curved, solid = [(*pair, CURVED) for pair in own], [(*pair, SOLID) for pair in own]
    every = {name: float("inf") for name in (*SOLID, *CURVED)}
    lines = {name: every[name] for name in CURVED}
    complete = (*length, "--annotation", "complete")
    others = []
    if data is not None:
        write_curves_truth(data, out)
        classes = {"curves_01": ("mt", "actin"), "curves_02": ("actin", "liposome")}
        others = [
            (data / f"{name}.mrc", out / f"{name}.csv", found)
            for name, found in classes.items()
        ]
    if case == "own":
        scenes = curved + others
        return {case: learn_and_judge(out / case, learnt, scenes, lines, *complete)}
    if case == "few":
        lengths = {"few, instant": ("--instant",), "few, trained": ("--steps", 60)}
        return {
            name: learn_and_judge(
                *(out / name.replace(", ", "_"), learnt[:1], curved, FEW),
                *(*how, "--annotation", "sparse"),
            )
            for name, how in lengths.items()
        }
    if case == "curves":
        if not others:
            sys.exit("The case 'curves' needs --curves DATA.")
        (tomogram, _, classes), (other, truth, _) = others
        most = {name: every[name] for name in classes}
        scenes = [(other, truth, ("actin",))]
        return {case: learn_and_judge(out / case, [tomogram], scenes, most, *complete)}
    return {
        f"particles, {name}": learn_and_judge(
            out / name, learnt, solid, {one: every[one] for one in classes}, *complete
        )
        for name, classes in (("alone", SOLID), ("with", SOLID + CURVED))
    }


def print_tables(results: dict[str, dict]) -> None:
    """Print a row a case, scene and class, as Markdown."""
    print("| learnt | scene | class | measured |\n|---|---|---|---|")
    for name, result in results.items():
        for scene, judged in result["scenes"].items():
            for label, numbers in judged["classes"].items():
                shown = (
                    f"{key} {value:.3g}"
                    for key, value in numbers.items()
                    if isinstance(value, float)
                )
                print(f"| {name} | {scene} | {label} | {', '.join(shown)} |")
            print(f"| {name} | {scene} | | picking {judged['picking_seconds']:.1f} s |")
        print(f"| {name} | | | a step {result['seconds_a_step']:.2f} s |")


def main() -> None:
    """Run the cases asked for that have no result yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--curves", type=Path, metavar="DATA")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--steps", type=int, help="so many steps, whatever the time")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    cases = ("own", "few", "curves", "particles")
    parser.add_argument("--cases", nargs="+", choices=cases, default=list(cases))
    asked = parser.parse_args()
    length = ("--max-minutes", asked.minutes)
    if asked.steps is not None:
        length = ("--steps", asked.steps, "--patience", 99)
    store = asked.out / "results.json"
    results = json.loads(store.read_text()) if store.exists() else {}
    for seed in asked.seeds:
        folder = asked.out / f"seed_{seed}"
        simulate(folder, seed)
        for case in asked.cases:
            if f"{case}, seed {seed}" not in results:
                found = run_case(case, folder, asked.curves, *length, "--seed", seed)
                results[f"{case}, seed {seed}"] = found
                store.write_text(json.dumps(results, indent=1))
    print_tables(
        {
            f"{name}, {case.split(', ')[1]}": result
            for case, found in results.items()
            for name, result in found.items()
        }
    )


if __name__ == "__main__":
    main()
