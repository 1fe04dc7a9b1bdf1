"""Continual learning: three rounds of species and imaging conditions, five ways.

    python benchmarks/continual.py OUT [--steps 400] [--ways joint ours …] [--alone]
        [--micrographs]

Simulates the data itself. Round 0 knows ribosome and ring; round 1 adds proteasome, at
a lower dose and another defocus; round 2 adds globule, at another voxel size. With
--micrographs these are projections: apoferritin and 20S, then ribosome, then gpcr. The
new images hold the old species too, and nobody marked them. Every way ends with one
model of all four species, which picks the test images of every round at its own
thresholds; a species is judged on those of the round that brought it. With --alone the
new images hold nothing but their own species, and with --room M the first model's
exemplars are cut down to M megabytes and stay there.

joint     one training on the tomograms of all rounds with every species marked
fine-tune each update learns the new marks alone; all else is background
replay    … and exemplars
distil    … and the old model's outputs and features, without exemplars
ours      ``etpicker update`` as it is
"""

import argparse
import csv
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.model.exemplars import MEGABYTE, read_exemplars
from etpicker_plugin.engine.model.model_file import load_model, save_model
from etpicker_plugin.engine.training.keep import Provenance, keep_exemplars


@dataclass(frozen=True)
class Round:
    """A round's data: what is marked in it, what else is there, how it is simulated."""

    learnt: tuple[str, ...]
    there: tuple[str, ...]
    voxel_size: float
    flags: tuple[object, ...]


PLANE = ("--shape", 1536, 1536, "--particles", 30, "--pixel-size")
SPACE = ("--shape", 200, 184, 64, "--particles", 20, "--voxel-size")
TOMOGRAMS = (
    Round(
        ("ribosome", "ring"),
        (),
        10.0,
        (*SPACE, 10.0, "--snr", 0.12, "--defocus", 3.5),
    ),
    Round(
        ("proteasome",),
        ("ribosome", "ring"),
        10.0,
        (*SPACE, 10.0, "--snr", 0.08, "--defocus", 4.5),
    ),
    Round(
        ("globule",),
        ("ribosome", "proteasome"),
        12.0,
        (*SPACE, 12.0, "--snr", 0.2, "--defocus", 2.5),
    ),
)
MICROGRAPHS = (
    Round(
        ("apoferritin", "20S"),
        (),
        2.0,
        (*PLANE, 2.0, "--dose", 40.0, "--defocus-range", 1.4, 1.4),
    ),
    Round(
        ("ribosome",),
        ("apoferritin", "20S"),
        2.0,
        (*PLANE, 2.0, "--dose", 25.0, "--defocus-range", 2.2, 2.2),
    ),
    Round(
        ("gpcr",),
        ("apoferritin", "ribosome"),
        2.5,
        (*PLANE, 2.5, "--dose", 50.0, "--defocus-range", 1.0, 1.0),
    ),
)
TRAINING, TESTING = 2, 2
UPDATE_SHARE = 0.7
"""Steps of an update over those of the first training."""
JOINT_SHARE = 3.0
NONE = ("--replay-weight", "0", "--distillation-weight", "0")
NONE += ("--feature-weight", "0", "--importance-weight", "0")
WAYS = {
    "fine-tune": (*NONE, "--other-classes", "absent"),
    "replay": (*NONE[2:],),
    "distil": ("--replay-weight", "0", "--importance-weight", "0"),
    "no distillation": NONE[2:6],
    "no importance": NONE[6:],
    "ours": (),
}
WITHOUT_EXEMPLARS = ("fine-tune", "distil")


