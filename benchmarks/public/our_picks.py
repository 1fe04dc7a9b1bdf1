"""Picks to judge: those in a folder, or those of a model, picked here."""

import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.particles import Particles


def etpicker(*words: object) -> None:
    """Run one command of the product."""
    command = [sys.executable, "-m", "etpicker_plugin.engine", *map(str, words)]
    subprocess.run(command, check=True)


def pick(model: Path, tomograms: Iterable[Path], out: Path, *more: object) -> Path:
    """Pick tomograms with a model, and more flags; return the folder of picks."""
    etpicker("pick", "--model", model, "--tomogram", *tomograms, "--out", out, *more)
    return out


def read_folder(folder: Path, names: Iterable[str]) -> dict[str, Particles]:
    """Read NAME.csv of each tomogram; one that is missing ends the benchmark."""
    missing = [name for name in names if not (folder / f"{name}.csv").exists()]
    if missing:
        sys.exit(
            f"{folder}: no {missing[0]}.csv. Expected a CSV of picks for each tomogram "
            f"that is judged; {len(missing)} are missing. Judge fewer with --runs."
        )
    return {name: read_file(folder / f"{name}.csv", name) for name in names}


def read_file(path: Path, name: str) -> Particles:
    """Read the picks of a tomogram; what cannot be read ends the benchmark."""
    try:
        return read_csv(path, tomogram_id=name)
    except InputDataError as error:
        sys.exit(str(error))


def training_command(
    tomograms: Iterable[Path],
    coordinates: Iterable[Path],
    diameters: Mapping[str, float],
    out: Path,
    *more: object,
) -> str:
    """Return what to type to train on the truth, with all particles marked."""
    words = ["etpicker", "train", "--tomogram", *map(str, tomograms)]
    words += ["--coordinates", *map(str, coordinates), "--diameter"]
    words += [f"{name}={value:.0f}" for name, value in diameters.items()]
    words += ["--annotation", "complete", "--out", str(out), *map(str, more)]
    return shlex.join(words)
