"""The origins of one validation, from its tomograms and picks alone."""

import numpy as np

from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.verdict.origins.density import (
    correlation_maps,
    cut_boxes,
    density_geometry,
    radial_template,
)
from etpicker_plugin.engine.verdict.origins.origins import Origins, find_origins
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry


def measure_origins(
    sets: PickSets,
    members: dict[str, IndexArray],
    candidates: Candidates,
    *,
    geometry: BoxGeometry,
    invert: bool,
    max_distance_vox: float,
    seed: int,
) -> Origins:
    """Return how far all sets lie from one another and from the particles' centre.

    Parameters
    ----------
    max_distance_vox
        Of two picks of one particle, tomogram voxels.
    """
    size = density_geometry(geometry)
    rows = np.unique(np.concatenate([candidates.rows[name] for name in sets.names]))
    boxes = cut_boxes(sets, candidates, rows, size, invert=invert)
    template = radial_template(np.mean(boxes, axis=0), radius_vox=size.radius_vox)
    maps = correlation_maps(boxes, template, reach_vox=size.reach_vox)
    return find_origins(
        sets,
        members,
        candidates,
        dict(zip(rows.tolist(), maps, strict=True)),
        scale=size.scale,
        max_distance_vox=max_distance_vox,
        seed=seed,
    )