def etpicker(*words: object) -> float:
    """Run one command of the product; return the seconds."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "etpicker_plugin.engine", *map(str, words)]
    subprocess.run(command, check=True)
    return time.perf_counter() - began


def simulate(out: Path, rounds: tuple[Round, ...], *, alone: bool) -> dict[str, float]:
    """Make the images of all rounds; return the species' diameters (Å)."""
    diameters: dict[str, float] = {}
    kind = "--micrographs" if rounds is MICROGRAPHS else "--tomograms"
    for number, of in enumerate(rounds):
        folder = out / "data"
        if not (folder / f"r{number}_{TRAINING + TESTING:02d}.mrc").exists():
            etpicker(
                *["simulate", "--out", folder, "--name", f"r{number}", *of.flags],
                *[kind, TRAINING + TESTING, "--seed", 100 + number],
                *["--species", *of.learnt, *(() if alone else of.there)],
            )
        record = json.loads((folder / f"r{number}_01.json").read_text())
        for name, species in record["species"].items():
            diameters[name] = species["diameter_ang"]
    return {name: diameters[name] for of in rounds for name in of.learnt}


def files_of(number: int, first: int, count: int) -> list[str]:
    """Return the names of some tomograms of a round."""
    return [f"r{number}_{i:02d}" for i in range(first + 1, first + count + 1)]


def marked(out: Path, name: str, classes: tuple[str, ...]) -> Path:
    """Write the centres of some classes of a tomogram; return the file."""
    path = out / "marks" / "+".join(classes) / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with (out / "data" / f"{name}.csv").open(encoding="utf-8") as stream:
        rows = [r for r in csv.DictReader(stream) if r["class"] in classes]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def learn(
    command: str, out: Path, model: Path, names: list[str], classes, more
) -> float:
    """Train or update; return the seconds, those of a former run if there was one."""
    note = model / "seconds.json"
    if not note.exists():
        seconds = etpicker(
            *[command, "--out", model],
            *["--tomogram", *(out / "data" / f"{n}.mrc" for n in names)],
            *["--coordinates", *(marked(out, n, tuple(classes)) for n in names)],
            *["--diameter", *(f"{n}={d}" for n, d in classes.items())],
            *more,
        )
        note.write_text(json.dumps(seconds))
    return float(json.loads(note.read_text()))


def judge(
    out: Path, rounds: tuple[Round, ...], model: Path, diameters: dict[str, float]
) -> dict[str, float]:
    """Return F1 of each species the model knows, on its own round's test data."""
    f1: dict[str, float] = {}
    known = read_card(model / "model.safetensors").class_names()
    for number, of in enumerate(rounds):
        classes = {n: diameters[n] for n in of.learnt if n in known}
        if not classes:
            continue
        names = files_of(number, TRAINING, TESTING)
        picks, result = model / f"picks_{number}", model / f"metrics_{number}"
        etpicker(
            *["pick", "--model", model / "model.safetensors", "--out", picks],
            *["--tomogram", *(out / "data" / f"{n}.mrc" for n in names)],
        )
        etpicker(
            *["evaluate", "--picks", *(picks / f"{n}.csv" for n in names)],
            *["--truth", *(out / "data" / f"{n}.csv" for n in names)],
            *["--diameter", *(f"{n}={d}" for n, d in classes.items())],
            *["--voxel-size", of.voxel_size, "--out", result],
        )
        metrics = json.loads((result / "metrics.json").read_text())["classes"]
        f1 |= {name: metrics[name]["f1"] for name in classes}
    return f1


def without_exemplars(model: Path, folder: Path) -> Path:
    """Write a model without its exemplars; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.safetensors"
    if not path.exists():
        save_model(path, *load_model(model / "model.safetensors"))
    return folder


def with_room(model: Path, folder: Path, megabytes: float) -> Path:
    """Write a model with fewer of its exemplars; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path, source = folder / "model.safetensors", model / "model.safetensors"
    if not path.exists():
        network, card = load_model(source)
        fewer = keep_exemplars(
            network.eval(),
            (),
            (),
            classes=tuple(card.class_names()),
            provenance=Provenance(round=card.round, owner="", licence=""),
            earlier=read_exemplars(source),
            budget=int(megabytes * MEGABYTE),
        )
        save_model(path, network, card, exemplars=fewer)
    return folder


