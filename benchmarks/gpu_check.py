"""The GPU's check: its tests, then what it makes of picking and learning.

    python benchmarks/gpu_check.py OUT [--device cuda] [--quick] [--no-tests]

One command for a machine with the engine's needs alone (no Scipion, no window), in at
most eight minutes. Makes its own data. ``tests/device`` is run first; then are
measured, in this process with a loaded model unless it says otherwise: picking a
tomogram of 200 × 512 × 512 int16 voxels from file to coordinates, and its parts; steps
of training; and the whole command ``etpicker train`` with 20 clicked ribosomes, with
the F1 of its model, here and on the CPU. Prints tables for docs/benchmarks.md and
writes OUT/gpu_check.json. ``--device cpu --quick`` proves that it runs.
"""

import argparse
import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import torch
from picking import clock_parts, make_volume
from roofline import finish, machine_and_networks

from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.device import choose_device, describe_device
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.model.network import make_network, place_network
from etpicker_plugin.engine.picking import pick as picking
from etpicker_plugin.engine.picking.one_tomogram import pick_tomogram
from etpicker_plugin.engine.training.fit import learn_from_labels
from etpicker_plugin.engine.training.parallel import only_logits
from etpicker_plugin.engine.training.patches import Batch
from etpicker_plugin.engine.training.ranks import Ranks
from etpicker_plugin.engine.training.weights import make_weights, take_step

ROOT = Path(__file__).resolve().parent.parent
SHAPE_ZYX = (200, 512, 512)
SPECIES = ("ribosome", "proteasome", "ring", "globule")
CLICKED, DIAMETER_ANG, CLICKS = "ribosome", 323, 20
SIMULATED = ("--shape", "200", "184", "64", "--particles", "14", "--snr", "0.1")
STEPS = 60
PATCH, BATCH = 64, 4
QUICK = {
    "simulated": ("--shape", "150", "140", "64", "--particles", "3"),
    "shape": (40, 72, 88),
    "steps": 4,
    "picks": 2,
    "timed_steps": 2,
}


def etpicker(*words: object) -> float:
    """Run one command of the product; return its seconds."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "etpicker_plugin.engine", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return time.perf_counter() - began


def run_tests() -> str:
    """Run the device's tests; return the last line of what they say."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:warnings"]
    command += ["-p", "no:cacheprovider", "--durations=12", "tests/device"]
    done = subprocess.run(
        command, cwd=ROOT, text=True, capture_output=True, check=False
    )
    print(done.stdout, done.stderr, sep="\n", flush=True)
    return done.stdout.strip().splitlines()[-1]


def simulate(out: Path, how: tuple[str, ...]) -> list[Path]:
    """Return three tomograms with their truth beside them, the last for testing."""
    words = ("--species", *SPECIES, "--tomograms", 3, "--name", "sim", "--seed", 7)
    etpicker("simulate", "--out", out, *words, *how)
    return [out / f"sim_{number:02d}.mrc" for number in (1, 2, 3)]


def write_marks(tomogram: Path, path: Path, *, only: str | None, most: int) -> int:
    """Write the marks of one class, or all, so many at most; return how many."""
    header, *lines = tomogram.with_suffix(".csv").read_text().splitlines()
    column = header.split(",").index("class")
    kept = [line for line in lines if only in (None, line.split(",")[column])][:most]
    path.write_text("\n".join([header, *kept]) + "\n")
    return len(kept)


def learn_clicks(
    tomograms: list[Path], folder: Path, device: str, *, steps: int
) -> dict[str, float]:
    """Train with 20 clicks and pick, as a user would; return seconds and F1."""
    folder.mkdir(parents=True)
    marks = [folder / f"{path.stem}.csv" for path in tomograms[:2]]
    there = write_marks(tomograms[0], marks[0], only=CLICKED, most=CLICKS)
    write_marks(tomograms[1], marks[1], only=CLICKED, most=CLICKS - there)
    words = ("--tomogram", *tomograms[:2], "--coordinates", *marks)
    words += ("--diameter", f"{CLICKED}={DIAMETER_ANG}", "--annotation", "sparse")
    words += ("--steps", steps, "--device", device, "--out", folder / "model")
    train_s = etpicker("train", *words)
    model = folder / "model" / "model.safetensors"
    words = ("--model", model, "--tomogram", tomograms[2], "--device", device)
    pick_s = etpicker("pick", *words, "--out", folder / "picks")
    truth = folder / "truth.csv"
    write_marks(tomograms[2], truth, only=CLICKED, most=1000)
    words = ("--picks", folder / "picks" / f"{tomograms[2].stem}.csv")
    words += ("--truth", truth, "--diameter", f"{CLICKED}={DIAMETER_ANG}")
    etpicker("evaluate", *words, "--voxel-size", 10, "--out", folder / "evaluation")
    metrics = json.loads((folder / "evaluation" / "metrics.json").read_text())
    f1 = metrics["classes"][CLICKED]["f1"]
    return {"train_s": train_s, "pick_s": pick_s, "f1": f1}


