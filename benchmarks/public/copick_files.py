"""What a copick project holds on disk: picks, tomograms, and their voxel size.

    …/ExperimentRuns/RUN/Picks/OBJECT.json  or  USER_SESSION_OBJECT.json
    …/ExperimentRuns/RUN/VoxelSpacing10.000/KIND.zarr

The two may lie under different roots ("static", "overlay"). An OME-Zarr's text says how
large its voxels are; its voxels are read by the zarr library, where that is installed.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from copick_scoring import Points
from numpy.typing import NDArray

from etpicker_plugin.engine.formats.copick_json import copick_object
from etpicker_plugin.engine.volumes.tomogram import write_volume

RUNS = "ExperimentRuns"
NO_ZARR = (
    "is an OME-Zarr, and the zarr library is not installed. Install it here "
    "(pip install 'zarr<3'), or put MRC exports named RUN.mrc into {folder}."
)


def read_picks(
    roots: list[Path], *, user: str = "", session: str = ""
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Return run to object to ``(N, 3)`` xyz in Å of the picks of a user and session.

    Without them all picks are read, and two sets of one object in one run are refused.
    """
    found: dict[str, dict[str, NDArray[np.float64]]] = {}
    for path in _each(roots, f"{RUNS}/*/Picks/*.json"):
        record = json.loads(path.read_text())
        if user and record.get("user_id") != user:
            continue
        if session and str(record.get("session_id")) != session:
            continue
        of_run = found.setdefault(path.parent.parent.name, {})
        name = record.get("pickable_object_name", path.stem.split("_")[-1])
        if name in of_run:
            sys.exit(
                f"{path}: a second set of {name} in this run. Say which one is the "
                "truth: --user and --session."
            )
        of_run[name] = np.array([_position(p) for p in record["points"] or []])
    return found


def _position(point: dict[str, Any]) -> NDArray[np.float64]:
    at = np.array([float(point["location"][axis]) for axis in "xyz"])
    moved = point.get("transformation_")
    return at if moved is None else at + np.array(moved, dtype=float)[:3, 3]


def _each(roots: list[Path], pattern: str) -> Iterator[Path]:
    """Yield the paths under all roots, each once."""
    yield from sorted({p.resolve() for root in roots for p in root.rglob(pattern)})


def find_tomograms(roots: list[Path], *, kind: str, spacing: str) -> dict[str, Path]:
    """Return run to the OME-Zarr of this kind ("denoised") and spacing ("10.000")."""
    pattern = f"{RUNS}/*/VoxelSpacing{spacing}/{kind}.zarr"
    return {path.parents[1].name: path for path in _each(roots, pattern)}


def voxel_size(path: Path) -> float:
    """Return the Å of a voxel of an OME-Zarr's finest level."""
    record = json.loads((path / ".zattrs").read_text())["multiscales"][0]
    scales = record["datasets"][0]["coordinateTransformations"][0]["scale"]
    if max(scales[-3:]) - min(scales[-3:]) > 1e-3 * max(scales[-3:]):
        sys.exit(f"{path}: voxels of {scales[-3:]} Å, expected cubes.")
    return float(scales[-1])


def export(path: Path, target: Path) -> None:
    """Write an OME-Zarr's finest level as MRC; done once."""
    if target.exists():
        return
    try:
        import zarr
    except ImportError:
        sys.exit(f"{path} {NO_ZARR.format(folder=target.parent)}")
    record = json.loads((path / ".zattrs").read_text())["multiscales"][0]
    data = np.asarray(zarr.open(str(path), mode="r")[record["datasets"][0]["path"]])
    target.parent.mkdir(parents=True, exist_ok=True)
    write_volume(target, data.astype(np.float32), voxel_size(path))


def as_objects(picks: Points, objects: list[str]) -> Points:
    """Return picks under copick's spelling of their classes, which must be known."""
    spelt = {copick_object(name).lower(): name for name in objects}
    renamed: dict[str, dict[str, NDArray[np.float64]]] = {run: {} for run in picks}
    for run, of_run in picks.items():
        for name, xyz in of_run.items():
            known = spelt.get(copick_object(name).lower())
            if known is None or known in renamed[run]:
                sys.exit(
                    f"{run}, class {name}: expected one of {', '.join(objects)}, each "
                    "spelt in one way."
                )
            renamed[run][known] = xyz
    return renamed
