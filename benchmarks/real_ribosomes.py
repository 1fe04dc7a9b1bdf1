"""Recall on a real tomogram of which only some ribosomes are listed.

    python benchmarks/real_ribosomes.py DATA OUT [--minutes 8 | --steps 400] [--seed 0]

DATA is the folder with EMPIAR-11658_tomo171_bin16.mrc and .csv. The half with y < 128
is cut out and trained on, as ``sparse``, with the listed centres there; the whole is
picked. Judged on y >= 136: the share of the listed particles there among the best N
picks of that half, within 4 voxels, beside a plain difference of Gaussians. Draws both
on slices (OUT/slices.png).

The authors list nothing near the faces in x and y, where the box of a subtomogram does
not fit. Training finds that out, and picks keep a diameter off them; the baseline's are
made to.
"""

import argparse
import csv
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import mrcfile
import numpy as np
from scipy import ndimage

from etpicker_plugin.engine.evaluation.matching import match_picks

NAME = "EMPIAR-11658_tomo171_bin16"
DIAMETER_ANG = 290
TRAIN_Y, TEST_Y = 128, 136
COUNTS = (108, 216, 324, 432)
WITHIN_VOX = 4.0
VOXEL_SIZE = 31.36
BORDER_VOX = DIAMETER_ANG / VOXEL_SIZE


def read_rows(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(N, 3)`` zyx voxels and ``(N,)`` scores (0 where there are none)."""
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    positions = np.array([[float(r[k]) for k in "zyx"] for r in rows]).reshape(-1, 3)
    scores = np.array([float(r.get("score") or 0) for r in rows])
    return positions, scores


def train_and_pick(data: Path, out: Path, how_long: Sequence[str]) -> np.ndarray:
    """Return our picks, best first; the flags say how long to train."""
    out.mkdir(parents=True, exist_ok=True)
    positions, _ = read_rows(data / f"{NAME}.csv")
    lines = [f"80S,{x},{y},{z}" for z, y, x in positions[positions[:, 1] < TRAIN_Y]]
    (out / "half.csv").write_text("class,x,y,z\n" + "\n".join(lines) + "\n")
    with mrcfile.open(data / f"{NAME}.mrc") as mrc:
        half = np.ascontiguousarray(mrc.data[:, :TRAIN_Y])
    with mrcfile.new(out / "half.mrc", overwrite=True) as mrc:
        mrc.set_data(half)
        mrc.voxel_size = VOXEL_SIZE
    command = [sys.executable, "-m", "etpicker_plugin.engine"]
    subprocess.run(
        [
            *[*command, "train", "--tomogram", out / "half.mrc", "--coordinates"],
            *[out / "half.csv", "--annotation", "sparse"],
            *["--diameter", f"80S={DIAMETER_ANG}", *how_long],
            *["--out", out / "model"],
        ],
        check=True,
    )
    subprocess.run(
        [
            *[*command, "pick", "--model", out / "model" / "model.safetensors"],
            *["--tomogram", data / f"{NAME}.mrc", "--max-picks", "2000"],
            *["--out", out / "picks"],
        ],
        check=True,
    )
    found, scores = read_rows(out / "picks" / f"{NAME}.csv")
    return found[np.argsort(-scores, kind="stable")]


def difference_of_gaussians(data: Path) -> np.ndarray:
    """Return a plain band pass's dark blobs off the faces, best first.

    Sigma 2.2 and 4.5 voxels.
    """
    with mrcfile.open(data / f"{NAME}.mrc") as mrc:
        image = mrc.data.astype(np.float32)
    band = ndimage.gaussian_filter(image, 4.5) - ndimage.gaussian_filter(image, 2.2)
    highest = ndimage.maximum_filter(band, size=9)
    index = np.argwhere(band == highest)
    order = np.argsort(-band[tuple(index.T)], kind="stable")
    in_plane = index[order, 1:]
    last = np.array(image.shape[1:]) - 1
    off = (in_plane >= BORDER_VOX) & (in_plane <= last - BORDER_VOX)
    return index[order][off.all(axis=1)].astype(float)


def recall_at(
    picks: np.ndarray, truth: np.ndarray, count: int, *, first_y: float
) -> float:
    """Return the share of the truth among the best picks with y >= first_y."""
    best = picks[picks[:, 1] >= first_y][:count]
    return len(match_picks(best, truth, max_distance=WITHIN_VOX).distances) / len(truth)


def draw(data: Path, out: Path, sets: dict[str, np.ndarray], truth: np.ndarray) -> None:
    """Draw each set's best 324 picks of the test half on three slices."""
    with mrcfile.open(data / f"{NAME}.mrc") as mrc:
        image = ndimage.uniform_filter1d(mrc.data.astype(np.float32), 3, axis=0)
    depths = (45, 64, 83)
    figure, axes = plt.subplots(len(sets), len(depths), figsize=(18, 5.2 * len(sets)))
    for row, (name, picks) in zip(axes, sets.items(), strict=True):
        best = picks[picks[:, 1] >= TEST_Y][:324]
        for axis, z in zip(row, depths, strict=True):
            axis.imshow(image[z, TEST_Y:], cmap="gray", origin="lower", aspect="equal")
            for points, colour, size in ((best, "cyan", 9), (truth, "orange", 5)):
                near = points[np.abs(points[:, 0] - z) <= 3]
                axis.plot(
                    near[:, 2],
                    near[:, 1] - TEST_Y,
                    "o",
                    mfc="none",
                    mec=colour,
                    ms=size,
                )
            axis.set_title(f"{name}, z = {z}; orange: listed")
    figure.tight_layout()
    figure.savefig(out / "slices.png", dpi=70)


def main() -> None:
    """Train, pick, count and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--steps", type=int, help="so many steps, whatever the time")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    how_long = ["--max-minutes", str(arguments.minutes)]
    if arguments.steps is not None:
        how_long = ["--steps", str(arguments.steps)]
    how_long += ["--seed", str(arguments.seed)]
    if not (arguments.data / f"{NAME}.mrc").exists():
        sys.exit(f"{arguments.data}: no {NAME}.mrc here; the data is absent.")
    truth, _ = read_rows(arguments.data / f"{NAME}.csv")
    truth = truth[truth[:, 1] >= TEST_Y]
    sets = {
        "etpicker": train_and_pick(arguments.data, arguments.out, how_long),
        "difference of Gaussians": difference_of_gaussians(arguments.data),
    }
    print(f"{len(truth)} listed particles with y >= {TEST_Y}")
    print("| picks | " + " | ".join(f"recall at {n}" for n in COUNTS) + " |")
    print("|---" * (len(COUNTS) + 1) + "|")
    # Some listed particles lie on the cut itself: a pick half a voxel beside one is
    # then of the other half. So the picks are also taken from a voxel before the cut,
    # and from the whole half that was not learnt from.
    for first_y in (TEST_Y, TEST_Y - 1, TRAIN_Y):
        for name, picks in sets.items():
            recalls = [recall_at(picks, truth, n, first_y=first_y) for n in COUNTS]
            cells = " | ".join(f"{recall:.2f}" for recall in recalls)
            print(f"| {name}, y >= {first_y} | {cells} |")
    draw(arguments.data, arguments.out, sets, truth)


if __name__ == "__main__":
    main()
