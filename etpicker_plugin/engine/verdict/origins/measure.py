"""The origins of one validation, from its tomograms and its alignment."""

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.verdict.origins.density import (
    DensityGeometry,
    correlation_maps,
    cut_boxes,
    density_geometry,
    find_peak,
    radial_template,
)
from etpicker_plugin.engine.verdict.origins.origins import Origins, find_origins
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.cutting import cut_box
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry
from etpicker_plugin.engine.volumes.tomogram import Tomogram, TomogramBoxes


def measure_origins(
    sets: PickSets,
    members: dict[str, IndexArray],
    candidates: Candidates,
    *,
    geometry: BoxGeometry,
    invert: bool,
    max_distance_vox: float,
    seed: int,
    reference: Tomogram | None = None,
    matrices: FloatArray | None = None,
) -> Origins:
    """Return how far all sets lie from one another and from the particles' centre.

    Parameters
    ----------
    max_distance_vox
        Of two picks of one particle, tomogram voxels.
    reference
        A given map at the boxes' voxel size, whose middle is the centre; without it
        the centre is that of the density.
    matrices
        ``(N, 3, 3)``: how each box's particle lies beside the reference.
    """
    size = density_geometry(geometry)
    rows = np.unique(np.concatenate([candidates.rows[name] for name in sets.names]))
    boxes = cut_boxes(sets, candidates, rows, size, invert=invert)
    template = radial_template(np.mean(boxes, axis=0), radius_vox=size.radius_vox)
    displacements = None
    if reference is not None and matrices is not None:
        beside = _density_beside(reference, template, size=size, geometry=geometry)
        displacements = matrices[rows][:, ::-1, ::-1] @ beside
    maps = correlation_maps(
        boxes, template, reach_vox=size.reach_vox, displacements_zyx=displacements
    )
    return find_origins(
        sets,
        members,
        candidates,
        dict(zip(rows.tolist(), maps, strict=True)),
        scale=size.scale,
        max_distance_vox=max_distance_vox,
        displacements_zyx=displacements,
        seed=seed,
    )


def _density_beside(
    reference: Tomogram,
    template: FloatArray,
    *,
    size: DensityGeometry,
    geometry: BoxGeometry,
) -> FloatArray:
    """Return ``(3,)`` zyx: where the density stands beside the reference's middle."""
    scale = size.scale * geometry.voxel_size / geometry.box_voxel_size
    middle = np.array(reference.shape_zyx) // 2 * 1.0
    box = cut_box(TomogramBoxes(reference), middle, box=size.box, scale=scale)
    (correlation,) = correlation_maps([box], template, reach_vox=size.reach_vox)
    return find_peak(correlation)
