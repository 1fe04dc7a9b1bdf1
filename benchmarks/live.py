"""The live picker: seconds from click to candidates, and F1 by number of answers.

    python benchmarks/live.py speed OUT
    python benchmarks/live.py answers DATA OUT [--classes 5mrc 4cr2 1bxn]
        [--answers 0 1 2 5 10 20 40] [--seeds 1 2 3 4 5]

speed    Simulates a scene of 200 x 512 x 512 voxels, at the working voxel size, and
         clicks in it: first with nothing computed, then again and again. Seconds until
         the planes looked at are there and until all is, and the peak of memory.
answers  DATA is the folder with dev_01.mrc, dev_01.csv … dev_04.csv. An annotator
         clicks one particle of a species in dev_01 or dev_02, with a scatter of 0.7
         voxels, and then says of the candidate nearest to the cut-off, of both, whether
         it is one, again and again; who accepts it leaves it where it is. "clicks" is
         as many particles drawn at random, and nothing rejected, which is what 'train
         --instant' would be given. F1 is that of the candidates of dev_03 + dev_04 at
         the cut-off (match distance: half the diameter). What is finished is kept.
"""

import argparse
import csv
import json
import random
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from statistics import mean

import numpy as np
from dev_accuracy import DIAMETERS, TESTING, TRAINING, etpicker

from etpicker_plugin.engine.evaluation.matching import match_picks

SHAPE = (512, 512, 200)
VOXEL_SIZE = 18.0
RIBOSOME = {"ribosome": 323.0}
SCATTER_VOX = 0.7
DEV_VOXEL_SIZE = 10.0
REPEATS = 5
WAYS = ("live", "clicks")


class Live:
    """A live picker that is asked and answers."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process
        self.number = 0
        self.until("ready")

    def ask(self, diameters: dict, marks: dict, first: str, z: float) -> None:
        """Ask for all that is like the marks, the plane looked at first."""
        self.number += 1
        classes = [{"name": n, "diameter_ang": d} for n, d in diameters.items()]
        request = {"do": "solve", "number": self.number, "classes": classes}
        request |= {"marks": marks, "first": {"tomogram": first, "z": z}}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def until(self, kind: str) -> list[tuple[float, dict]]:
        """Return the events up to one of a kind, each with when it came."""
        events = []
        for line in self.process.stdout:
            event = json.loads(line)
            events.append((time.perf_counter(), event))
            if event["event"] == "refused":
                print(event["text"], file=sys.stderr)
            if event["event"] == kind:
                return events
        raise SystemExit("The live picker ended.")

    def peak_mb(self) -> float:
        """Return the most memory that it had."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        line = next(line for line in lines if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024


@contextmanager
def live(tomograms: list[Path], out: Path):
    """Start a live picker, and end it."""
    words = ["live", "--tomogram", *tomograms, "--out", out, "--device", "cpu"]
    command = [sys.executable, "-m", "etpicker_plugin.engine", *map(str, words)]
    pipe = subprocess.PIPE
    with (
        out.with_suffix(".log").open("a") as log,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True) as p,
    ):
        yield Live(p)
        p.stdin.close()


def read_centres(path: Path, species: str) -> list[list[float]]:
    """Return xyz of a species' particles."""
    with path.open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["class"] == species]
    return [[float(row[axis]) for axis in "xyz"] for row in rows]


# ------------------------------- speed -----------------------------------------
def measure_speed(out: Path) -> None:
    """Print how long clicks wait."""
    out.mkdir(parents=True, exist_ok=True)
    scene = out / "scene" / "sim_01.mrc"
    if not scene.exists():
        words = ("--shape", *SHAPE, "--voxel-size", VOXEL_SIZE, "--tomograms", 1)
        words += ("--species", "ribosome", "--particles", 150)
        etpicker("simulate", *words, "--out", scene.parent)
    centres = read_centres(scene.with_suffix(".csv"), "ribosome")
    for file in (out / "features").glob("*.features"):
        file.unlink()
    print("| click | planes looked at, s | all, s | candidates |")
    print("|---|---|---|---|")
    with live([scene], out / "features") as asked:
        for clicks in range(1, 2 + REPEATS):
            marks = {"sim_01": {"ribosome": centres[:clicks]}}
            began = time.perf_counter()
            asked.ask(RIBOSOME, marks, "sim_01", centres[0][2])
            report(f"{clicks}", began, asked.until("solved"), centres[0][2])
        both = {**RIBOSOME, "other": 330.0}
        marks["sim_01"]["other"] = centres[-2:]
        began = time.perf_counter()
        asked.ask(both, marks, "sim_01", centres[0][2])
        report("two classes", began, asked.until("solved"), centres[0][2])
        print(f"\nPeak of memory: {asked.peak_mb():.0f} MB")


def report(name: str, began: float, events: list, z: float) -> None:
    """Print a row of the table."""
    found = [(when, e) for when, e in events if e["event"] == "candidates"]
    seen = next(when for when, e in found if e["z"][0] <= z < e["z"][1])
    last, event = found[-1]
    count = sum(len(of["scores"]) for of in event["classes"].values())
    print(f"| {name} | {seen - began:.2f} | {last - began:.2f} | {count} |", flush=True)


