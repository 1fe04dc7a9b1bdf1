"""What kills and full disks leave: nothing broken, nothing lost, the same results.

    python benchmarks/reliability.py OUT [--kills 20] [--disks 8] [--seed 0]

Runs real commands on small phantoms. Each is run once undisturbed. Then it is killed
(kill -9) at a random moment, again and again in new folders, and run a second time in
the same folder. Then it runs on a disk that is too small by a random amount, and a
second time after that disk has grown; that takes a tmpfs, and root. What the second
run leaves is compared with the undisturbed one's: the same files with the same bytes
(a model: the same weights), and no others. Prints a table for docs/benchmarks.md.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from safetensors import safe_open  # noqa: E402

from etpicker_plugin.tests.support.phantoms import (  # noqa: E402
    DIAMETERS,
    make_phantoms,
)

PASSED = ("records", "error.json", "finished.json", "progress.jsonl")
DATED = (".json", ".png", ".html", ".npz")
"""What holds times, paths or the way it was come to: its presence is compared."""
ENOUGH = "2g"
DISK_FULL = 5


@dataclass
class Case:
    """A command without ``--out``, and what it has come to."""

    name: str
    words: list[str]
    seconds: float = 0.0
    size: int = 0
    results: dict[str, str] | None = None


def command_of(case: Case, out: Path) -> list[str]:
    """Return the words that run a case."""
    words = [sys.executable, "-m", "etpicker_plugin.engine", *case.words]
    return [*words, "--out", str(out)]


def start(case: Case, out: Path) -> subprocess.Popen[str]:
    """Start a case in a process group of its own."""
    return subprocess.Popen(
        command_of(case, out),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(case: Case, out: Path) -> tuple[int, str]:
    """Run a case to its end; return exit code and messages."""
    process = start(case, out)
    _, messages = process.communicate()
    return process.returncode, messages


def results_in(out: Path) -> dict[str, str]:
    """Return what each file holds, in short, by its name."""
    files = [p for p in sorted(out.rglob("*")) if p.is_file()]
    names = {str(p.relative_to(out)): p for p in files}
    return {
        name: _digest(path)
        for name, path in names.items()
        if not set(Path(name).parts) & set(PASSED)
    }


def _digest(path: Path) -> str:
    if path.suffix in DATED:
        return ""
    if path.suffix == ".mrc":  # Without its labels, which hold the date.
        data = path.read_bytes()
        return hashlib.sha256(data[:220] + data[1024:]).hexdigest()
    if path.suffix == ".star":
        lines = path.read_bytes().splitlines()
        kept = [line for line in lines if not line.startswith(b"#")]
        return hashlib.sha256(b"\n".join(kept)).hexdigest()
    if path.suffix != ".safetensors":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    with safe_open(path, framework="np") as opened:
        for name in sorted(opened.keys()):
            digest.update(opened.get_tensor(name).tobytes())
    return digest.hexdigest()


def measure(case: Case, out: Path) -> None:
    """Run a case undisturbed, and note what it takes and makes."""
    shutil.rmtree(out, ignore_errors=True)
    began = time.monotonic()
    code, messages = finish(case, out)
    if code:
        sys.exit(f"{case.name} ended with {code}:\n{messages}")
    case.seconds = time.monotonic() - began
    case.results = results_in(out)
    case.size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
    print(f"{case.name}: {case.seconds:.1f} s, {case.size / 1e6:.2f} MB", flush=True)


def judge(case: Case, out: Path, code: int, messages: str) -> str:
    """Return what a second run has come to, in a word."""
    if "Traceback" in messages or code < 0:
        return f"broken: {messages[-600:]}"
    if code:
        return f"ended with {code}: {messages[-300:]}"
    found = results_in(out)
    if set(found) != set(case.results):
        return f"other files: {sorted(set(found) ^ set(case.results))}"
    other = [name for name, digest in found.items() if digest != case.results[name]]
    return f"others' bytes: {other}" if other else "the same"


def kill_once(case: Case, out: Path, draw: random.Random) -> str:
    """Kill a case at a random moment, sometimes twice, and run it to its end."""
    left = draw.choice((1, 1, 2))
    shutil.rmtree(out, ignore_errors=True)
    while left:
        process = start(case, out)
        time.sleep(draw.uniform(0, case.seconds))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if (out / "records" / "finished.json").exists():
            shutil.rmtree(out)  # It had done its work: that is no kill.
        else:
            left -= 1
    return judge(case, out, *finish(case, out))


def fill_once(case: Case, disk: Path, draw: random.Random) -> str:
    """Run a case on a disk that is too small, let the disk grow, and run it again."""
    disk.mkdir(exist_ok=True)
    size = 4096 * max(2, int(draw.uniform(0.02, 0.9) * case.size / 4096))
    _mount(disk, f"size={size}")
    try:
        code, messages = finish(case, disk / "out")
        if "Traceback" in messages or code not in (0, DISK_FULL):
            return f"a full disk of {size}: ended with {code}: {messages[-600:]}"
        if code and "is free" not in messages:
            return f"a full disk of {size} without advice: {messages[-300:]}"
        _mount(disk, f"remount,size={ENOUGH}")
        word = judge(case, disk / "out", *finish(case, disk / "out"))
        return word if code else f"{word} (there was room)"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _mount(disk: Path, options: str) -> None:
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
    subprocess.run(words, check=True)


def repeat(what: Callable[[], str], times: int) -> Counter[str]:
    """Return how often something came to what."""
    words: Counter[str] = Counter()
    for _ in range(times):
        words[what()] += 1
    return words


def make_cases(data: Path) -> list[Case]:
    """Make tomograms and a model; return the commands to disturb."""
    data.mkdir(parents=True, exist_ok=True)
    make_phantoms(data)
    names = ("TS_a", "TS_b", "TS_c")
    tomograms = [str(data / f"{name}.mrc") for name in names]
    lists = [str(data / f"{name}.csv") for name in names]
    sizes = [f"{name}={diameter}" for name, diameter in DIAMETERS.items()]
    marks = ["--tomogram", tomograms[0], "--coordinates", lists[0]]
    short = "--batch-size 2 --patch-size 32 --threads 1 --device cpu --steps 10".split()
    small = ["--exemplar-budget", "1"]
    coarse = ["--diameter", *sizes, "--working-voxel-size", "15"]
    frame = ["--tomogram", *tomograms]
    train = Case("train", ["train", *marks, *coarse, *short, *small])
    measure(train, data / "model")
    model = ["--model", str(data / "model" / "model.safetensors")]
    pick = ["pick", *model, *frame, "--tile-size", "32", "--probability-map"]
    formats = "--input-format csv --output-format relion5 --binning 1".split()
    boxes = ["--box-size", "24", "--tilt-range", "-60", "60"]
    return [
        train,
        Case("pick", [*pick, "--threads", "1", "--max-picks", "40"]),
        Case("convert", ["convert", "--input", *lists, *formats, *frame]),
        Case(
            "extract",
            ["extract", *frame, "--coordinates", *lists, "--diameter", *sizes, *boxes],
        ),
        Case("update", ["update", *model, *marks, *short, *small]),
    ]


def main() -> None:
    """Disturb every command, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--disks", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", help="some of the commands")
    given = parser.parse_args()
    out = given.out.resolve()
    cases = make_cases(out / "data")
    rows = []
    for case in cases:
        if given.only and case.name not in given.only:
            continue
        draw = random.Random(f"{given.seed} {case.name}")
        measure(case, out / "whole" / case.name)
        kill = partial(kill_once, case, out / "killed", draw)
        fill = partial(fill_once, case, out / "disk", draw)
        killed = repeat(kill, given.kills)
        print(f"{case.name} killed: {dict(killed)}", flush=True)
        full = repeat(fill, given.disks if os.geteuid() == 0 else 0)
        print(f"{case.name} on full disks: {dict(full)}", flush=True)
        rows.append((case.name, killed, full))
    print("\n| Command | Killed | the same results | Full disks | the same results |")
    print("|---|---|---|---|---|")
    for name, killed, full in rows:
        same = sum(n for word, n in full.items() if word.startswith("the same"))
        print(
            f"| {name} | {killed.total()} | {killed['the same']} | {full.total()} | "
            f"{same} |"
        )


if __name__ == "__main__":
    main()
