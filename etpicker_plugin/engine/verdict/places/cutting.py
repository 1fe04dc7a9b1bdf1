"""Cutting the boxes to judge; those at a face are completed outside the particle."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.subtomograms.boxes import (
    MARGIN_VOX,
    Sliceable,
    crop_boxes,
    read_padded,
)
from etpicker_plugin.engine.subtomograms.normalise import find_usable, normalise
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry
from etpicker_plugin.engine.volumes.tomogram import (
    TomogramBoxes,
    read_map,
    read_whole,
    write_volume,
)

Box = NDArray[np.float32]


def cut_box(
    volume: Sliceable,
    position_zyx: NDArray[np.float64],
    *,
    box: int,
    scale: float,
) -> Box:
    """Return a ``(box, box, box)`` box around a place, whole even at a face.

    Of a micrograph it is one slice thick.

    Beyond a face its voxels repeat. Picks keep 0.4 diameters from the faces, so that
    this fills what RELION's mask hides and at most a small cap of the particle.
    Extraction for an average leaves such picks out; a verdict on a picker would then
    judge half of a thin tomogram only.
    """
    is_thick = np.asarray(volume.shape) > 1
    reach = is_thick * (int(np.ceil((box // 2 + 1) * scale)) + MARGIN_VOX + 1)
    starts = np.floor(position_zyx).astype(int) - reach
    stops = starts + 2 * reach + 1 + is_thick
    block = read_padded(volume, starts.tolist(), stops.tolist()).astype(np.float32)
    boxes, _ = crop_boxes(block, (position_zyx - starts)[None], box=box, scale=scale)
    return np.asarray(boxes[0])


def write_boxes(
    sets: PickSets,
    candidates: Candidates,
    folder: Path,
    *,
    geometry: BoxGeometry,
    invert: bool,
    on_box: Callable[[int, int], None],
) -> None:
    """Write every candidate's box, normalised within the particle's sphere.

    Boxes that stand there are kept.

    Raises
    ------
    InputDataError
        If a box holds one value, NaN or infinity.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for row, t in enumerate(candidates.tomogram_ids):
        path = box_path(folder, row)
        if not path.exists():
            box = cut_box(
                TomogramBoxes(sets.tomograms[str(t)]),
                candidates.positions_zyx[row],
                box=geometry.box,
                scale=geometry.scale,
            )
            if not find_usable(box[None])[0]:
                raise unusable(str(t), candidates.positions_zyx[row])
            signed = -box[None] if invert else box[None]
            normal = normalise(signed, mode="sphere", radius_vox=geometry.radius_vox)
            with write_whole(path) as temporary:
                write_volume(temporary, normal[0], geometry.box_voxel_size)
        on_box(row + 1, len(candidates))


def box_path(folder: Path, row: int) -> Path:
    """Return the file of a candidate's box."""
    return folder / f"box_{row + 1:06d}.mrc"


def read_box(folder: Path, row: int) -> Box:
    """Return a candidate's box."""
    return np.asarray(read_whole(read_map(box_path(folder, row))), dtype=np.float32)


def unusable(name: str, position_zyx: NDArray[np.float64]) -> InputDataError:
    """Return what is said of a box without contrast."""
    x, y, z = position_zyx[::-1]
    return InputDataError(
        f"Tomogram {name} holds one value, NaN or infinity around x, y, z = "
        f"{x:.0f}, {y:.0f}, {z:.0f}. Remove the picks there; if there are none, a "
        "random coordinate came to lie there, and the blank part is to be cut off."
    )
