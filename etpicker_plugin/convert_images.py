"""What a protocol asks of a set, be it of tomograms or of micrographs."""

from __future__ import annotations

from typing import Any

from pwem.objects import Micrograph, SetOfCoordinates, SetOfMicrographs
from tomo.objects import SetOfCoordinates3D, SetOfTomograms

from etpicker_plugin.convert_micrographs import micrograph_name, picked_micrographs

IMAGES = "SetOfTomograms,SetOfMicrographs"
COORDINATES = "SetOfCoordinates3D,SetOfCoordinates"
"""Classes that a form takes, as Scipion reads them: without a space."""

COORDINATE_SETS = (SetOfCoordinates3D, SetOfCoordinates)


def is_flat(item: Any) -> bool:
    """Tell whether a set, or one of it, is of micrographs; nothing is of tomograms."""
    return isinstance(item, (SetOfMicrographs, SetOfCoordinates, Micrograph))


def image_ids(images: SetOfTomograms | SetOfMicrographs) -> list[str]:
    """Return the tsIds of tomograms, or the names of micrographs."""
    if isinstance(images, SetOfMicrographs):
        return [micrograph_name(item) for item in images.iterItems()]
    return list(images.getTSIds())


def images_of(
    coordinates: SetOfCoordinates3D | SetOfCoordinates,
) -> SetOfTomograms | SetOfMicrographs:
    """Return the tomograms or micrographs that coordinates are of."""
    return images_pointer(coordinates).get()


def images_pointer(coordinates: SetOfCoordinates3D | SetOfCoordinates) -> Any:
    """Return Scipion's pointer to them."""
    if isinstance(coordinates, SetOfCoordinates):
        return coordinates.getMicrographs(asPointer=True)
    return coordinates._precedentsPointer


def marked_ids(coordinates: SetOfCoordinates3D | SetOfCoordinates) -> list[str]:
    """Return the tsIds of tomograms, or names of micrographs, with a coordinate."""
    if isinstance(coordinates, SetOfCoordinates):
        return picked_micrographs(coordinates)
    return list(coordinates.getTSIds())


def sampling_rate_of(coordinates: SetOfCoordinates3D | SetOfCoordinates) -> float:
    """Return the sampling rate (Å) of the pixels that coordinates count."""
    if isinstance(coordinates, SetOfCoordinates):
        return float(coordinates.getMicrographs().getSamplingRate())
    return float(coordinates.getSamplingRate())
