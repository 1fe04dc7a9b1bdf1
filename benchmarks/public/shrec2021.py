"""SHREC 2021, classification in cryo-electron tomograms: counted as its organisers do.

    python benchmarks/public/shrec2021.py DATA OUT
    python benchmarks/public/shrec2021.py DATA OUT --model MODEL
    python benchmarks/public/shrec2021.py DATA OUT --picks PICKS.csv

DATA is the dataset, unpacked: model_0 … model_9, each with reconstruction.mrc,
particle_locations.txt and occupancy_mask.mrc. The first line writes the truth of the
training tomograms as CSV into OUT, and says how to train. The others judge on the test
tomogram (--test, model_9): a model that picks it, or picks in its voxels.
"""

import argparse
import os
import sys
from pathlib import Path

import mrcfile
import numpy as np
import our_picks
from numpy.typing import NDArray
from published import SHREC_2021
from shrec_scoring import (
    EXCLUDED,
    PROTEINS,
    ClassCounts,
    Localisation,
    Marks,
    judge,
    read_locations,
    spell,
)

from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.particles import Particles, make_particles

VOXEL_SIZE = 10.0
SAID = ("--voxel-size", VOXEL_SIZE, "--trust-voxel-size")
"""Whatever the headers hold."""


def read_mask(folder: Path) -> NDArray[np.integer]:
    """Return the occupancy mask of a tomogram, as whole numbers."""
    with mrcfile.open(folder / "occupancy_mask.mrc", permissive=True) as mrc:
        return np.rint(mrc.data).astype(np.int32)


def link_tomogram(folder: Path, out: Path) -> Path:
    """Return the tomogram under a name of its own: all are called reconstruction."""
    link = out / "tomograms" / f"{folder.name}.mrc"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(os.path.abspath(folder / "reconstruction.mrc"))
    return link


def diameters_ang(truth: Marks, mask: NDArray[np.integer]) -> dict[str, float]:
    """Return each class's diameter: twice as far as its particles reach, the median."""
    places = np.argwhere(mask > 0)
    owners = mask[tuple(places.T)] - 1
    reach = np.zeros(len(truth.names))
    distances = np.linalg.norm(places[:, ::-1] - truth.xyz[owners], axis=1)
    np.maximum.at(reach, owners, distances)
    return {
        str(name): 2 * VOXEL_SIZE * float(np.median(reach[truth.names == name]))
        for name in np.unique(truth.names)
        if name not in EXCLUDED
    }


def prepare(folders: list[Path], out: Path, z_offset: int) -> None:
    """Write the truth of tomograms as CSV, and say how to train on it."""
    (out / "truth").mkdir(parents=True, exist_ok=True)
    diameters: dict[str, float] = {}
    for folder in folders:
        truth = read_locations(folder / "particle_locations.txt")
        kept = ~np.isin(truth.names, EXCLUDED)
        particles = make_particles(
            folder.name,
            truth.xyz[kept][:, ::-1] + (z_offset, 0, 0),
            class_names=truth.names[kept],
        )
        write_csv(particles, out / "truth" / f"{folder.name}.csv")
        diameters = diameters or diameters_ang(truth, read_mask(folder))
    command = our_picks.training_command(
        [link_tomogram(folder, out) for folder in folders],
        [out / "truth" / f"{folder.name}.csv" for folder in folders],
        diameters,
        out / "model",
        *SAID,
    )
    print(f"Train on these with\n\n{command}\n")


def to_marks(picks: Particles, z_offset: int) -> Marks:
    """Return picks as SHREC takes them: the best first, z counted in the mask."""
    order = np.argsort(-np.nan_to_num(picks.scores), kind="stable")
    names = {str(name): _known(str(name)) for name in np.unique(picks.class_names)}
    return Marks(
        np.array([names[str(name)] for name in picks.class_names[order]], str),
        picks.positions_zyx[order][:, ::-1] - (0, 0, z_offset),
    )


def _known(name: str) -> str:
    try:
        return spell(name)
    except ValueError as error:
        sys.exit(str(error))


def print_tables(found: Localisation, classes: dict[str, ClassCounts]) -> None:
    """Print the organisers' numbers, as Markdown."""
    distance = found.mean_distance
    print("| | picks | particles | TP | FP | FN | multiple | distance (voxels) |")
    print("|---" * 8 + "|")
    print(
        f"| this run | {found.n_picks} | {found.n_truth} | {found.n_found} "
        f"| {found.n_false} | {found.n_missed} | {found.n_multiple} "
        f"| {'-' if distance is None else f'{distance:.2f}'} |\n"
    )
    print("| localisation | recall | precision | F1 |\n|---|---|---|---|")
    print(
        f"| this run | {found.recall:.3f} | {found.precision:.3f} | {found.f1:.3f} |\n"
    )
    print(f"| F1 of classes | {' | '.join(classes)} | mean of the proteins |")
    print("|---" * (len(classes) + 2) + "|")
    cells = ["-" if c.f1 is None else f"{c.f1:.3f}" for c in classes.values()]
    held = [classes[n].f1 for n in PROTEINS if classes[n].f1 is not None]
    mean = f"{np.mean(held):.3f}" if held else "-"
    print(f"| this run | {' | '.join(cells)} | {mean} |\n\n{SHREC_2021}")


def main() -> None:
    """Prepare or judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", type=Path, help="picks the test tomogram")
    which.add_argument("--picks", type=Path, help="CSV, in voxels of the tomogram")
    parser.add_argument("--test", default="model_9")
    parser.add_argument(
        "--z-offset",
        type=int,
        default=0,
        help="slices that the tomogram has before the mask's first",
    )
    arguments = parser.parse_args()
    test = arguments.data / arguments.test
    if not (test / "particle_locations.txt").exists():
        sys.exit(f"{test}: no particle_locations.txt here; the data is absent.")
    if arguments.model is None and arguments.picks is None:
        others = [f for f in sorted(arguments.data.glob("model_*")) if f != test]
        prepare(others, arguments.out, arguments.z_offset)
        return
    mask = read_mask(test)
    if arguments.model:
        tomogram = link_tomogram(test, arguments.out)
        check_depth(tomogram, mask.shape, arguments.z_offset)
        folder = our_picks.pick(
            arguments.model, [tomogram], arguments.out / "picks", *SAID
        )
        arguments.picks = folder / f"{test.name}.csv"
    picks = to_marks(
        our_picks.read_file(arguments.picks, test.name), arguments.z_offset
    )
    truth = read_locations(test / "particle_locations.txt")
    print_tables(*judge(picks, truth, mask))


def check_depth(tomogram: Path, shape: tuple[int, ...], z_offset: int) -> None:
    """Refuse a tomogram that is deeper than its mask, unless it is said by what."""
    with mrcfile.open(tomogram, permissive=True, header_only=True) as mrc:
        depth = int(mrc.header.nz)
    if depth != shape[0] and not z_offset:
        sys.exit(
            f"{tomogram}: {depth} slices, its mask {shape[0]}. Say how many slices the "
            "tomogram has before the mask's first: --z-offset, half the difference as "
            "a rule."
        )


if __name__ == "__main__":
    main()
