"""Every set's offset from the particles: absolute for the best set, then by pairs.

The best set's offset is that of its mean correlation with the average. Another set's
is that offset plus its mean distance from the best set on the particles that both
have, which is known far better than a correlation can tell; without enough shared
particles its own correlation has to do.
"""

from collections.abc import Mapping

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.comparison.compare import compare_pair
from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.comparison.offsets import LEAST_PAIRS, Offset
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.verdict.alignment.joint import BOXES, JointRun
from etpicker_plugin.engine.verdict.alignment.origin import (
    add_offsets,
    centre_map,
    correlation_map,
    set_offset,
)
from etpicker_plugin.engine.verdict.alignment.results import AlignedBoxes
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.cutting import read_box
from etpicker_plugin.engine.volumes.tomogram import read_map, read_whole


def correlate_all(
    run: JointRun,
    candidates: Candidates,
    boxes: AlignedBoxes,
    iteration: int,
    *,
    centre: bool,
) -> FloatArray:
    """Return ``(N, 9, 9, 9)``: every box's correlation with the other half's map.

    ``centre`` moves the maps to their centres of mass first (see ``centre_map``), for
    want of a reference that says where the particle's centre is.
    """
    maps = {
        half: np.asarray(
            read_whole(read_map(run.map_of(iteration, half))), dtype=np.float32
        )
        for half in (1, 2)
    }
    if centre:
        radius_vox = run.geometry.radius_vox
        maps = {h: centre_map(m, radius_vox=radius_vox) for h, m in maps.items()}
    return np.stack(
        [
            correlation_map(
                read_box(run.folder / BOXES, row),
                maps[3 - int(candidates.half[row])],
                boxes.matrices[row],
            )
            for row in range(len(candidates))
        ]
    )


def find_offsets(
    sets: PickSets,
    members: Mapping[str, IndexArray],
    candidates: Candidates,
    correlations: FloatArray,
    *,
    best: str,
    scale: float,
    seed: int,
) -> dict[str, Offset]:
    """Return pick minus particle of every set, in the tomograms' voxels.

    Parameters
    ----------
    correlations
        From ``correlate_all``.
    best
        The set whose picks are the surest.
    scale
        Box voxel size over the tomograms'.
    """
    own = {
        name: set_offset(
            correlations[candidates.rows[name]],
            scale=scale,
            generator=np.random.default_rng(seed),
        )
        for name in sets.names
    }
    offsets = {}
    for name in sets.names:
        offsets[name] = own[name]
        if name != best:
            pair = compare_pair(sets, dict(members), best, name)
            if pair.n_both >= LEAST_PAIRS:
                offsets[name] = add_offsets(own[best], pair.offset)
    return offsets
