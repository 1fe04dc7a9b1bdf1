"""Do suggestions teach faster? A simulated annotator answers, on the development data.

    python benchmarks/suggestions.py DATA OUT [--seeds 5] [--steps 120]

DATA is the folder with dev_01.mrc, dev_01.csv … dev_04.csv. For each seed ten
particles, drawn at random among ribosomes and proteasomes in dev_01 + dev_02, are
marked, and a model is trained with sparse annotation. Then, twice, ten more labels are
given and a model is trained anew on all labels:

suggestions  the window's suggestions, from the model's own picks down to low scores;
             the annotator says which particle it is, or that there is none
random       the same questions about picks drawn at random from the same list
clicks       ten more particles, drawn at random, are clicked: nothing is asked

Every model picks dev_03 + dev_04. F1 is at the model's own thresholds; best F1 is what
the best threshold would have given. All by the commands that a user types, and the
window's own code for suggesting. OUT/steps_N/results.json holds the results; what has
one is not made again, so the same command goes on after a stop.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from dev_accuracy import TESTING, TRAINING, VOXEL_SIZE, etpicker

from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.formats.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.particles import Particles, join_particles
from etpicker_plugin.window.aids.suggestions import suggest_places
from etpicker_plugin.window.document.session import Document, Session

DIAMETERS = {"5mrc": 371.0, "4cr2": 309.0}
WAYS = ("suggestions", "random", "clicks")
LABELS = (10, 20, 30)
CANDIDATES = 100  # picks per class and tomogram that may be asked about
MODEL = "model/model.safetensors"
MEASURES = ("f1", "best_f1", "average_precision")

Marks = dict[str, Particles]


def read_truth(data: Path, name: str) -> Particles:
    """Return the true centres of the two species."""
    particles = read_csv(data / f"{name}.csv", tomogram_id=name)
    return particles.select(np.isin(particles.class_names, list(DIAMETERS)))


def split(count: int, parts: int) -> list[int]:
    """Return nearly equal numbers that add up: 10 over 4 is 3, 3, 2, 2."""
    return [len(part) for part in np.array_split(range(count), parts)]


def click(data: Path, marks: Marks, count: int, generator) -> Marks:
    """Mark further particles, drawn at random, as many of each species."""
    truth = {name: read_truth(data, name) for name in TRAINING}
    new: dict[str, list[int]] = {name: [] for name in TRAINING}
    for species, number in zip(DIAMETERS, split(count, len(DIAMETERS)), strict=True):
        free = [
            (name, i)
            for name in TRAINING
            for i in np.flatnonzero(truth[name].class_names == species).tolist()
            if not is_near(truth[name].positions_zyx[i], marks[name])
        ]
        for chosen in generator.permutation(len(free))[:number]:
            new[free[chosen][0]].append(free[chosen][1])
    return {
        name: join_particles(name, [marks[name], truth[name].select(np.array(i, int))])
        for name, i in new.items()
    }


def is_near(position: np.ndarray, marks: Particles) -> bool:
    """Tell whether a place is marked already, within the smaller radius."""
    least = min(DIAMETERS.values()) / 2 / VOXEL_SIZE
    distances = np.linalg.norm(marks.positions_zyx - position, axis=1)
    return bool((distances < least).any())


def answer(position: np.ndarray, truth: Particles) -> str:
    """Return what the annotator says: a species within half its diameter, or none."""
    distances = np.linalg.norm(truth.positions_zyx - position, axis=1)
    radii = np.array([DIAMETERS[n] for n in truth.class_names]) / 2 / VOXEL_SIZE
    nearest = int(np.argmin(distances / radii))
    near = distances[nearest] <= radii[nearest]
    return str(truth.class_names[nearest]) if near else NEGATIVE


def ask(data: Path, folder: Path, way: str, marks: Marks, count: int, generator):
    """Answer questions about a model's picks that are new; return all marks."""
    cut_offs = cut_offs_of(folder)
    numbers = iter(split(count, len(TRAINING) * len(DIAMETERS)))
    answered = {}
    for name in TRAINING:
        truth = read_truth(data, name)
        picks = read_csv(folder / "candidates" / f"{name}.csv", tomogram_id=name)
        new = [not is_near(p, marks[name]) for p in picks.positions_zyx]
        asked_of = picks.select(np.array(new, dtype=bool))
        shown = join_particles(name, [marks[name], asked_of])
        with tempfile.TemporaryDirectory() as temporary:
            session = open_session(data, Path(temporary), shown, cut_offs)
            (document,) = session.documents
            annotation = document.annotation
            for species in DIAMETERS:
                wanted = next(numbers)
                asked = choose(way, document, session, species, wanted, generator)
                for pick in asked.tolist():
                    said = answer(annotation.positions_zyx[pick], truth)
                    document.journal.apply(annotation.confirming(pick, said))
            answered[name] = annotation.to_particles(np.isnan(annotation.scores))
            session.close()
    return answered


