"""What Scipion adds to picking one tomogram: seconds before and after the engine.

    python benchmarks/protocol_overhead.py [--repeats 3] [--out overhead.json]

Picks a small phantom with an untrained model, several times: as the pick protocol in a
project of its own, and with the same parameters file by the command line. The engine's
time in the protocol is from its parameters file to its finished.json; what is left of
the protocol's wall time is the overhead. Prints a table for docs/benchmarks.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
import conftest  # noqa: E402, F401, I001 - Scipion's home, before it is imported
import pyworkflow  # noqa: E402
from pyworkflow.project import Manager  # noqa: E402
from tomo.protocols import ProtImportTomograms  # noqa: E402

from etpicker_plugin.protocols import (  # noqa: E402
    ProtEtPickerImportModel,
    ProtEtPickerPick,
)
from etpicker_plugin.tests.support.phantoms import VOXEL_SIZE, make_phantom  # noqa: E402
from etpicker_plugin.tests.support.untrained import (  # noqa: E402
    MOST_PICKS,
    make_untrained_model,
)

SHAPE_ZYX = (41, 63, 75)
NAME = "TS_a"


def launch(project, protocol_class, **values):
    """Run a protocol to its end; return it and its seconds."""
    protocol = project.newProtocol(protocol_class, **values)
    begun = time.time()
    project.launchProtocol(protocol, wait=True)
    if not protocol.isFinished():
        sys.exit(f"{protocol_class.__name__}: {protocol.getErrorMessage()}")
    return protocol, time.time() - begun, begun


def measure_protocol(project, tomograms, model) -> dict[str, float]:
    """Return the seconds of one picking protocol, in parts."""
    protocol, whole, begun = launch(
        project,
        ProtEtPickerPick,
        inputTomograms=tomograms,
        inputModel=model,
        maxPicks=MOST_PICKS,
        useGpu=False,
    )
    job = Path(protocol._getExtraPath("jobs", NAME))
    started = (job / "pick.json").stat().st_mtime
    ended = (job / "finished.json").stat().st_mtime
    return {
        "whole": whole,
        "before": started - begun,
        "engine": ended - started,
        "after": begun + whole - ended,
        "overhead": whole - (ended - started),
        "alone": measure_engine(job / "pick.json"),
    }


def measure_engine(config: Path) -> float:
    """Return the seconds of the same command, by itself and into another folder."""
    with tempfile.TemporaryDirectory() as out:
        words = ("pick", "--config", str(config), "--out", out, "--records", out)
        begun = time.time()
        subprocess.run(
            [sys.executable, "-m", "etpicker_plugin.engine", *words],
            check=True,
            capture_output=True,
        )
        return time.time() - begun


def main() -> None:
    """Measure, print the table and write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_phantom(folder / f"{NAME}.mrc", SHAPE_ZYX, {"large": 6}, seed=0)
        model_file = make_untrained_model(folder / "model.safetensors")
        pyworkflow.Config.getDomain().getProtocols()
        project = Manager().createProject("overhead")
        os.chdir(project.path)
        imported, _, _ = launch(
            project,
            ProtImportTomograms,
            filesPath=name,
            filesPattern="*.mrc",
            samplingRate=VOXEL_SIZE,
        )
        model, _, _ = launch(
            project, ProtEtPickerImportModel, modelFile=str(model_file)
        )
        runs = [
            measure_protocol(project, imported.Tomograms, model.model)
            for _ in range(arguments.repeats)
        ]
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(
        "| s | " + " | ".join(f"run {i + 1}" for i in range(len(runs))) + " | median |"
    )
    print("|---|" + "---|" * (len(runs) + 1))
    for key in runs[0]:
        values = [run[key] for run in runs]
        cells = [f"{value:.1f}" for value in [*values, statistics.median(values)]]
        print(f"| {key} | {' | '.join(cells)} |")
    if arguments.out:
        arguments.out.write_text(json.dumps(runs, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
