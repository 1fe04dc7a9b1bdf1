"""How long short commands take, beside another version of the code.

    python benchmarks/start_up.py MODEL TOMOGRAM OUT [--before CHECKOUT]

MODEL is a model file, TOMOGRAM an MRC file. Every command is a process of its own, run
in turn from this checkout and from the other, seven times; medians of wall time and of
the processor's time, which other work on the machine disturbs less. Prints a table.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
TIMES = 7


def commands(model: Path, tomogram: Path, out: Path) -> dict[str, list[str]]:
    """Return the commands by name; what they read is written."""
    picks = out / f"{tomogram.stem}.csv"
    picks.write_text("class,x,y,z,score\na,10,12,14,0.5\na,20,22,24,0.75\n")
    convert = f"convert --input {picks} --input-format csv --output-format txt"
    return {
        "--help": ["--help"],
        "convert, csv to txt": [*convert.split(), "--tomogram", str(tomogram)],
        "models": ["models", str(model.parent)],
        "exemplars": ["exemplars", "--model", str(model)],
    }


def timed(words: list[str], checkout: Path) -> tuple[float, float]:
    """Run a command; return its wall time and its processor's time, s."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "etpicker_plugin.engine", *words],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        check=True,
        capture_output=True,
    )
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, used


def main() -> None:
    """Time the commands and print them as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("tomogram", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--before", type=Path)
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    checkouts = [path for path in (arguments.before, HERE) if path is not None]
    named = commands(arguments.model.resolve(), arguments.tomogram.resolve(), out)
    print("| command | s, each version | of the processor |")
    print("|---|---|---|")
    for name, words in named.items():
        found = defaultdict(list)
        for turn in range(TIMES):
            for checkout in checkouts:
                fresh = out / f"{name[:4].strip('-')}_{checkout.name}_{turn}"
                more = [] if name in ("--help", "models") else ["--out", str(fresh)]
                found[checkout].append(timed([*words, *more], checkout.resolve()))
        columns = [
            " → ".join(
                f"{statistics.median(of[which] for of in found[c]):.2f}"
                for c in checkouts
            )
            for which in (0, 1)
        ]
        print(f"| `{name}` | {columns[0]} | {columns[1]} |", flush=True)


if __name__ == "__main__":
    main()
