"""Plant wrong origins, and see whether the verdict names them, and no others.

    python benchmarks/verdict_origin.py OUT --cases triple "any shift" … --seeds 1 2 3

Each case simulates tomograms for each seed and makes sets of picks from their truth:
``right`` (the centres), ``moved`` (the same, moved), ``scattered`` (moved by half a
radius in random directions, a fifth replaced by random places), ``wide`` (a normal
scatter of half a radius along each axis), and others. With ``--relion`` ``etpicker
validate`` judges them from end to end, with ``--reference`` from the true map; without
it the origins alone are measured, by the same code, which takes seconds.
"""

import argparse
import csv
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.comparison.compare import join_all
from etpicker_plugin.engine.comparison.offsets import Offset
from etpicker_plugin.engine.comparison.pick_sets import read_pick_sets
from etpicker_plugin.engine.simulation.species import built_in_species
from etpicker_plugin.engine.verdict.origins.measure import measure_origins
from etpicker_plugin.engine.verdict.places.candidates import gather_candidates
from etpicker_plugin.engine.verdict.places.geometry import choose_geometry
from etpicker_plugin.engine.volumes.tomogram import write_volume

VOXEL_SIZE = 10.0
FALSE_SHARE = 0.2
JITTER_VOX = 0.8
SHAPE = np.array([160, 150, 60])
Truth = dict[str, tuple[np.ndarray, Rotation]]
"""Per tomogram: centres ``(N, 3)`` xyz, and how the particles are turned."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is planted.

    Attributes
    ----------
    shift_xyz
        Of ``moved``, voxels; without it drawn by each seed, 1.5 to 4 voxels long.
    sets
        Names of the sets given; those that begin with ``moved`` are wrong.
    point_ang
        A point of the particle that the picks mean instead of its centre.
    apart
        Whether no two sets share a particle.
    reference, iterations
        Whether the true map is given, and how often RELION refines.
    """

    species: str = "ribosome"
    others: tuple[str, ...] = ()
    particles: int = 16
    snr: float = 0.1
    shift_xyz: tuple[float, float, float] | None = None
    sets: tuple[str, ...] = ("right", "moved", "scattered")
    point_ang: tuple[float, float, float] = (0.0, 0.0, 0.0)
    apart: bool = False
    reference: bool = False
    iterations: int | None = None


CASES = {
    "triple": Case(shift_xyz=(0.0, 3.0, 0.0)),
    "any shift": Case(),
    "along z": Case(shift_xyz=(0.0, 0.0, -2.0)),
    "proteasome": Case(species="proteasome"),
    "ring": Case(species="ring"),
    "globule": Case(species="globule", particles=30),
    "crowded": Case(particles=20, others=("proteasome", "ring")),
    "another point": Case(point_ang=(20.0, -10.0, 20.0)),
    "a far point": Case(point_ang=(40.0, -30.0, 50.0)),
    "few": Case(particles=6),
    "many": Case(particles=40),
    "noisier": Case(snr=0.03),
    "jittered": Case(sets=("jittered", "moved jittered", "scattered")),
    "all right": Case(sets=("right", "jittered", "scattered")),
    "scattered alone": Case(sets=("scattered",)),
    "all moved": Case(sets=("moved", "moved jittered")),
    "moved alone": Case(sets=("moved jittered",)),
    "moved and scattered": Case(sets=("moved", "scattered")),
    "apart": Case(particles=30, sets=("jittered", "moved jittered"), apart=True),
    "both ways": Case(sets=("moved", "right", "moved back")),
    "ten voxels": Case(shift_xyz=(-10.0, 0.0, 0.0)),
    "wide scatter": Case(sets=("right", "moved", "wide")),
}


def main() -> None:
    """Judge every case with every seed; print a row per run and a sum per case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--relion", action="store_true")
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--reference", action="store_true", help="give the true map")
    arguments = parser.parse_args()
    sums = []
    for name in arguments.cases:
        case = replace(
            CASES[name],
            reference=arguments.reference,
            iterations=arguments.iterations,
        )
        runs = [
            judge(case, arguments.out, name.replace(" ", "_"), seed, arguments.relion)
            for seed in arguments.seeds
        ]
        sums.append(sum_of(name, runs))
    print("\n| case | runs | planted | named | undecided | false | error, voxels | z |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(sums))


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of one seed.

    Attributes
    ----------
    planted
        Per set: its true offset, xyz voxels.
    offsets
        Per set: measured, and its error, ``(2, 3)``.
    alarms, undecided
        Sets called wrong; sets of pairs of which one is.
    """

    planted: dict[str, np.ndarray]
    offsets: dict[str, np.ndarray]
    alarms: list[str]
    undecided: list[str]
    texts: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """Return the sets that were planted wrong."""
        return [name for name, shift in self.planted.items() if shift.any()]

    @property
    def named(self) -> list[str]:
        """Return the sets rightly called wrong, and by what was planted.

        That is within a voxel, or four standard errors where those are more.
        """
        return [
            name
            for name in self.wrong
            if name in self.alarms
            and (
                np.abs(self.offsets[name][0] - self.planted[name])
                < np.maximum(1.0, 4 * self.offsets[name][1])
            ).all()
        ]

    @property
    def false(self) -> list[str]:
        """Return the sets wrongly called wrong."""
        return [name for name in self.alarms if name not in self.named]