def open_session(
    data: Path, folder: Path, shown: Particles, cut_offs: dict[str, float]
) -> Session:
    """Open an annotation of one tomogram, as the window does."""
    csv = folder / f"{shown.tomogram_id}.csv"
    write_csv(shown, csv)
    config = ViewConfig(
        tomogram=(str(data / f"{shown.tomogram_id}.mrc"),),
        coordinates=(str(csv),),
        diameter=DIAMETERS,
        voxel_size=VOXEL_SIZE,
    )
    (folder / "annotation").mkdir()
    session = Session(config, folder / "annotation")
    for species, cut_off in cut_offs.items():
        session.classes.change(species, threshold=cut_off)
    return session


def choose(
    way: str, document: Document, session: Session, species: str, count: int, generator
) -> np.ndarray:
    """Return the numbers of the picks to ask about."""
    if way == "suggestions":
        return suggest_places(document, session.classes, species, count=count)
    annotation = document.annotation
    ids = annotation.ids_of(species)
    return generator.permutation(ids[np.isfinite(annotation.scores[ids])])[:count]


def cut_offs_of(folder: Path) -> dict[str, float]:
    """Return the thresholds that a model chose."""
    return {c.name: c.threshold for c in read_card(folder / MODEL).classes}


def learn(data: Path, folder: Path, marks: Marks, *, seed: int, steps: int) -> None:
    """Train on the tomograms in which a particle is marked."""
    shows = {n: m for n, m in marks.items() if (m.class_names != NEGATIVE).any()}
    (folder / "marks").mkdir(parents=True, exist_ok=True)
    for name, particles in marks.items():
        write_csv(particles, folder / "marks" / f"{name}.csv")
    etpicker(
        *["train", "--annotation", "sparse", "--exemplars", "none"],
        *["--tomogram", *(data / f"{name}.mrc" for name in shows)],
        *["--coordinates", *(folder / "marks" / f"{name}.csv" for name in shows)],
        *["--diameter", *(f"{n}={d:g}" for n, d in DIAMETERS.items())],
        *["--steps", steps, "--patch-size", 48, "--seed", seed, "--patience", 99],
        *["--out", folder / "model"],
    )


def pick(data: Path, folder: Path, names: tuple[str, ...], out: str) -> None:
    """Pick down to low scores."""
    etpicker(
        *["pick", "--model", folder / MODEL, "--max-picks", CANDIDATES],
        *["--tomogram", *(data / f"{name}.mrc" for name in names)],
        *["--out", folder / out],
    )


def judge(data: Path, folder: Path) -> dict[str, float]:
    """Return the mean over the species of F1, best F1 and average precision."""
    pick(data, folder, TESTING, "picks")
    cut_offs = cut_offs_of(folder)
    (folder / "kept").mkdir(exist_ok=True)
    for name in TESTING:
        found = read_csv(folder / "picks" / f"{name}.csv", tomogram_id=name)
        least = np.array([cut_offs[n] for n in found.class_names])
        write_csv(found.select(found.scores >= least), folder / "kept" / f"{name}.csv")
    every, kept = (evaluate(data, folder, part) for part in ("picks", "kept"))
    return {
        name: float(np.mean([(m[name] or 0.0) for m in source.values()]))
        for name, source in zip(MEASURES, (kept, every, every), strict=True)
    }


def evaluate(data: Path, folder: Path, part: str) -> dict[str, dict[str, float]]:
    """Return the metrics of each species."""
    etpicker(
        *["evaluate", "--picks", *(folder / part / f"{n}.csv" for n in TESTING)],
        *["--truth", *(data / f"{n}.csv" for n in TESTING)],
        *["--diameter", *(f"{n}={d:g}" for n, d in DIAMETERS.items())],
        *["--voxel-size", VOXEL_SIZE, "--out", folder / f"{part}_judged"],
    )
    text = (folder / f"{part}_judged" / "metrics.json").read_text(encoding="utf-8")
    return json.loads(text)["classes"]


