"""The map that alignment starts from: a given one, or one made from the picks."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.orientation import from_relion_angles
from etpicker_plugin.engine.verdict.alignment.likelihood import soft_sphere
from etpicker_plugin.engine.verdict.alignment.turning import to_reference
from etpicker_plugin.engine.verdict.places.cutting import cut_box
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry
from etpicker_plugin.engine.volumes.tomogram import read_map, read_whole

EDGE_VOX = 3.0


def read_reference(path: Path, *, geometry: BoxGeometry) -> NDArray[np.float32]:
    """Return a given map as ``(B, B, B)`` at the boxes' voxel size, masked to a sphere.

    Raises
    ------
    InputDataError
        If it cannot be read, is much too small, or its particle is dark.
    """
    try:
        volume = read_map(path)
    except InputDataError as error:
        raise InputDataError(f"Reference: {error}") from error
    extent = min(volume.shape_zyx) * volume.voxel_size
    if extent < 0.8 * geometry.diameter_ang:
        raise InputDataError(
            f"Reference {path}: {extent:.0f} Å wide ({min(volume.shape_zyx)} voxels of "
            f"{volume.voxel_size:g} Å), but the particle's diameter is "
            f"{geometry.diameter_ang:g} Å. Give a map that holds the whole particle, "
            "and see that its header states its voxel size."
        )
    data = np.asarray(read_whole(volume), dtype=np.float32)
    if not np.isfinite(data).all():
        raise InputDataError(f"Reference {path}: NaN or infinity in it. Mend the map.")
    box = cut_box(
        data,
        np.array(volume.shape_zyx) // 2 * 1.0,
        box=geometry.box,
        scale=geometry.box_voxel_size / volume.voxel_size,
    )
    return _masked(_require_bright(box, path, geometry), geometry)


def reference_from_picks(
    boxes: Iterable[NDArray[np.floating]],
    *,
    geometry: BoxGeometry,
    seed: int,
    matrices: FloatArray | None = None,
) -> NDArray[np.float32]:
    """Return ``(B, B, B)``: the mean of boxes, randomly turned; a size, no features.

    Its small accidental features are what the refinement grows from. With
    ``(N, 3, 3)`` matrices boxes are laid as these say, and turned about their z axis.
    """
    total = np.zeros((geometry.box,) * 3)
    generator = np.random.default_rng(seed)
    for number, box in enumerate(boxes):
        known = None if matrices is None else matrices[number]
        total += to_reference(box, _any_turn(generator, known), order=1)
    return _masked(total, geometry)


def _any_turn(generator: np.random.Generator, known: FloatArray | None) -> FloatArray:
    """Return a random matrix, or one whose z axis lies as that of a known one."""
    if known is None:
        turn = Rotation.random(random_state=int(generator.integers(2**31)))
        return np.asarray(turn.as_matrix())
    about_z = from_relion_angles([generator.uniform(0.0, 360.0), 0.0, 0.0])[0]
    return np.asarray(known @ about_z)


def _require_bright(
    box: NDArray[np.float32], path: Path, geometry: BoxGeometry
) -> NDArray[np.float32]:
    inner = soft_sphere(geometry.box, radius_vox=geometry.radius_vox, edge_vox=0.01)
    inside, outside = box[inner > 0.5].mean(), box[inner <= 0.5].mean()
    if inside <= outside:
        raise InputDataError(
            f"Reference {path}: darker within the particle's sphere (mean "
            f"{inside:.4g}) than around it ({outside:.4g}). Protein must be bright: "
            "invert the map, or centre it in its box."
        )
    return box


def _masked(volume: NDArray[np.floating], geometry: BoxGeometry) -> NDArray[np.float32]:
    """Return a map of mean 0 and deviation 1 in the sphere, 0 beyond its soft edge."""
    mask = soft_sphere(geometry.box, radius_vox=geometry.radius_vox, edge_vox=EDGE_VOX)
    inside = volume[mask == 1]
    scaled = (volume - inside.mean()) / max(float(inside.std()), 1e-12)
    # The background of a density map is below its mean within the sphere.
    floor = float(scaled[(mask > 0) & (mask < 1)].mean())
    return np.asarray((scaled - floor) * mask, dtype=np.float32)
