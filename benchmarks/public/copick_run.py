"""The steps that CZII's challenge and any other copick project share."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import copick_files
import numpy as np
import our_picks
from copick_scoring import Points

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.geometry import TomogramFrame, from_ang_xyz, to_ang_xyz
from etpicker_plugin.engine.particles import Particles, make_particles
from etpicker_plugin.engine.volumes.tomogram import read_tomogram


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what both take."""
    parser.add_argument("out", type=Path, help="folder for MRC files, truth and picks")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", type=Path, help="picks the tomograms")
    which.add_argument("--picks", type=Path, help="folder with RUN.csv, in voxels")
    parser.add_argument("--runs", nargs="+", help="these tomograms alone")
    parser.add_argument("--kind", default="denoised", help="of tomogram: KIND.zarr")
    parser.add_argument("--spacing", default="10.000", help="VoxelSpacingSPACING")


def chosen_runs(truth: Points, arguments: argparse.Namespace) -> list[str]:
    """Return the runs to judge: those asked for, or all with a truth."""
    asked = arguments.runs or sorted(truth)
    absent = [run for run in asked if run not in truth]
    if absent or not asked:
        raise SystemExit(
            f"Runs {absent or 'to judge'}: expected some of those with a truth, "
            f"{', '.join(sorted(truth)) or 'but there is none'}."
        )
    return asked


def frames_of(
    runs: list[str], roots: list[Path], arguments: argparse.Namespace
) -> dict[str, TomogramFrame]:
    """Return each run's frame: of an MRC in OUT/tomograms, or of its OME-Zarr."""
    stored = copick_files.find_tomograms(
        roots, kind=arguments.kind, spacing=arguments.spacing
    )
    found = {}
    for run in runs:
        path = arguments.out / "tomograms" / f"{run}.mrc"
        if path.exists():
            size = read_tomogram(path).voxel_size
        elif run in stored:
            size = copick_files.voxel_size(stored[run])
        else:
            raise SystemExit(
                f"Run {run}: no VoxelSpacing{arguments.spacing}/{arguments.kind}.zarr "
                f"and no {path}. See --kind and --spacing."
            )
        if path.exists() or arguments.picks is None:
            copick_files.export(stored.get(run, path), path)
        found[run] = TomogramFrame(run, (1, 1, 1), size)
    return found


def prepare(
    truth: Points,
    frames: Mapping[str, TomogramFrame],
    diameters: Mapping[str, float],
    out: Path,
) -> None:
    """Write the truth as CSV, and say how to train on it."""
    (out / "truth").mkdir(parents=True, exist_ok=True)
    for run, frame in frames.items():
        write_csv(_to_particles(truth[run], frame), out / "truth" / f"{run}.csv")
    command = our_picks.training_command(
        [out / "tomograms" / f"{run}.mrc" for run in frames],
        [out / "truth" / f"{run}.csv" for run in frames],
        {n: d for n, d in diameters.items() if any(n in truth[r] for r in frames)},
        out / "model",
    )
    print(f"Train on these with\n\n{command}\n\nand judge others: --runs")


def picks_of(
    frames: Mapping[str, TomogramFrame],
    objects: list[str],
    arguments: argparse.Namespace,
) -> Points:
    """Return the picks in Å, of the folder given or of the model."""
    folder = arguments.picks or our_picks.pick(
        arguments.model,
        [arguments.out / "tomograms" / f"{run}.mrc" for run in frames],
        arguments.out / "picks",
    )
    read = our_picks.read_folder(folder, frames)
    return copick_files.as_objects(
        {run: _to_points(read[run], frame) for run, frame in frames.items()}, objects
    )


def write_submission(picks: Points, path: Path) -> None:
    """Write picks as the challenge takes them: id,experiment,particle_type,x,y,z."""
    rows = [
        f"{run},{name},{x:.3f},{y:.3f},{z:.3f}"
        for run, of_run in picks.items()
        for name, points in of_run.items()
        for x, y, z in points
    ]
    lines = [f"{number},{row}" for number, row in enumerate(rows)]
    with write_whole(path) as temporary:
        text = "\n".join(["id,experiment,particle_type,x,y,z", *lines])
        temporary.write_text(text + "\n", encoding="utf-8")


def _to_points(particles: Particles, frame: TomogramFrame) -> dict:
    return {
        str(name): to_ang_xyz(particles.of_class(name).positions_zyx, frame)
        for name in np.unique(particles.class_names)
    }


def _to_particles(points: Mapping, frame: TomogramFrame) -> Particles:
    names = [name for name, xyz in points.items() for _ in xyz]
    xyz = np.concatenate([np.zeros((0, 3)), *(p for p in points.values() if len(p))])
    return make_particles(
        frame.tomogram_id, from_ang_xyz(xyz, frame), class_names=np.array(names, str)
    )