def run_way(
    way: str,
    out: Path,
    rounds: tuple[Round, ...],
    base: Path,
    diameters: dict[str, float],
    steps: int,
    room: float | None,
) -> dict:
    """Update the first model round by round; return F1 and seconds."""
    model, seconds = base, []
    after = [judge(out, rounds, base, diameters)]
    if way in WITHOUT_EXEMPLARS:
        model = without_exemplars(base, out / "base_bare")
    elif room is not None:
        model = with_room(base, out / f"base_{room:g}_MB", room)
    for number, of in list(enumerate(rounds))[1:]:
        folder = out / way.replace(" ", "_") / f"round_{number}"
        more = ["--model", model / "model.safetensors", *WAYS[way]]
        more += ["--steps", int(steps * UPDATE_SHARE), "--patience", 99]
        if way in WITHOUT_EXEMPLARS:
            more += ["--exemplars", "none"]
        elif room is not None:
            more += ["--exemplar-budget", room]
        classes = {n: diameters[n] for n in of.learnt}
        names = files_of(number, 0, TRAINING)
        seconds.append(learn("update", out, folder, names, classes, more))
        after.append(judge(out, rounds, folder, diameters))
        model = folder
    return {"f1": after, "seconds": seconds}


def run_joint(
    out: Path, rounds: tuple[Round, ...], diameters: dict[str, float], steps: int
) -> dict:
    """Train once on everything."""
    names = [n for number in range(len(rounds)) for n in files_of(number, 0, TRAINING)]
    more = ["--steps", int(steps * JOINT_SHARE), "--patience", 99]
    seconds = learn("train", out, out / "joint", names, diameters, more)
    return {"f1": [judge(out, rounds, out / "joint", diameters)], "seconds": [seconds]}


def show(results: dict[str, dict], rounds: tuple[Round, ...]) -> None:
    """Print the table."""
    names = [name for of in rounds for name in of.learnt]
    print(f"| | {' | '.join(names)} | mean | loss on old | seconds of an update |")
    print("|---" * (len(names) + 4) + "|")
    for way, result in results.items():
        last = result["f1"][-1]
        cells = " | ".join(f"{last[name]:.3f}" for name in names)
        mean = sum(last.values()) / len(last)
        losses = []
        for name in names:
            first = next(f1 for f1 in result["f1"] if name in f1)
            if len(result["f1"]) > 1 and name not in rounds[-1].learnt:
                losses.append(first[name] - last[name])
        loss = f"{sum(losses) / len(losses):+.3f}" if losses else ""
        seconds = ", ".join(f"{s:.0f}" for s in result["seconds"])
        print(f"| {way} | {cells} | {mean:.3f} | {loss} | {seconds} |")
    if "joint" in results:
        print(f"\nJoint training: {results['joint']['seconds'][0]:.0f} s")


def main() -> None:
    """Simulate, learn in every way, pick, judge, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--ways", nargs="+", default=["joint", *WAYS])
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--room", type=float)
    parser.add_argument("--micrographs", action="store_true")
    arguments = parser.parse_args()
    out = arguments.out
    rounds = MICROGRAPHS if arguments.micrographs else TOMOGRAMS
    diameters = simulate(out, rounds, alone=arguments.alone)
    names = files_of(0, 0, TRAINING)
    classes = {n: diameters[n] for n in rounds[0].learnt}
    more = ["--steps", arguments.steps, "--patience", 99]
    base = out / "base"
    learn("train", out, base, names, classes, more)
    results = {}
    for way in arguments.ways:
        if way == "joint":
            results[way] = run_joint(out, rounds, diameters, arguments.steps)
        else:
            results[way] = run_way(
                way, out, rounds, base, diameters, arguments.steps, arguments.room
            )
    (out / "results.json").write_text(json.dumps(results, indent=1))
    show(results, rounds)


if __name__ == "__main__":
    main()