def judge(case: Case, out: Path, name: str, seed: int, relion: bool) -> Run:
    """Simulate, make the sets, judge them, and print the row."""
    begun = time.monotonic()
    data = out / f"{name}_{seed}"
    truth = simulate(case, data / "tomograms", seed)
    generator = np.random.default_rng(seed)
    diameter = built_in_species(case.species, VOXEL_SIZE).diameter_ang
    shift = np.array(case.shift_xyz or random_shift(generator))
    planted = {n: planted_shift(n, shift) for n in case.sets}
    make_sets(case, truth, data / "sets", shift, diameter, generator)
    judged = with_relion if relion else without_relion
    run = judged(case, data, planted, diameter, seed)
    cells = [
        name,
        str(seed),
        " ".join(f"{v:+.1f}" for v in shift),
        "; ".join(
            f"{n} {' '.join(f'{m:+.2f}±{e:.2f}' for m, e in zip(*o, strict=True))}"
            for n, o in run.offsets.items()
        ),
        f"named {run.named}, undecided {run.undecided}, false {run.false}",
        f"{time.monotonic() - begun:.0f} s",
    ]
    print("| " + " | ".join(cells) + " |", flush=True)
    for text in run.texts:
        print("    " + text)
    return run


def planted_shift(set_name: str, shift: np.ndarray) -> np.ndarray:
    """Return ``(3,)``: how far a set of this name is moved."""
    if not set_name.startswith("moved"):
        return np.zeros(3)
    return -shift if set_name.endswith("back") else shift


def random_shift(generator: np.random.Generator) -> np.ndarray:
    """Return ``(3,)``: 1.5 to 4 voxels in any direction."""
    way = generator.normal(size=3)
    return generator.uniform(1.5, 4.0) * way / np.linalg.norm(way)


def simulate(case: Case, folder: Path, seed: int) -> Truth:
    """Make three tomograms, if they are not there, and return their truth."""
    command = [
        *(sys.executable, "-m", "etpicker_plugin.engine", "simulate"),
        *("--out", str(folder), "--tomograms", "3", "--seed", str(seed)),
        *("--shape", *map(str, SHAPE), "--voxel-size", str(VOXEL_SIZE)),
        *("--species", case.species, *case.others),
        *("--particles", str(case.particles), "--snr", str(case.snr)),
    ]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    truth = {}
    for path in sorted(folder.glob("sim_??.csv")):
        with path.open(encoding="utf-8") as stream:
            rows = [r for r in csv.DictReader(stream) if r["class"] == case.species]
        places = np.array([[float(r[a]) for a in "xyz"] for r in rows])
        turns = [[float(r[a]) for a in ("qx", "qy", "qz", "qw")] for r in rows]
        truth[path.stem] = places, Rotation.from_quat(turns)
    return truth


def make_sets(
    case: Case,
    truth: Truth,
    out: Path,
    shift: np.ndarray,
    diameter: float,
    generator: np.random.Generator,
) -> None:
    """Write every set as a folder of CSVs."""
    for name, (centres, turns) in truth.items():
        places = centres + turns.apply(case.point_ang) / VOXEL_SIZE
        for number, set_name in enumerate(case.sets):
            own = places[number::2] if case.apart else places
            found = pick(own, set_name, shift, diameter, generator)
            inside = ((found >= 0) & (found <= SHAPE - 1)).all(axis=1)
            write_set(out / set_name / f"{name}.csv", found[inside], case.species)