def learn_all(tomograms: list[Path], folder: Path, device: str, *, steps: int) -> Path:
    """Return a model of all species, for picking's clocks."""
    folder.mkdir(parents=True)
    record = json.loads(tomograms[0].with_suffix(".json").read_text())
    sizes = {n: round(s["diameter_ang"]) for n, s in record["species"].items()}
    words = ("--tomogram", *tomograms[:2])
    words += ("--coordinates", *(path.with_suffix(".csv") for path in tomograms[:2]))
    words += ("--diameter", *(f"{name}={size}" for name, size in sizes.items()))
    words += ("--steps", steps, "--device", device, "--out", folder)
    etpicker("train", *words)
    return folder / "model.safetensors"


def time_picking(model: Path, volume: Path, out: Path, device: str, runs: int) -> dict:
    """Pick a tomogram again and again; return the seconds, and those of the parts."""
    config = PickConfig(
        model=str(model), tomogram=(str(volume),), out=str(out), device=device
    )
    began = time.perf_counter()
    loaded, series = picking.open_model(config), picking.name_tilt_series(config)
    where = loaded.network.head.weight.device
    load_s = time.perf_counter() - began

    def once(number: int) -> float:
        folder = out / str(number)
        folder.mkdir(parents=True)
        began = time.perf_counter()
        pick_tomogram(
            str(volume),
            None,
            series=series,
            model=loaded,
            config=replace(config, out=str(folder)),
            out_dir=folder,
            on_progress=lambda event: None,
        )
        finish(where)
        return time.perf_counter() - began

    seconds = [once(number) for number in range(runs + 1)]
    parts = clock_parts(lambda: finish(where))
    whole = once(runs + 1)
    parts["network"] = whole - sum(parts.values())
    picks = read_csv(out / "0" / f"{volume.stem}.csv", tomogram_id=volume.stem)
    return {
        "load_s": load_s,
        "first_s": seconds[0],
        "seconds": seconds[1:],
        "parts": dict(parts),
        "picks": len(picks),
        "memory_mb": most_memory(where),
        "network_s": time_network(loaded.network, volume, where),
    }


def most_memory(device: torch.device) -> float:
    """Return the most memory that torch took on a GPU, MB; 0 on a CPU."""
    if device.type != "cuda":
        return 0.0
    return torch.cuda.max_memory_allocated(device) / 2**20


