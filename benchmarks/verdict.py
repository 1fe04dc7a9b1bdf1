"""Judge true, spoilt and random picks: the verdict should put them in that order.

    python benchmarks/verdict.py DATA OUT --diameter 5mrc=370 --seeds 1 2 3

DATA holds tomograms NAME.mrc and their truth NAME.csv. For each seed two sets are
made: ``ours``, the true centres with a picker's usual scatter (or real picks: --ours
DIR), and ``worse``, the true centres moved by half a radius in random directions, a
fifth of them replaced by random places. ``etpicker validate`` judges both beside its
own random control, and the area under the curve says how well the likelihood ratio,
and RELION's raw likelihood, tell the picks of particles from those of nothing.
"""

import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path

import mrcfile
import numpy as np
from scipy.spatial import cKDTree

from etpicker_plugin.engine.verdict.measures.ranking import area_under_curve

SCATTER_VOX = 0.8
FALSE_SHARE = 0.2


def main() -> None:
    """Make the sets, judge them, print one table row per seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--diameter", required=True, metavar="CLASS=Å")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--ours", type=Path, help="folder of real picks")
    parser.add_argument("--reference", type=Path)
    arguments = parser.parse_args()
    print(
        "| seed | picks | order | conclusive | LLR medians | Å at equal n | B-factors "
        "| AUC of LLR | AUC of LL |\n|---|---|---|---|---|---|---|---|---|"
    )
    for seed in arguments.seeds:
        print(row_of(arguments, seed), flush=True)


def row_of(arguments: argparse.Namespace, seed: int) -> str:
    """Judge one seed's sets and return its table row."""
    class_name, _, diameter = arguments.diameter.partition("=")
    sets = arguments.out / f"sets_{seed}"
    truth = read_truth(arguments.data, class_name)
    make_sets(truth, arguments.data, sets, class_name, float(diameter), seed)
    ours = arguments.ours or sets / "ours"
    out = arguments.out / f"verdict_{seed}"
    command = [
        *(sys.executable, "-m", "etpicker_plugin.engine", "validate"),
        *("--picks", f"ours={ours}", f"worse={sets / 'worse'}"),
        *("--tomogram", *(str(arguments.data / f"{name}.mrc") for name in truth)),
        *("--diameter", arguments.diameter, "--tilt-range", "-60", "60"),
        *("--seed", str(seed), "--out", str(out)),
    ]
    if arguments.reference:
        command += ["--reference", str(arguments.reference)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    verdict = json.loads((out / "verdict.json").read_text(encoding="utf-8"))
    ratio, raw = areas(out / "boxes.csv", truth, float(diameter) / 2)
    found = [verdict["sets"][name] for name in ("ours", "worse", "control")]
    cells = [
        str(seed),
        " / ".join(str(s["n_judged"]) for s in found),
        " > ".join(verdict["ranking"]),
        "yes" if verdict["conclusive"] else "no",
        " / ".join(f"{s['llr_median']:.0f}" for s in found),
        " / ".join(number(s["resolution_matched_ang"]) for s in found),
        " / ".join(number(s["b_factor"]) for s in found),
        f"{ratio:.3f}",
        f"{raw:.3f}",
    ]
    return "| " + " | ".join(cells) + " |"


def read_truth(folder: Path, class_name: str) -> dict[str, np.ndarray]:
    """Return ``(N, 3)`` xyz voxels of the class in every tomogram."""
    truth = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8") as stream:
            rows = [r for r in csv.DictReader(stream) if r["class"] == class_name]
        places = np.array([[float(r[a]) for a in "xyz"] for r in rows])
        truth[path.stem] = places.reshape(-1, 3)
    return truth


def make_sets(
    truth: dict[str, np.ndarray],
    data: Path,
    out: Path,
    class_name: str,
    diameter: float,
    seed: int,
) -> None:
    """Write both sets as folders of CSVs."""
    generator = np.random.default_rng(seed)
    for name, places in truth.items():
        with mrcfile.mmap(data / f"{name}.mrc") as mrc:
            shape, voxel_size = np.array(mrc.data.shape[::-1]), float(mrc.voxel_size.x)
        scattered = places + generator.normal(0, SCATTER_VOX, places.shape)
        way = generator.normal(size=places.shape)
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        moved = places + way * diameter / 4 / voxel_size
        false = generator.random(len(places)) < FALSE_SHARE
        moved[false] = generator.uniform(0, shape - 1, (int(false.sum()), 3))
        for set_name, found in (("ours", scattered), ("worse", moved)):
            write_set(out / set_name / f"{name}.csv", found, shape, class_name)


def write_set(
    path: Path, places: np.ndarray, shape: np.ndarray, class_name: str
) -> None:
    """Write xyz places, kept inside the tomogram."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{class_name},{x:.3f},{y:.3f},{z:.3f}"
        for x, y, z in np.clip(places, 0, shape - 1)
    ]
    path.write_text("\n".join(["class,x,y,z", *lines]) + "\n", encoding="utf-8")


def areas(
    path: Path, truth: dict[str, np.ndarray], radius_ang: float
) -> tuple[float, float]:
    """Return the areas of ratio and raw likelihood, ours true against all false.

    A false pick, of ``worse`` or of the control, is a radius or more from every
    particle; one of ``ours`` is true when it is nearer than half of that.
    """
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    trees = {name: cKDTree(places) for name, places in truth.items() if len(places)}
    true, false = [], []
    for row in rows:
        place = [float(row[a]) for a in "xyz"]
        distance = trees[row["tomogram"]].query(place)[0] * float(row["voxel_size"])
        values = (float(row["llr"]), float(row["ll"]))
        if "ours" in row["sets"].split() and distance < radius_ang / 2:
            true.append(values)
        elif distance > radius_ang:
            false.append(values)
    high, low = np.array(true), np.array(false)
    return (
        area_under_curve(high[:, 0], low[:, 0]) or 0.0,
        area_under_curve(high[:, 1], low[:, 1]) or 0.0,
    )


def number(value: float | None) -> str:
    """Return a number without decimals, or a dash."""
    return "-" if value is None else f"{value:.0f}"


if __name__ == "__main__":
    main()
