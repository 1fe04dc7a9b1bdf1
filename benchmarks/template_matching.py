"""Plain template matching, the measure of what a picker taught by maps is worth.

    python benchmarks/template_matching.py DATA OUT [--cases dev real]
        [--rotations 2546] [--classes 5mrc ...]

DATA is the folder with dev/, real/ and maps/ (10 Å per voxel). dev_03 and dev_04 are
binned by 2 and matched with each map, the real tomogram's sample as it is with the
ribosome's: the spectrum whitened within the wedge, the contrast transfer of the mean
defocus, evenly spread rotations (2,546 of them are about 13° apart), scores in
deviations. Half of the best rival's score is taken off, softly; peaks keep half a
diameter off each other. Writes OUT/CASE/TOMOGRAM.csv, which ``maps.py --matching OUT``
judges, and prints the seconds.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from maps import DIAMETERS, REAL, REAL_DIAMETER, TESTING

from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.maps.appearance import measure
from etpicker_plugin.engine.maps.density import read_density
from etpicker_plugin.engine.maps.matching import (
    best_scores,
    bin_voxels,
    even_rotations,
    find_peaks,
    without_extremes,
)
from etpicker_plugin.engine.particles import join_particles, make_particles
from etpicker_plugin.engine.volumes.tomogram import read_tomogram, read_whole

MEAN_DEFOCUS_UM = {"dev": 4.2, "real": 3.5}
BINNING = {"dev": 2, "real": 1}
RIVAL_SHARE, SOFTNESS = 0.5, 0.5
MOST_PEAKS = 600


def match(tomogram, maps, *, case: str, rotations: int) -> dict[str, np.ndarray]:
    """Return each map's scores, in deviations, at the binned voxels of the sample."""
    look = measure(tomogram)
    step = BINNING[case]
    first, last = look.sample_z
    depth = (last - first) // step * step
    values = np.asarray(read_whole(tomogram)[first : first + depth], np.float32)
    _, y, x = (n // step * step for n in values.shape)
    values = (values[:, :y, :x] - look.mean) / look.deviation
    binned = without_extremes(bin_voxels(values, step))
    scores = {}
    for one in maps:
        best, _, _ = best_scores(
            binned,
            look,
            (one, step),
            defocus_um=MEAN_DEFOCUS_UM[case],
            rotations=even_rotations(rotations),
        )
        spread = np.diff(np.percentile(best, (15.87, 84.13)))[0] / 2
        scores[one.name] = (best - np.median(best)) / spread
    return scores


def without_rivals(scores: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Take half of the best rival's score off a map's, softly about zero."""
    rivals = [other for one, other in scores.items() if one != name]
    if not rivals:
        return scores[name]
    best = np.max(rivals, axis=0)
    return scores[name] - RIVAL_SHARE * SOFTNESS * np.logaddexp(0, best / SOFTNESS)


def pick(tomogram, maps, diameters, out: Path, *, case: str, rotations: int) -> None:
    """Match a tomogram and write the peaks of every class, best first."""
    scores = match(tomogram, maps, case=case, rotations=rotations)
    first = measure(tomogram).sample_z[0]
    step, parts = BINNING[case], []
    for name in scores:
        own = without_rivals(scores, name)
        apart = 0.5 * diameters[name] / tomogram.voxel_size / step
        places = find_peaks(own, apart=apart, most=MOST_PEAKS)
        heights = own[tuple(places.T)]
        positions = (places + 0.5) * step - 0.5 + [first, 0, 0]
        parts.append(
            make_particles(
                tomogram.tomogram_id,
                positions.tolist(),
                class_names=[name] * len(places),
                scores=(1 / (1 + np.exp(-(heights - 6) / 2))).tolist(),
            )
        )
    out.mkdir(parents=True, exist_ok=True)
    joined = join_particles(tomogram.tomogram_id, parts)
    write_csv(joined, out / f"{tomogram.tomogram_id}.csv")


def main() -> None:
    """Match the tomograms of the cases asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cases", nargs="+", default=["dev", "real"])
    parser.add_argument("--rotations", type=int, default=2546)
    parser.add_argument("--classes", nargs="+", default=list(DIAMETERS))
    arguments = parser.parse_args()
    for case in arguments.cases:
        if case == "dev":
            named = {name: (name, DIAMETERS[name]) for name in arguments.classes}
            files = [arguments.data / "dev" / f"{name}.mrc" for name in TESTING]
        else:
            named = {"80S": ("5mrc", REAL_DIAMETER)}
            files = [arguments.data / "real" / f"{REAL}.mrc"]
        maps = [
            read_density(
                name, arguments.data / "maps" / f"{file}.mrc", diameter_ang=ang
            )
            for name, (file, ang) in named.items()
        ]
        diameters = {name: ang for name, (_, ang) in named.items()}
        for file in files:
            began = time.perf_counter()
            pick(
                read_tomogram(file),
                maps,
                diameters,
                arguments.out / case,
                case=case,
                rotations=arguments.rotations,
            )
            print(f"{file.stem}: {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