# ------------------------------- answers ---------------------------------------
class Annotator:
    """Clicks once, and then answers what is asked, by the truth."""

    def __init__(self, data: Path, species: str, seed: int) -> None:
        self.species = species
        self.drawn = random.Random(f"{species} {seed}")
        names = (*TRAINING, *TESTING)
        truth = {n: read_centres(data / f"{n}.csv", species) for n in names}
        self.truth = {name: np.array(found) for name, found in truth.items()}
        self.marks: dict[str, dict[str, list]] = {name: {} for name in TRAINING}
        places = [(name, place) for name in TRAINING for place in truth[name]]
        self.order = self.drawn.sample(places, len(places))

    @property
    def reach(self) -> float:
        """How far a pick may be from its particle, voxels."""
        return DIAMETERS[self.species] / DEV_VOXEL_SIZE / 2

    def click(self) -> None:
        """Mark one more particle, drawn at random."""
        name, place = self.order.pop()
        scattered = [v + self.drawn.gauss(0, SCATTER_VOX) for v in place]
        kept = [max(value, 0.0) for value in scattered]
        self.marks[name].setdefault(self.species, []).append(kept)

    def answer(self, found: dict[str, dict], cut_off: float) -> None:
        """Say of the most doubtful candidate whether it is a particle."""
        open_ones = []
        for name in TRAINING:
            said = [p for of in self.marks[name].values() for p in of]
            for place, score in zip(
                found[name]["xyz"], found[name]["scores"], strict=True
            ):
                if not said or self.nearest(place, said) > self.reach:
                    doubt = abs(log_odds(score) - log_odds(cut_off))
                    open_ones.append((doubt, name, place))
        if open_ones:
            _, name, place = min(open_ones)
            is_true = self.nearest(place, self.truth[name]) <= self.reach
            kind = self.species if is_true else "negative"
            self.marks[name].setdefault(kind, []).append(place)

    def nearest(self, place: list[float], others) -> float:
        """Return the distance to the nearest of others, voxels."""
        return float(np.linalg.norm(np.array(others) - place, axis=1).min())

    def f1(self, found: dict[str, dict], cut_off: float) -> float:
        """Return F1 over the tomograms that were not clicked in."""
        hits = picked = there = 0
        for name in TESTING:
            kept = np.array(found[name]["scores"]) >= cut_off
            places = np.array(found[name]["xyz"]).reshape(-1, 3)[kept]
            matched = match_picks(places, self.truth[name], max_distance=self.reach)
            hits += len(matched.distances)
            picked, there = picked + len(places), there + len(self.truth[name])
        return 2 * hits / max(picked + there, 1)


def log_odds(score: float) -> float:
    """Return the log-odds of a score, of 0 and 1 too."""
    kept = min(max(score, 1e-4), 1 - 1e-4)
    return float(np.log(kept / (1 - kept)))


def annotate(
    asked: Live, annotator: Annotator, way: str, answers: list[int]
) -> list[float]:
    """Return F1 after so many answers, or clicks beside the first."""
    annotator.click()
    reached = []
    for number in range(max(answers) + 1):
        species = annotator.species
        asked.ask({species: DIAMETERS[species]}, annotator.marks, TRAINING[0], 40.0)
        events = [event for _, event in asked.until("solved")]
        found = {
            e["tomogram"]: e["classes"][species]
            for e in events
            if e["event"] == "candidates" and e["whole"]
        }
        cuts = [e["classes"].get(species) for e in events if e["event"] == "cut_off"]
        cut_off = cuts[-1]["cut_off"] if cuts and cuts[-1] else 0.05
        if number in answers:
            reached.append(annotator.f1(found, cut_off))
        if way == "live":
            annotator.answer(found, cut_off)
        elif annotator.order:
            annotator.click()
    return reached


def measure_answers(
    data: Path, out: Path, classes: list[str], answers: list[int], seeds: list[int]
) -> None:
    """Print F1 by the number of answers."""
    if not (data / "dev_01.mrc").exists():
        sys.exit(f"{data}: no dev_01.mrc here; the benchmark data is absent.")
    out.mkdir(parents=True, exist_ok=True)
    store = out / "results.json"
    results = json.loads(store.read_text()) if store.exists() else {}
    print(f"| species | way | {' | '.join(f'{n} answers' for n in answers)} |")
    print("|---|---|" + "---|" * len(answers))
    tomograms = [data / f"{name}.mrc" for name in (*TRAINING, *TESTING)]
    for species, way in product(classes, WAYS):
        each = []
        for seed in seeds:
            name = f"{species} {way} {seed} {answers}"
            if name not in results:
                with live(tomograms, out / "features") as asked:
                    annotator = Annotator(data, species, seed)
                    results[name] = annotate(asked, annotator, way, answers)
                store.write_text(json.dumps(results, indent=1))
            each.append(results[name])
        means = " | ".join(f"{mean(of):.3f}" for of in zip(*each, strict=True))
        print(f"| {species} | {way} | {means} |", flush=True)


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_subparsers(dest="what", required=True)
    speed = what.add_parser("speed")
    speed.add_argument("out", type=Path)
    asked = what.add_parser("answers")
    asked.add_argument("data", type=Path)
    asked.add_argument("out", type=Path)
    asked.add_argument("--classes", nargs="+", default=["5mrc", "4cr2", "1bxn"])
    asked.add_argument(
        "--answers", type=int, nargs="+", default=[0, 1, 2, 5, 10, 20, 40]
    )
    asked.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    given = vars(parser.parse_args())
    if given.pop("what") == "speed":
        measure_speed(**given)
    else:
        measure_answers(**given)


if __name__ == "__main__":
    main()
