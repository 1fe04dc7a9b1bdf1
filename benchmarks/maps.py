"""From density maps to picks, without a click, beside template matching.

    python benchmarks/maps.py DATA OUT [--minutes 15 | --steps 240] [--seed 0]
        [--cases dev marked real] [--matching OUT2]

DATA is the folder with dev/, real/ and maps/ (10 Å per voxel). Case *dev*: six species'
maps and dev_01 + dev_02 without their centres make a picker; dev_03 + dev_04 are picked
and judged by ``etpicker evaluate``. Case *marked*: with their centres too. Case *real*:
the ribosome's map and the real tomogram without its centres; judged on y >= 136 by the
share of the listed ribosomes among the best 324 and 432 picks there, within 4 voxels;
picks near the faces in x and y, where nothing is listed, do not count. With
``--matching`` the picks that ``benchmarks/template_matching.py`` wrote there are judged
in the same way.
"""

import argparse
import csv
import json
import time
from functools import partial
from pathlib import Path

import numpy as np
from dev_accuracy import DIAMETERS, TESTING, TRAINING, VOXEL_SIZE, etpicker

from etpicker_plugin.engine.evaluation.matching import match_picks

REAL = "EMPIAR-11658_tomo171_bin16"
REAL_DIAMETER = 290
EDGE_VOX, BORDER_VOX = 256, 9.25
TEST_Y, WITHIN_VOX, COUNTS = 136, 4.0, (108, 216, 324, 432)


def run_dev(data: Path, out: Path, flags: list[str], *, marked: bool = False) -> dict:
    """Learn six maps, and the centres too if marked; pick; return how it went."""
    if marked:
        centres = [str(data / "dev" / f"{name}.csv") for name in TRAINING]
        flags = [*flags, "--coordinates", *centres, "--annotation", "complete"]
    began = time.perf_counter()
    etpicker(
        "train",
        "--map",
        *(f"{name}={data / 'maps' / name}.mrc" for name in DIAMETERS),
        "--diameter",
        *(f"{name}={ang}" for name, ang in DIAMETERS.items()),
        "--tomogram",
        *(data / "dev" / f"{name}.mrc" for name in TRAINING),
        "--out",
        out / "model",
        *flags,
    )
    trained = time.perf_counter()
    pick(
        out,
        *(data / "dev" / f"{name}.mrc" for name in TESTING),
    )
    picked = time.perf_counter()
    return {
        "training_minutes": (trained - began) / 60,
        "picking_seconds": picked - trained,
        "classes": judge_dev(data, out / "picks", out / "evaluation"),
    }


def pick(out: Path, *tomograms: Path, more: tuple[object, ...] = ()) -> None:
    """Pick with the model of a case."""
    model = out / "model" / "model.safetensors"
    etpicker(
        "pick",
        "--model",
        model,
        "--tomogram",
        *tomograms,
        "--out",
        out / "picks",
        *more,
    )


def judge_dev(data: Path, picks: Path, out: Path) -> dict:
    """Return the metrics of each class."""
    etpicker(
        "evaluate",
        "--picks",
        *(picks / f"{name}.csv" for name in TESTING),
        "--truth",
        *(data / "dev" / f"{name}.csv" for name in TESTING),
        "--diameter",
        *(f"{name}={ang}" for name, ang in DIAMETERS.items()),
        "--voxel-size",
        VOXEL_SIZE,
        "--out",
        out,
    )
    return json.loads((out / "metrics.json").read_text())["classes"]


def run_real(data: Path, out: Path, flags: list[str]) -> dict:
    """Learn the ribosome's map, pick the real tomogram, and return recalls."""
    tomogram = data / "real" / f"{REAL}.mrc"
    began = time.perf_counter()
    etpicker(
        "train",
        "--map",
        f"80S={data / 'maps' / '5mrc.mrc'}",
        "--diameter",
        f"80S={REAL_DIAMETER}",
        "--tomogram",
        tomogram,
        "--out",
        out / "model",
        *flags,
    )
    trained = time.perf_counter()
    pick(out, tomogram, more=("--threshold", "80S=0.001"))
    picked = time.perf_counter()
    return {
        "training_minutes": (trained - began) / 60,
        "picking_seconds": picked - trained,
        "recall": judge_real(data, out / "picks" / f"{REAL}.csv"),
    }


def judge_real(data: Path, picks: Path) -> dict[str, float]:
    """Return the listed particles' share among the best picks of the half judged."""
    truth, _ = read_rows(data / "real" / f"{REAL}.csv")
    found, scores = read_rows(picks)
    truth = truth[truth[:, 1] >= TEST_Y]
    low, high = BORDER_VOX, EDGE_VOX - 1 - BORDER_VOX
    listable = ((found[:, 1:] >= low) & (found[:, 1:] <= high)).all(axis=1)
    inside = listable & (found[:, 1] >= TEST_Y)
    ranked = found[inside][np.argsort(-scores[inside], kind="stable")]
    recalls = {}
    for count in COUNTS:
        matched = match_picks(ranked[:count], truth, max_distance=WITHIN_VOX)
        recalls[str(count)] = len(matched.pick_indices) / len(truth)
    return recalls


def read_rows(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(N, 3)`` zyx voxels and ``(N,)`` scores (0 where there are none)."""
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    positions = np.array([[float(r[k]) for k in "zyx"] for r in rows]).reshape(-1, 3)
    return positions, np.array([float(r.get("score") or 0) for r in rows])


def print_table(results: dict[str, dict]) -> None:
    """Print what was measured, as Markdown."""
    print("| case | class | P | R | F1 | AP | best F1 |")
    print("|---|---|---|---|---|---|---|")
    for name, result in results.items():
        for label, m in result.get("classes", {}).items():
            print(
                f"| {name} | {label} | {m['precision']:.2f} | {m['recall']:.2f} "
                f"| {m['f1']:.3f} | {m['average_precision'] or 0:.3f} "
                f"| {m['best_f1'] or 0:.3f} |"
            )
        for count, recall in result.get("recall", {}).items():
            print(f"| {name} | recall of the listed in {count} picks: {recall:.3f} |")
        if "training_minutes" in result:
            print(
                f"| {name} | training {result['training_minutes']:.1f} min, picking "
                f"{result['picking_seconds']:.1f} s |"
            )


CASES = {"dev": run_dev, "marked": partial(run_dev, marked=True), "real": run_real}


def main() -> None:
    """Run the cases asked for that have no result yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--steps", type=int, help="so many steps, whatever the time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--matching", type=Path, help="template matching's picks")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    store = arguments.out / "results.json"
    results = json.loads(store.read_text()) if store.exists() else {}
    length = ["--max-minutes", str(arguments.minutes)]
    if arguments.steps is not None:
        length = ["--steps", str(arguments.steps)]
    flags = [*length, "--seed", str(arguments.seed)]
    for name in arguments.cases:
        if name not in results:
            folder = arguments.out / name
            results[name] = CASES[name](arguments.data, folder, flags)
            store.write_text(json.dumps(results, indent=1))
    if arguments.matching:
        shown = {"dev": "classes", "real": "recall"}
        for name in sorted({"dev", "real"} & set(arguments.cases)):
            picks = arguments.matching / name
            judged = (
                judge_dev(arguments.data, picks, picks / "evaluation")
                if name == "dev"
                else judge_real(arguments.data, picks / f"{REAL}.csv")
            )
            results[f"{name}, template matching"] = {shown[name]: judged}
    print_table(results)


if __name__ == "__main__":
    main()
