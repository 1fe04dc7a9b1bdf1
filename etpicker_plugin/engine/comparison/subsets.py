"""The particles of each subset, as records and as coordinate files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from etpicker_plugin.engine.comparison.joining import (
    IndexArray,
    in_subset,
    subset_file_name,
)
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.particles import Particles


def subset_particles(
    sets: PickSets, members: Mapping[str, IndexArray], subset: Sequence[str]
) -> dict[str, Particles]:
    """Return a subset per tomogram; positions and scores are its first set's.

    ``members`` are per tomogram ``(P, S)``, as ``join_sets`` gives them.
    """
    column = sets.names.index(subset[0])
    return {
        t: sets.picks[subset[0]][t].select(
            table[in_subset(table, subset, sets.names), column]
        )
        for t, table in members.items()
    }


def write_subsets(
    subsets: Mapping[str, tuple[tuple[str, ...], Mapping[str, Particles]]],
    names: Sequence[str],
    folder: Path,
) -> None:
    """Write every subset as a folder of CSVs, which any command takes as picks."""
    for subset, particles in subsets.values():
        target = folder / subset_file_name(subset, names)
        target.mkdir(parents=True, exist_ok=True)
        for tomogram_id, found in particles.items():
            write_csv(found, target / f"{tomogram_id}.csv")
