"""Picking from file to coordinates: voxels per second, shares, memory, roofline.

    python benchmarks/picking.py MODEL SOURCE OUT [--sizes 2 8 47 380]

SOURCE is a tomogram whose voxels are repeated to fill volumes of 2, 8, 47 and 380
million int16 voxels, so that the picks are as dense as on real data. Every row is a
process of its own, start-up included: ``etpicker pick`` with MODEL; with an untrained
network of the published kind in its place; and, on the smallest volume, that network
run the way its authors' program does (``published_way.py``, one class). What the latter
would take for the larger volumes follows from their number of blocks. Prints a table
and writes OUT/picking.json.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import numpy as np

SHAPES = {
    2: (64, 176, 184),
    8: (100, 280, 290),
    47: (180, 512, 512),
    380: (362, 1024, 1024),
}
TIMED = {
    "reading": (
        "volumes.working_volume.WorkingVolume.read",
        "picking.one_tomogram.open_working_volume",
        "picking.records.Inputs.run",
    ),
    "nms": ("picking.find.find_peaks",),
    "choosing": ("picking.one_tomogram.choose",),
    "writing": ("picking.one_tomogram.write_picks",),
    "all": ("picking.pick.pick",),
}
PARTS = ("reading", "network", "nms", "choosing", "writing")


def make_volume(source: Path, path: Path, shape: tuple[int, int, int]) -> None:
    """Fill an int16 volume with a tomogram's voxels, plane by plane."""
    import mrcfile

    if path.exists():
        return
    with mrcfile.open(source) as mrc:
        data, voxel_size = mrc.data, float(mrc.voxel_size.x)
    partial = path.with_suffix(".part")
    with mrcfile.new_mmap(partial, shape, mrc_mode=1, overwrite=True) as mrc:
        mrc.voxel_size = voxel_size
        mrc.set_volume()
        rows = np.arange(shape[1]) % data.shape[1]
        columns = np.arange(shape[2]) % data.shape[2]
        for z in range(shape[0]):
            mrc.data[z] = data[z % len(data)][np.ix_(rows, columns)]
    partial.replace(path)


def make_untrained(model: Path, path: Path) -> None:
    """Write a model with the published network, untrained, and MODEL's card."""
    from etpicker_plugin.engine.model.model_file import load_model, save_model
    from etpicker_plugin.engine.model.network import make_network

    if path.exists():
        return
    _, card = load_model(model)
    network = make_network("deepetpicker", len(card.classes))
    save_model(path, network, dataclasses.replace(card, network="deepetpicker"))


def child(words: list[str]) -> dict:
    """Run this script as a process; return its result with wall time and memory."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).resolve()), *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status:
        sys.exit(f"{' '.join(words)} failed.")
    result = json.loads(output.splitlines()[-1])
    return {
        **result,
        "wall_s": wall,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_rss_mb": usage.ru_maxrss / 1024,
    }


def timed_pick(words: list[str]) -> dict:
    """Run ``etpicker pick`` in this process; return the seconds of its parts."""
    from etpicker_plugin.engine import cli

    cli.COMMANDS["pick"].load()
    seconds = clock_parts()
    status = cli.main(["pick", *words])
    if status:
        sys.exit(status)
    seconds["network"] = seconds.pop("all")
    return {"seconds": seconds, "engine_s": sum(seconds.values())}


def clock_parts(wait: Callable[[], object] = lambda: None) -> dict[str, float]:
    """Put a clock around each part of picking; return what they show, in seconds.

    A part's time is its own: what another part takes within it is that one's.
    ``wait`` returns when a device that works behind the program has finished.
    """
    seconds: dict[str, float] = defaultdict(float)
    within: list[float] = []
    for part, names in TIMED.items():
        for name in names:
            _clock_calls(name, part, seconds, within, wait)
    return seconds


def _clock_calls(
    name: str,
    part: str,
    seconds: dict[str, float],
    within: list[float],
    wait: Callable[[], object],
) -> None:
    """Replace a function of the engine by itself with a clock."""
    import importlib

    owner_name, _, function_name = name.rpartition(".")
    owner_name = "etpicker_plugin.engine." + owner_name
    try:
        owner: object = importlib.import_module(owner_name)
    except ModuleNotFoundError:
        module, _, class_name = owner_name.rpartition(".")
        owner = getattr(importlib.import_module(module), class_name)
    function: Callable = getattr(owner, function_name)

    @wraps(function)
    def with_clock(*arguments: object, **named: object) -> object:
        wait()
        began = time.perf_counter()
        within.append(0.0)
        try:
            return function(*arguments, **named)
        finally:
            wait()
            took = time.perf_counter() - began
            seconds[part] += took - within.pop()
            if within:
                within[-1] += took

    setattr(owner, function_name, with_clock)


def published_pick(path: Path, most_blocks: int) -> dict:
    """Run the published network the published way in this process."""
    import torch
    from published_way import pick

    from etpicker_plugin.engine.device import choose_device
    from etpicker_plugin.engine.model.deepetpicker_network import DeepETPickerNetwork

    choose_device("cpu")
    torch.manual_seed(0)
    network = DeepETPickerNetwork(1).eval().requires_grad_(False)
    return pick(path, network, most_blocks=most_blocks)


def run_all(
    model: Path, source: Path, out: Path, sizes: list[int], reference_blocks: int
) -> dict:
    """Measure every row."""
    from published_way import all_blocks

    out.mkdir(parents=True, exist_ok=True)
    untrained = out / "untrained.safetensors"
    make_untrained(model, untrained)
    rows: list[dict] = []
    result = {"machine": child(["--machine"]), "rows": rows}
    for size in sizes:
        path, shape = out / f"volume_{size}.mrc", SHAPES[size]
        make_volume(source, path, shape)
        shared = {
            "mvoxel": float(np.prod(shape)) / 1e6,
            "shape_zyx": shape,
            "blocks": len(all_blocks(shape)),
        }
        ways = {"default": lambda path=path: pick_row(model, path)}
        if size in sizes[:2]:
            ways["published network, our way"] = lambda path=path: pick_row(
                untrained, path, "--threshold", *_no_picks(model)
            )
        if size == sizes[0]:
            ways["reference"] = lambda path=path: published_row(path, reference_blocks)
        for way, run in ways.items():
            rows.append({**shared, "way": way, **run()})
            (out / "picking.json").write_text(json.dumps(result, indent=1))
    return result


def published_row(path: Path, most_blocks: int) -> dict:
    """Run the published network the published way; return the row."""
    row = child(["--published", str(path), str(most_blocks)])
    row["wall_s"] -= row.pop("not_counted_s")
    row["cpu_s"] -= row.pop("not_counted_cpu_s")
    return row


def pick_row(model: Path, path: Path, *more: str) -> dict:
    """Pick a volume into a new folder; return the row."""
    folder = path.with_name(f"picks_{path.stem}_{time.time_ns()}")
    words = ["--model", model, "--tomogram", path, "--out", folder, *more]
    row = child(["--pick", *map(str, words)])
    with (folder / f"{path.stem}.csv").open(encoding="utf-8") as stream:
        return {**row, "picks": sum(1 for _ in stream) - 1}


def _no_picks(model: Path) -> list[str]:
    """Return thresholds that an untrained network's peaks seldom reach."""
    from etpicker_plugin.engine.model.card import read_card

    return [f"{name}=0.9" for name in read_card(model).class_names()]


