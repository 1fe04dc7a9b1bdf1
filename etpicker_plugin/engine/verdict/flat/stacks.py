"""Boxes cut out of micrographs, one stack of each, as RELION reads them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import mrcfile
import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.subtomograms.normalise import (
    find_usable,
    normalise,
    region_of,
)
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.cutting import cut_box, unusable
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry
from etpicker_plugin.engine.volumes.tomogram import Tomogram
from etpicker_plugin.engine.volumes.working_volume import open_working_volume

Images = NDArray[np.float32]


def write_stacks(
    micrographs: Mapping[str, Tomogram],
    candidates: Candidates,
    folder: Path,
    *,
    geometry: BoxGeometry,
    invert: bool,
    on_stack: Callable[[int, int], None],
) -> None:
    """Write every candidate's box, one stack for each micrograph.

    They are cut out of what the network sees: hot pixels cut off, the slow background
    taken away, at the boxes' pixel size. Then each loses its slope, and mean and
    deviation are made 0 and 1 outside the particle, which is what RELION expects of 2D
    images. Stacks that stand there are kept.

    Raises
    ------
    InputDataError
        If a micrograph cannot be used, or a box holds one value.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stacks = rows_of_stacks(candidates)
    for number, (name, rows) in enumerate(stacks.items()):
        path = folder / stack_name(number)
        if not path.exists():
            images = cut_images(
                micrographs[name],
                candidates.positions_zyx[rows],
                geometry=geometry,
                invert=invert,
            )
            with write_whole(path) as temporary:
                _write_stack(temporary, images, geometry.box_voxel_size)
        on_stack(number + 1, len(stacks))


def cut_images(
    micrograph: Tomogram,
    positions_zyx: NDArray[np.float64],
    *,
    geometry: BoxGeometry,
    invert: bool,
) -> Images:
    """Return ``(N, B, B)`` boxes around ``(N, 3)`` places of a micrograph, normalised.

    Raises
    ------
    InputDataError
        If one holds one value.
    """
    volume = open_working_volume(micrograph, geometry.box_voxel_size)
    plane = volume.read((0, 0, 0), volume.shape_zyx)
    boxes = np.stack(
        [
            cut_box(plane, place, box=geometry.box, scale=1.0)
            for place in volume.to_working(positions_zyx)
        ]
    )
    usable = find_usable(boxes)
    if not usable.all():
        raise unusable(micrograph.tomogram_id, positions_zyx[~usable][0])
    signed = -boxes if invert else boxes
    radius = geometry.radius_vox
    level = without_slope(signed, radius_vox=radius)
    return normalise(level, mode="background", radius_vox=radius)[:, 0]


def without_slope(boxes: Images, *, radius_vox: float) -> Images:
    """Return ``(N, 1, B, B)`` boxes less the plane fitted to each outside a radius."""
    shape = boxes.shape[1:]
    outside = region_of(shape, mode="background", radius_vox=radius_vox)
    terms = np.stack([np.ones(shape), *np.indices(shape)[1:]], axis=-1)
    fitted, *_ = np.linalg.lstsq(terms[outside], boxes[:, outside].T, rcond=None)
    planes = np.moveaxis(terms @ fitted, -1, 0)
    return np.asarray(boxes - planes, dtype=np.float32)


def rows_of_stacks(candidates: Candidates) -> dict[str, IndexArray]:
    """Return the rows of each micrograph, in the order of its stack."""
    names = dict.fromkeys(map(str, candidates.tomogram_ids))
    return {n: np.flatnonzero(candidates.tomogram_ids == n) for n in names}


def image_names(candidates: Candidates, folder: str) -> list[str]:
    """Return each candidate's image as RELION names it: ``000001@FOLDER/STACK``."""
    names = [""] * len(candidates)
    for number, rows in enumerate(rows_of_stacks(candidates).values()):
        for place, row in enumerate(rows):
            names[row] = f"{place + 1:06d}@{folder}/{stack_name(number)}"
    return names


def read_images(folder: Path, candidates: Candidates) -> Images:
    """Return every candidate's box ``(N, B, B)``, in the candidates' order."""
    stacks = rows_of_stacks(candidates).values()
    found = [read_stack(folder / stack_name(n)) for n in range(len(stacks))]
    order = np.argsort(np.concatenate(list(stacks)))
    return np.concatenate(found)[order]


def stack_name(number: int) -> str:
    """Return the file of a micrograph's boxes."""
    return f"boxes_{number + 1:06d}.mrcs"


def read_stack(path: Path) -> Images:
    """Return the images of a stack, ``(N, B, B)``."""
    with mrcfile.open(path, permissive=True) as mrc:
        images = np.array(mrc.data, dtype=np.float32)
    return images.reshape(-1, *images.shape[-2:])


def _write_stack(path: Path, images: Images, pixel_size: float) -> None:
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(images)
        mrc.set_image_stack()
        mrc.voxel_size = pixel_size
