"""What other pretrained weights would do, in place of those of the package.

    python pretraining/judge_weights.py WEIGHTS DATA OUT [--share 0.5 1] [--what ...]

Mixes the weights with the package's, (1 - share) package + share WEIGHTS, puts the
mixture into a copy of the package, OUT/SHARE/package, and runs the benchmarks with it:
one click, few clicks learnt for 60 steps, six classes learnt for 400, and clicks on
real ribosomes. DATA holds dev/ and real/. What is finished is not done again.
"""

import argparse
import csv
import json
import logging
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import mean

import numpy as np
from safetensors.torch import load_file, save

import etpicker_plugin
from etpicker_plugin.engine.evaluation.matching import match_picks
from etpicker_plugin.engine.model.pretrained import WEIGHTS

logger = logging.getLogger(__name__)

BENCHMARKS = Path(__file__).absolute().parents[1] / "benchmarks"
PARTS = ("one_click", "real", "few_clicks", "six_classes")
REAL = "EMPIAR-11658_tomo171_bin16"
REAL_DIAMETER, TRAIN_Y, TEST_Y = 290, 128, 136
REAL_CLICKS, REAL_SEEDS, REAL_COUNTS = (1, 3, 10), (1, 2, 3, 4), (324, 432)


def mix(weights: Path, share: float, package: Path) -> None:
    """Write a copy of the package, with mixed weights in it."""
    if package.exists():
        return
    source = Path(etpicker_plugin.__file__).parent
    copied = package / source.name
    shutil.copytree(source, copied, ignore=shutil.ignore_patterns("__pycache__"))
    first, second = load_file(str(WEIGHTS)), load_file(str(weights))
    mixed = {
        name: ((1 - share) * value.double() + share * second[name].double()).to(
            value.dtype
        )
        for name, value in first.items()
    }
    into = copied / WEIGHTS.relative_to(source)
    into.unlink()
    into.write_bytes(save(mixed))


class Judge:
    """Runs things with a copy of the package."""

    def __init__(self, package: Path, data: Path, out: Path) -> None:
        self._data, self._out = data, out
        self._environment = {**os.environ, "PYTHONPATH": str(package)}

    def run(self, *words: object) -> None:
        """Run Python with these words; its output goes to OUT/log."""
        with (self._out / "log").open("a") as log:
            command = [sys.executable, *map(str, words)]
            subprocess.run(
                command,
                check=True,
                cwd=self._out,  # not where another copy would come first
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def benchmark(self, name: str, folder: str, *words: object) -> dict[str, dict]:
        """Run a benchmark on the dev tomograms; return its results."""
        out = self._out / folder
        self.run(BENCHMARKS / f"{name}.py", self._data / "dev", out, *words)
        found: dict[str, dict] = json.loads((out / "results.json").read_text())
        return found

    def one_click(self) -> None:
        """Print F1 at the own and at the best threshold, and average precision."""
        found = self.benchmark("one_click", "one_click", "--clicks", 1, 5)
        for kind in dict.fromkeys(name.rsplit(" ", 1)[0] for name in found):
            of_kind = [m for name, m in found.items() if name.startswith(kind + " ")]
            self._tell(f"one click: {kind}", of_kind)

    def few_clicks(self) -> None:
        """Print the same after 60 steps."""
        words = ("--clicks", 5, 20, "--seeds", 1, 2, "--annotations", "sparse")
        found = self.benchmark("label_efficiency", "few_clicks", *words)
        for clicks in (5, 20):
            of_kind = [
                result["classes"]["5mrc"]
                for name, result in found.items()
                if name.startswith(f"{clicks} ")
            ]
            self._tell(f"60 steps: ribosome {clicks}", of_kind)

    def six_classes(self) -> None:
        """Print the same of the six classes after 400 steps."""
        words = ("--steps", 400, "--seed", 2, "--cases", "fast")
        found = self.benchmark("dev_accuracy", "six_classes", *words)["fast"]
        for name, metrics in found["classes"].items():
            self._tell(f"400 steps: {name}", [metrics])

    def real(self) -> None:
        """Print the recall of real ribosomes after clicks on the other half."""
        with (self._data / "real" / f"{REAL}.csv").open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        truth = np.array([[float(row[k]) for k in "zyx"] for row in rows])
        for clicks in REAL_CLICKS:
            found = [self._real(truth, clicks, seed) for seed in REAL_SEEDS]
            means = np.mean(found, axis=0)
            self._say(
                f"real ribosomes {clicks}: recall at {REAL_COUNTS} "
                f"{means[0]:.3f} {means[1]:.3f}"
            )

    def _real(self, truth: np.ndarray, clicks: int, seed: int) -> list[float]:
        folder = self._out / f"real_{clicks}_{seed}"
        tomogram = self._data / "real" / f"{REAL}.mrc"
        picks = folder / "picks" / f"{REAL}.csv"
        if not picks.exists():
            folder.mkdir(exist_ok=True)
            chosen = random.Random(seed).sample(
                truth[truth[:, 1] < TRAIN_Y].tolist(), clicks
            )
            lines = ["class,x,y,z", *(f"80S,{x},{y},{z}" for z, y, x in chosen)]
            (folder / f"{REAL}.csv").write_text("\n".join(lines) + "\n")
            words = ("-m", "etpicker_plugin.engine")
            shutil.rmtree(folder / "model", ignore_errors=True)
            self.run(
                *(*words, "train", "--instant", "--tomogram", tomogram),
                *("--coordinates", folder / f"{REAL}.csv"),
                *("--diameter", f"80S={REAL_DIAMETER}", "--out", folder / "model"),
            )
            self.run(
                *(*words, "pick", "--model", folder / "model" / "model.safetensors"),
                *("--tomogram", tomogram, "--max-picks", 2000),
                *("--out", folder / "picks"),
            )
        with picks.open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        rows.sort(key=lambda row: -float(row["score"]))
        found = np.array([[float(row[k]) for k in "zyx"] for row in rows])
        found, listed = found[found[:, 1] >= TEST_Y], truth[truth[:, 1] >= TEST_Y]
        return [
            len(match_picks(found[:n], listed, max_distance=4.0).distances)
            / len(listed)
            for n in REAL_COUNTS
        ]

    def _tell(self, what: str, metrics: list[dict]) -> None:
        keys = ("f1", "best_f1", "average_precision", "mean_distance_voxels")
        values = (mean(m[key] or 0.0 for m in metrics) for key in keys)
        self._say(what + ": " + " ".join(f"{value:.3f}" for value in values))

    def _say(self, line: str) -> None:
        logger.info(line)


def main() -> None:
    """Mix and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--share", type=float, nargs="+", default=[0.5, 1.0])
    parser.add_argument("--what", nargs="+", choices=PARTS, default=list(PARTS))
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logger.info("F1, best F1, average precision, distance (voxels)")
    for share in arguments.share:
        out = (arguments.out / f"{share:g}").absolute()
        mix(arguments.weights, share, out / "package")
        logger.info("share %g", share)
        for part in arguments.what:
            getattr(Judge(out / "package", arguments.data.absolute(), out), part)()


if __name__ == "__main__":
    main()
