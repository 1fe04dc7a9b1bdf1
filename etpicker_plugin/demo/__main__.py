"""Simulate, train, pick and evaluate as a Scipion project, and show it on a page.

    python -m etpicker_plugin.demo --out demo

Needs no data, no GPU and no window. Every run has a folder and a project of its own.
"""

import argparse
import itertools
import json
import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from etpicker_plugin.demo.report import write_page
from etpicker_plugin.demo.scipion_home import (
    DemoError,
    enter_scipion,
    project_folder,
    write_scripts,
)
from etpicker_plugin.demo.workflow import run_project

logger = logging.getLogger("etpicker demo")

PAGE = "report.html"
MINUTES = 4.0
VOXEL_SIZE = 10.0
SIZE_XYZ = (224, 224, 72)
LARGE, SMALL = "ribosome", "ring"
EXPECTED_F1 = 0.90
SETS = (("train", 2, 1), ("test", 1, 2))
"""Name, number of tomograms and seed of each simulated set."""


def main(argv=None) -> int:
    """Run the demo; return the exit code."""
    begin_logging()
    arguments = parse_arguments(argv)
    out = Path(arguments.out).resolve()
    began = time.monotonic()
    try:
        enter_scipion(out / "scipion", sys.argv[1:] if argv is None else list(argv))
        folder, project_name = new_run(out)
        simulate(folder)
        project = run_project(
            project_name, template_values(folder, minutes=arguments.minutes)
        )
    except (DemoError, OSError, subprocess.CalledProcessError) as error:
        logger.error("The demo stopped: %s", error)
        return 1
    except KeyboardInterrupt:
        logger.error("Stopped. 'make demo' starts a new run beside this one.")
        return 130
    script = write_scripts(folder, out / "scipion", project_name)
    minutes = (time.monotonic() - began) / 60
    facts = {
        "Scipion project": str(project.path),
        "Open its window": str(script),
        "Time": f"{minutes:.1f} min on {os.cpu_count()} CPU cores",
    }
    return finish(folder, project, facts)


def begin_logging() -> None:
    """Log to stderr, without Scipion's lines on how it starts each job."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(
        lambda record: (
            record.levelno > logging.INFO
            or "pyworkflow" not in Path(record.pathname).parts
        )
    )
    logging.basicConfig(
        level=logging.INFO, handlers=[handler], format="%(message)s", force=True
    )


def parse_arguments(argv) -> argparse.Namespace:
    """Return the command's arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m etpicker_plugin.demo", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--out", default="demo", help="folder (default: demo)")
    parser.add_argument(
        "--minutes",
        type=float,
        default=MINUTES,
        help=f"time limit of the training (default: {MINUTES:g})",
    )
    return parser.parse_args(argv)


def new_run(out: Path) -> tuple[Path, str]:
    """Make the folder of a new run; return it and the name of its project."""
    for number in itertools.count(1):
        folder = out / f"run_{number:02d}"
        project = f"etpicker_demo_{number:02d}"
        # A run's folder may be removed and its project still be there.
        if (
            not folder.exists()
            and not project_folder(out / "scipion", project).exists()
        ):
            break
    folder.mkdir(parents=True)
    if number > 1:
        logger.info("Earlier runs in %s stay as they are; this is %s.", out, folder)
    return folder, project


def simulate(folder: Path) -> None:
    """Simulate the tomograms to learn from and the one to pick."""
    for name, count, seed in SETS:
        logger.info("Simulating: %s, %d tomogram(s)", name, count)
        subprocess.run(
            [
                *(sys.executable, "-m", "etpicker_plugin.engine", "simulate"),
                *("--out", str(folder / name), "--name", name),
                *("--tomograms", str(count), "--seed", str(seed)),
                *("--voxel-size", str(VOXEL_SIZE), "--shape", *map(str, SIZE_XYZ)),
                *("--species", LARGE, SMALL),
            ],
            check=True,
        )


def template_values(folder: Path, *, minutes: float) -> dict[str, str]:
    """Return the values of the template's fields; the phantoms' records know sizes."""
    record = next((folder / "train").glob("*.json")).read_text(encoding="utf-8")
    species = json.loads(record)["species"]
    diameters = {name: species[name]["diameter_ang"] for name in (LARGE, SMALL)}
    return {
        "train_path": str(folder / "train"),
        "new_path": str(folder / "test"),
        "voxel_size": str(VOXEL_SIZE),
        "diameter": " ".join(
            f"{name}:{value:.0f}" for name, value in diameters.items()
        ),
        "max_minutes": str(minutes),
    }


def finish(folder: Path, project, facts: dict[str, str]) -> int:
    """Write the page, print the summary; return the exit code."""
    page = folder / PAGE
    lead = (
        "Two simulated tomograms were learnt from and a third was picked, as a Scipion "
        "project, on the CPU. This page shows what was found in the third."
    )
    metrics = write_page(page, project, lead=lead, facts=facts)
    newest = folder.parent / PAGE
    shutil.copyfile(page, newest)
    lines = [
        f"{name:>12}: precision {m['precision']:.2f}, recall {m['recall']:.2f}, "
        f"F1 {m['f1']:.2f}"
        for name, m in metrics.items()
    ]
    lines += [f"{name}: {value}" for name, value in facts.items()]
    logger.info("\n%s\nPage: %s (also %s)", "\n".join(lines), newest, page)
    if metrics[LARGE]["f1"] < EXPECTED_F1:
        logger.error(
            "The demo should reach an F1 of %.2f for %s. Was the machine busy? "
            "--minutes gives the training more time.",
            EXPECTED_F1,
            LARGE,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