def times_the_reference(row: dict, reference: dict | None) -> str:
    """Return the reference's time for a row's volume over the row's, wall (CPU)."""
    if reference is None:
        return "-"
    more = row["blocks"] / reference["blocks_done"] - 1
    wall = reference["wall_s"] + more * sum(reference["seconds"].values())
    cpu = reference["cpu_s"] + more * reference["blocks_cpu_s"]
    return f"{wall / row['wall_s']:.1f} ({cpu / row['cpu_s']:.1f})"


def print_tables(result: dict) -> None:
    """Print the rows and the roofline, as Markdown."""
    rows, machine = result["rows"], result["machine"]
    reference = next((row for row in rows if row["way"] == "reference"), None)
    print(
        "| Mvoxel | way | s | CPU s | Mvoxel/s | times the reference (CPU) "
        "| start-up, s "
        "| " + " | ".join(PARTS) + " | peak MB | picks |"
    )
    print("|---" * (9 + len(PARTS)) + "|")
    for row in rows:
        parts = row["seconds"]
        start_up = row["wall_s"] - sum(parts.values())
        done = row["mvoxel"] * row.get("blocks_done", row["blocks"]) / row["blocks"]
        shares = " | ".join(
            f"{100 * parts.get(p, 0) / row['wall_s']:.0f} %" for p in PARTS
        )
        print(
            f"| {row['mvoxel']:.1f} | {row['way']} | {row['wall_s']:.1f} "
            f"| {row['cpu_s']:.1f} | {done / row['wall_s']:.3f} "
            f"| {times_the_reference(row, reference)} | {start_up:.1f} "
            f"| {shares} | {row['peak_rss_mb']:.0f} | {row['picks']} |"
        )
    print(
        f"\nbfloat16 {machine['bfloat16_gflop_per_s']:.0f} GFLOP/s, float32 "
        f"{machine['float32_gflop_per_s']:.0f} GFLOP/s (matrices of 4096²), "
        f"{machine['gbyte_per_s']:.1f} GB/s (copying 1 GB)\n"
    )
    print(
        "| network | kFLOP per voxel | bytes per voxel | at the matrix rate, "
        "Mvoxel/s | at the bandwidth, Mvoxel/s | measured, network alone |"
    )
    print("|---|---|---|---|---|---|")
    for name, way in (
        ("fast", "default"),
        ("deepetpicker", "published network, our way"),
    ):
        work = machine["networks"][name]
        best = max(
            (r["mvoxel"] / r["seconds"]["network"] for r in rows if r["way"] == way),
            default=float("nan"),
        )
        print(
            f"| {name} | {work['kflop']:.1f} | {work['bytes_bfloat16']:.0f} "
            f"| {machine['bfloat16_gflop_per_s'] / work['kflop']:.1f} "
            f"| {1e3 * machine['gbyte_per_s'] / work['bytes_bfloat16']:.1f} "
            f"| {best:.2f} |"
        )
    print("\nGPU: not measured.")


def main() -> None:
    """Run as the benchmark, or as one of its own processes."""
    role = sys.argv[1] if len(sys.argv) > 1 else ""
    if role == "--pick":
        print(json.dumps(timed_pick(sys.argv[2:])))
    elif role == "--published":
        print(json.dumps(published_pick(Path(sys.argv[2]), int(sys.argv[3]))))
    elif role == "--machine":
        from roofline import machine_and_networks

        print(json.dumps(machine_and_networks()))
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        for name in ("model", "source", "out"):
            parser.add_argument(name, type=Path)
        parser.add_argument("--sizes", type=int, nargs="+", default=list(SHAPES))
        parser.add_argument("--reference-blocks", type=int, default=1000)
        arguments = parser.parse_args()
        result = run_all(**vars(arguments))
        print_tables(result)


if __name__ == "__main__":
    main()
