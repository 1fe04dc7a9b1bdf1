"""Sets of coordinates made and filled, be they of tomograms or of micrographs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pwem.objects import SetOfCoordinates
from scipy.spatial import cKDTree
from tomo.constants import BOTTOM_LEFT_CORNER
from tomo.objects import SetOfCoordinates3D

from etpicker_plugin.convert import (
    append_particles,
    create_coordinates,
    told_diameters,
    tomograms_by_id,
)
from etpicker_plugin.convert_images import images_pointer, is_flat
from etpicker_plugin.convert_kinds import told_kind
from etpicker_plugin.convert_micrograph_picks import (
    append_micrograph_picks,
    create_micrograph_coordinates,
)
from etpicker_plugin.convert_micrographs import picks_of
from etpicker_plugin.engine.columns import Column
from etpicker_plugin.engine.particles import Particles

SAME_PLACE_VOX = 0.01


def create_set(
    images: Any,
    folder: str,
    suffix: str,
    *,
    box_size: int,
    label: str,
    kind: str,
    diameters: Mapping[str, float],
) -> SetOfCoordinates3D | SetOfCoordinates:
    """Create an empty set; ``images`` points to the tomograms or micrographs."""
    told: dict[str, Any] = {
        "box_size": box_size,
        "label": label,
        "kind": kind,
        "diameters": diameters,
    }
    if is_flat(images.get()):
        return create_micrograph_coordinates(folder, suffix, micrographs=images, **told)
    rate = images.get().getSamplingRate()
    return create_coordinates(
        folder, suffix, precedents=images, sampling_rate=rate, **told
    )


def append_to_set(
    coordinates: SetOfCoordinates3D | SetOfCoordinates,
    image: Any,
    particles: Particles,
    *,
    groups: Mapping[str, int],
    columns: Sequence[Column],
) -> None:
    """Add the particles of one tomogram or micrograph (see ``append_particles``)."""
    if isinstance(coordinates, SetOfCoordinates):
        append_micrograph_picks(coordinates, image, particles, classes=groups)
        return
    append_particles(coordinates, image, particles, groups=groups, columns=columns)


def create_like(
    source: SetOfCoordinates3D | SetOfCoordinates,
    folder: str,
    suffix: str,
    *,
    label: str,
) -> SetOfCoordinates3D | SetOfCoordinates:
    """Create an empty set that holds what another does, of the same images."""
    return create_set(
        images_pointer(source),
        folder,
        suffix,
        box_size=source.getBoxSize(),
        label=label,
        kind=told_kind(source),
        diameters=told_diameters(source),
    )


def copy_coordinates(
    target: SetOfCoordinates3D | SetOfCoordinates,
    source: SetOfCoordinates3D | SetOfCoordinates,
    wanted: Mapping[str, Particles],
) -> None:
    """Copy the coordinates that stand at wanted positions, with all they carry.

    Positions went through a CSV of 0.001 voxel, so the nearest within 0.01 is meant.
    """
    trees = {t: cKDTree(p.positions_zyx) for t, p in wanted.items() if len(p)}
    flat = is_flat(source)
    tomograms = {} if flat else tomograms_by_id(source.getPrecedents())
    for name, position_zyx, item in _places(source):
        tree = trees.get(name)
        if tree is None or tree.query(position_zyx)[0] > SAME_PLACE_VOX:
            continue
        copied = item.clone()
        copied.setObjId(None)
        if not flat:
            copied.setVolume(tomograms[name])
            copied.setPosition(*position_zyx[::-1], BOTTOM_LEFT_CORNER)
        target.append(copied)


def _places(
    source: SetOfCoordinates3D | SetOfCoordinates,
) -> Iterator[tuple[str, tuple[float, ...], Any]]:
    """Yield image, position zyx and the set's own object of each coordinate."""
    if isinstance(source, SetOfCoordinates):
        for pick in picks_of(source):
            yield pick.micrograph, pick.position_zyx, pick.item
        return
    for item in source.iterCoordinates():
        yield item.getTomoId(), item.getPosition(BOTTOM_LEFT_CORNER)[::-1], item