def time_network(network: torch.nn.Module, volume: Path, device: torch.device) -> float:
    """Return the seconds of the network alone, on voxels that lie on the device."""
    import mrcfile

    with mrcfile.open(volume, header_only=True) as mrc:
        nz, ny, nx = (int(mrc.header[key]) for key in ("nz", "ny", "nx"))
    depth = min(nz // 8 * 8, 64)
    voxels = torch.randn(1, 1, depth, ny // 8 * 8, nx // 8 * 8, device=device)
    batch = voxels.to(network.head.weight.dtype).contiguous(
        memory_format=torch.channels_last_3d
    )
    seconds = []
    with torch.inference_mode():
        for _ in range(4):
            finish(device)
            began = time.perf_counter()
            network(batch)
            finish(device)
            seconds.append(time.perf_counter() - began)
    return min(seconds) * nz / depth


def time_steps(device: torch.device, steps: int) -> float:
    """Return the seconds of a step of training, its patches being at hand."""
    generator = np.random.default_rng(0)
    shape = (BATCH, len(SPECIES), *(PATCH // 2,) * 3)
    image = generator.normal(size=(BATCH, 1, PATCH, PATCH, PATCH))
    target = generator.random(shape) > 0.99
    batch = Batch(
        torch.from_numpy(image.astype(np.float32)).to(device),
        torch.from_numpy(target.astype(np.float32)).to(device),
        torch.ones(shape, device=device),
        torch.zeros(BATCH, dtype=torch.bool),
    )
    network = place_network(make_network("fast", len(SPECIES)), device)
    weights = make_weights(
        network,
        only_logits,
        Ranks(),
        learning_rate=1e-3,
        batch_size=BATCH,
        learn_statistics=True,
    )
    seconds = []
    for _ in range(steps + 3):
        finish(device)
        began = time.perf_counter()
        take_step(weights, batch, learn_from_labels, rate=1e-3)
        finish(device)
        seconds.append(time.perf_counter() - began)
    return median(seconds[3:])


def rows_of(result: dict) -> Iterator[tuple[str, str]]:
    """Yield the rows of the table for docs/benchmarks.md: what, and how much."""
    machine, pick = result["machine"], result["picking"]
    voxels = float(np.prod(result["shape_zyx"]))
    seconds, alone = median(pick["seconds"]), pick["network_s"]
    work = machine["networks"]["fast"]["kflop"] * 1e3 * voxels
    reached = work / alone / (machine["bfloat16_gflop_per_s"] * 1e9)
    shape = " × ".join(map(str, result["shape_zyx"]))
    yield f"picking {shape}, model loaded", f"{seconds:.2f} s"
    yield "… least and most", f"{min(pick['seconds']):.2f}, {max(pick['seconds']):.2f}"
    yield "… Mvoxel/s", f"{voxels / seconds / 1e6:.0f}"
    yield "… the first time", f"{pick['first_s']:.1f} s"
    yield "loading the model", f"{pick['load_s']:.1f} s"
    for part, value in sorted(pick["parts"].items(), key=lambda p: -p[1]):
        yield f"… {part}, with clocks", f"{value:.3f} s"
    yield "network alone, voxels on the device", f"{alone:.3f} s"
    yield "… Mvoxel/s", f"{voxels / alone / 1e6:.0f}"
    yield "… share of the rate of matrices", f"{reached:.2f}"
    yield "most memory of the device", f"{pick['memory_mb']:.0f} MB"
    step = f"a step of training, {BATCH} patches of {PATCH}³"
    yield step, f"{1e3 * result['step_s']:.1f} ms"
    for where, clicks in result["clicks"].items():
        name = f"{CLICKS} clicks, {result['steps']} steps, whole command, {where}"
        yield name, f"{clicks['train_s']:.1f} s, F1 {clicks['f1']:.3f}"
    for kind in ("bfloat16", "float32"):
        rate = machine[f"{kind}_gflop_per_s"] / 1e3
        yield f"matrices, {kind}", f"{rate:.1f} TFLOP/s"
    yield "copying", f"{machine['gbyte_per_s']:.0f} GB/s"


def main() -> None:
    """Run the tests, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="small, to prove it runs")
    parser.add_argument("--no-tests", action="store_true")
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    logging.basicConfig(level=logging.WARNING)
    quick = QUICK if arguments.quick else {}
    shape, steps = quick.get("shape", SHAPE_ZYX), quick.get("steps", STEPS)
    out = arguments.out
    out.mkdir(parents=True)
    result: dict = {
        "device": describe_device(device),
        "versions": f"torch {torch.__version__}, NumPy {np.__version__}, "
        f"Python {sys.version.split()[0]}",
        "tests": None if arguments.no_tests else run_tests(),
        "shape_zyx": shape,
        "steps": steps,
    }
    tomograms = simulate(out / "data", quick.get("simulated", SIMULATED))
    model = learn_all(tomograms, out / "all", arguments.device, steps=steps)
    volume = out / "volume.mrc"
    make_volume(tomograms[2], volume, shape)
    runs = quick.get("picks", 7)
    result["picking"] = time_picking(
        model, volume, out / "picks", arguments.device, runs
    )
    result["step_s"] = time_steps(device, quick.get("timed_steps", 30))
    result["clicks"] = {
        where: learn_clicks(tomograms, out / f"clicks_{where}", where, steps=steps)
        for where in dict.fromkeys((arguments.device, "cpu"))
    }
    result["machine"] = machine_and_networks(arguments.device)
    (out / "gpu_check.json").write_text(json.dumps(result, indent=1))
    print(f"{result['device']}, {result['versions']}\n\n| | |\n|---|---|")
    for what, value in rows_of(result):
        print(f"| {what} | {value} |")
    print(f"\nTests: {result['tests'] or 'not run'}")
    if result["tests"] and "failed" in result["tests"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
