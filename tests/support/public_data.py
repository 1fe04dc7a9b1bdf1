"""Small data in the public data sets' files, names and classes."""

from __future__ import annotations

import json
from pathlib import Path

import mrcfile
import numpy as np

from etpicker_plugin.engine.newer_python import zip_strict

SHREC_ZYX = (24, 40, 52)
CZII_ZYX = (21, 43, 55)
CZII_VOXEL = 10.012
CZII_TRUTH = {
    "TS_5_4": {
        "ribosome": [(100, 200, 60), (400, 120.5, 90)],
        "apo-ferritin": [(250, 300, 100)],
        "beta-amylase": [(500, 50, 50)],
    },
    "TS_69_2": {
        "ribosome": [(300, 330, 110)],
        "beta-galactosidase": [(90, 90, 90)],
        "thyroglobulin": [(450, 350, 150)],
        "virus-like-particle": [(200, 150, 40)],
    },
}
SHREC_TRUTH = [
    ("5MRC", (10, 12, 9)),
    ("1BXN", (26, 30, 14)),
    ("4V94", (40, 9, 12)),
    ("fiducial", (44, 30, 17)),
]


def write_mrc(path: Path, data: np.ndarray, voxel_size: float) -> None:
    """Write a volume, and the folders to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(data)
        mrc.set_volume()
        mrc.voxel_size = voxel_size


def noise(shape_zyx: tuple[int, int, int]) -> np.ndarray:
    """Return a tomogram of nothing."""
    return np.random.default_rng(0).normal(0, 1, shape_zyx).astype(np.float32)


def make_shrec(folder: Path) -> Path:
    """Write model_0 and model_9; particles reach 3 voxels, 1BXN 2."""
    for model in ("model_0", "model_9"):
        mask = np.zeros(SHREC_ZYX, np.float32)
        z, y, x = np.indices(SHREC_ZYX)
        for number, (name, (px, py, pz)) in enumerate(SHREC_TRUTH, 1):
            distance = np.sqrt((x - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2)
            mask[distance <= (2 if name == "1BXN" else 3)] = number
        write_mrc(folder / model / "occupancy_mask.mrc", mask, 1.0)
        write_mrc(folder / model / "reconstruction.mrc", noise(SHREC_ZYX), 0.0)
        lines = [f"{n} {x} {y} {z} 0.1 0.2 0.3" for n, (x, y, z) in SHREC_TRUTH]
        (folder / model / "particle_locations.txt").write_text("\n".join(lines) + "\n")
    return folder


def make_czii(folder: Path, *, name: str = "{object}") -> Path:
    """Write the truth, the text of each OME-Zarr, and no voxels."""
    for run, objects in CZII_TRUTH.items():
        picks = folder / "train" / "overlay" / "ExperimentRuns" / run / "Picks"
        picks.mkdir(parents=True)
        for kind, places in objects.items():
            points = [
                {"location": dict(zip_strict("xyz", at)), "instance_id": 0}
                for at in places
            ]
            record = {
                "pickable_object_name": kind,
                "user_id": "curation",
                "session_id": "0",
                "run_name": run,
                "unit": "angstrom",
                "points": points,
            }
            (picks / f"{name.format(object=kind)}.json").write_text(json.dumps(record))
        runs = folder / "train" / "static" / "ExperimentRuns"
        zarr = runs / run / "VoxelSpacing10.000" / "denoised.zarr"
        zarr.mkdir(parents=True)
        scale = {"type": "scale", "scale": [CZII_VOXEL] * 3}
        level = {"path": "0", "coordinateTransformations": [scale]}
        text = json.dumps({"multiscales": [{"datasets": [level]}]})
        (zarr / ".zattrs").write_text(text)
    return folder


def make_czii_tomograms(out: Path) -> None:
    """Write MRC exports where the benchmark looks for them."""
    for run in CZII_TRUTH:
        write_mrc(out / "tomograms" / f"{run}.mrc", noise(CZII_ZYX), CZII_VOXEL)


def write_picks(path: Path, rows: list[tuple]) -> None:
    """Write class, x, y, z and score."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [",".join(map(str, row)) for row in rows]
    path.write_text("\n".join(["class,x,y,z,score", *lines]) + "\n")