def run_round(data: Path, folder: Path, marks: Marks, *, seed: int, steps: int) -> dict:
    """Train, pick and judge, unless this was done; return the result."""
    note = folder / "result.json"
    if not note.exists():
        learn(data, folder, marks, seed=seed, steps=steps)
        names = [n for m in marks.values() for n in m.class_names.tolist()]
        result = {"labels": len(names), "negatives": names.count(NEGATIVE)}
        note.write_text(json.dumps(result | judge(data, folder)), encoding="utf-8")
    return json.loads(note.read_text(encoding="utf-8"))


def run_seed(
    data: Path, out: Path, seed: int, ways: list[str], steps: int
) -> list[dict]:
    """Label and train round by round, each way from the same first model."""
    nothing = np.zeros(0, int)
    empty = {name: read_truth(data, name).select(nothing) for name in TRAINING}
    marks = click(data, empty, LABELS[0], np.random.default_rng([seed, 0]))
    first = out / f"seed_{seed}" / "first"
    base = run_round(data, first, marks, seed=seed, steps=steps)
    results = [{"seed": seed, "way": way, "round": 0, **base} for way in ways]
    for way in ways:
        folder, known = first, marks
        for number in range(1, len(LABELS)):
            before, folder = folder, out / f"seed_{seed}" / f"{way}_{LABELS[number]}"
            if (folder / "result.json").exists():
                known = read_marks(folder)
            else:
                generator = np.random.default_rng([seed, number])
                known = label(data, before, way, known, number, generator)
            result = run_round(data, folder, known, seed=seed, steps=steps)
            results.append({"seed": seed, "way": way, "round": number, **result})
    return results


def label(data: Path, folder: Path, way: str, marks: Marks, number: int, generator):
    """Return all marks after a round; ``folder`` is that of the model before it."""
    count = LABELS[number] - LABELS[number - 1]
    if way == "clicks":
        return click(data, marks, count, generator)
    pick(data, folder, TRAINING, "candidates")
    return ask(data, folder, way, marks, count, generator)


def read_marks(folder: Path) -> Marks:
    """Return the labels that a model was trained with."""
    files = {name: folder / "marks" / f"{name}.csv" for name in TRAINING}
    return {name: read_csv(csv, tomogram_id=name) for name, csv in files.items()}


def show(results: list[dict], ways: list[str]) -> None:
    """Print mean and standard deviation over the seeds, and the paired differences."""
    print("| labels | way | negatives | F1 | best F1 | AP | F1 less that of random |")
    print("|---|---|---|---|---|---|---|")
    for number, labels in enumerate(LABELS):
        rows = [r for r in results if r["round"] == number]
        random = {r["seed"]: r["f1"] for r in rows if r["way"] == "random"}
        for way in ways:
            own = [r for r in rows if r["way"] == way]
            cells = [f"{np.mean([r['negatives'] for r in own]):.1f}"]
            cells += [describe([r[name] for r in own]) for name in MEASURES]
            pairs = [r["f1"] - random[r["seed"]] for r in own if r["seed"] in random]
            cells.append(describe(pairs, sign="+") if pairs else "")
            print(f"| {labels} | {way} | {' | '.join(cells)} |")


def describe(values: list[float], *, sign: str = "") -> str:
    """Return mean ± standard deviation."""
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):{sign}.3f}{spread}"


def main() -> None:
    """Run the seeds that have no result yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    arguments = parser.parse_args()
    if not (arguments.data / "dev_01.mrc").exists():
        sys.exit(f"{arguments.data}: no dev_01.mrc here; the benchmark data is absent.")
    out, steps = arguments.out / f"steps_{arguments.steps}", arguments.steps
    results: list[dict] = []
    for seed in range(arguments.seeds):
        results += run_seed(arguments.data, out, seed, arguments.ways, steps)
        text = json.dumps({"steps": steps, "rounds": results}, indent=1)
        (out / "results.json").write_text(text, encoding="utf-8")
    show(results, arguments.ways)


if __name__ == "__main__":
    main()