def pick(
    places: np.ndarray,
    set_name: str,
    shift: np.ndarray,
    diameter: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return a set's xyz picks of particles at ``(N, 3)`` places, as its name says."""
    found = places + planted_shift(set_name, shift)
    if set_name.endswith("jittered"):
        found = found + generator.normal(0, JITTER_VOX, places.shape)
    if set_name == "wide":
        found = found + generator.normal(0, diameter / 4 / VOXEL_SIZE, places.shape)
    if set_name == "scattered":
        way = generator.normal(size=places.shape)
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        found = found + way * diameter / 4 / VOXEL_SIZE
        false = generator.random(len(places)) < FALSE_SHARE
        found[false] = generator.uniform(0, SHAPE - 1, (int(false.sum()), 3))
    return found


def write_set(path: Path, places: np.ndarray, class_name: str) -> None:
    """Write xyz places of one tomogram."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{class_name},{x:.3f},{y:.3f},{z:.3f}" for x, y, z in places]
    path.write_text("\n".join(["class,x,y,z", *lines]) + "\n", encoding="utf-8")


def without_relion(
    case: Case, data: Path, planted: dict[str, np.ndarray], diameter: float, seed: int
) -> Run:
    """Measure the origins alone."""
    sets = read_pick_sets(
        {name: str(data / "sets" / name) for name in case.sets},
        [str(path) for path in sorted((data / "tomograms").glob("*.mrc"))],
        class_name=case.species,
        voxel_size=None,
    )
    geometry = choose_geometry(diameter, sets.voxel_size, None)
    members = join_all(sets, max_distance_ang=diameter / 2)
    candidates = gather_candidates(
        sets, members, geometry=geometry, max_particles=500, seed=seed
    )
    origins = measure_origins(
        sets,
        members,
        candidates,
        geometry=geometry,
        invert=True,
        max_distance_vox=diameter / 2 / sets.voxel_size,
        seed=seed,
    )
    return Run(
        planted=planted,
        offsets={n: as_array(o) for n, o in origins.offsets.items()},
        alarms=[n for n in origins.offsets if origins.alarming_axes(n)],
        undecided=sorted({n for pair in origins.undecided() for n in pair}),
    )


def as_array(offset: Offset) -> np.ndarray:
    """Return ``(2, 3)``: an offset and its error, xyz."""
    return np.array([offset.mean_xyz, offset.standard_error_xyz])


def with_relion(
    case: Case, data: Path, planted: dict[str, np.ndarray], diameter: float, seed: int
) -> Run:
    """Run the whole command and read what it wrote."""
    out = data / ("verdict_with_reference" if case.reference else "verdict")
    command = [
        *(sys.executable, "-m", "etpicker_plugin.engine", "validate", "--picks"),
        *(f"{name.replace(' ', '_')}={data / 'sets' / name}" for name in case.sets),
        *("--tomogram", *map(str, sorted((data / "tomograms").glob("*.mrc")))),
        *("--diameter", f"{case.species}={diameter}", "--tilt-range", "-60", "60"),
        *("--seed", str(seed), "--out", str(out)),
    ]
    if case.iterations:
        command += ["--iterations", str(case.iterations)]
    if case.reference:
        write_reference(case, data / "reference.mrc")
        command += ["--reference", str(data / "reference.mrc")]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    record = json.loads((out / "verdict.json").read_text(encoding="utf-8"))
    found = {name: record["sets"][name.replace(" ", "_")] for name in case.sets}
    wrong = [name for name, one in found.items() if one["origin_alarm"]]
    apart = [pair for pair in record["distances"] if pair["alarm"]]
    return Run(
        planted=planted,
        offsets={
            name: np.array([s["origin_shift_voxels"], s["origin_shift_error_voxels"]])
            for name, s in found.items()
        },
        alarms=wrong,
        undecided=sorted(
            {
                pair[side].replace("_", " ")
                for pair in apart
                for side in ("first", "second")
                if not {pair["first"], pair["second"]}
                & {name.replace(" ", "_") for name in wrong}
            }
        ),
        texts=record["alarms"],
    )


def write_reference(case: Case, path: Path) -> None:
    """Write the species' map, its centre of mass in the middle, once."""
    if path.exists():
        return
    species = built_in_species(case.species, VOXEL_SIZE)
    size = 2 * (species.density.shape[0] // 2 + 8)
    volume = np.zeros((size,) * 3, np.float32)
    part = tuple(slice(4, 4 + n) for n in species.density.shape)
    volume[part] = species.density
    middle = species.centre_of_mass_zyx + 4
    moved = ndimage.shift(volume, size // 2 - middle, order=1)
    write_volume(path, moved.astype(np.float32), VOXEL_SIZE)


def sum_of(name: str, runs: list[Run]) -> str:
    """Return a case's row: counts, errors of the offsets, and in standard errors."""
    sure = [
        (run.offsets[n][0] - run.planted[n], run.offsets[n][1])
        for run in runs
        for n in run.planted
    ]
    errors = np.array([error for error, _ in sure])
    scores = errors / np.array([known for _, known in sure])
    precise = np.array([e for e, k in sure if k.max() < 0.5])
    cells = [
        name,
        str(len(runs)),
        str(sum(len(run.wrong) for run in runs)),
        str(sum(len(run.named) for run in runs)),
        str(sum(bool(run.undecided) for run in runs)),
        str(sum(len(run.false) for run in runs)),
        f"{np.sqrt((precise**2).mean()):.2f}" if len(precise) else "-",
        f"{np.sqrt((scores**2).mean()):.2f} (at most {np.abs(scores).max():.1f})",
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
