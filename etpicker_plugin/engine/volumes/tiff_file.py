"""Micrographs in TIFF, compressed or not; decoded at once, for a plane is small.

TIFF stores the top row first, MRC the bottom one. So rows are read from the last to
the first, as RELION, IMOD and MotionCor2 do: an image has the same coordinates in both.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.errors import InputDataError

if TYPE_CHECKING:
    import tifffile

logger = logging.getLogger(__name__)

SUFFIXES = (".tif", ".tiff")
WHITE_IS_ZERO, BLACK_IS_ZERO = 0, 1
"""Photometric interpretations: which end of the numbers is dark."""


def is_tiff(path: Path | str) -> bool:
    """Tell by its name whether a file is TIFF."""
    return Path(path).suffix.lower() in SUFFIXES


def read_tiff(path: Path) -> NDArray[np.generic]:
    """Return the only image of a file as ``(1, Y, X)``, its last row at y = 0.

    Where the file says that 0 is white, its numbers are turned round.

    Raises
    ------
    InputDataError
        If it cannot be read, or holds no single grey image.
    """
    image, photometric = _from_image(
        path, lambda one: (one.asarray().squeeze(), int(one.keyframe.photometric))
    )
    if photometric == WHITE_IS_ZERO:
        logger.warning(
            "Micrograph %s: its header says that 0 is white; its numbers are turned "
            "round. Where particles are dark as they are stored, write it anew with "
            "0 for black.",
            path,
        )
        image = _turned_round(image)
    return image[None, ::-1]


def tiff_shape(path: Path) -> Shape:
    """Return the size ``(1, Y, X)`` of the only image of a file, without decoding it.

    Raises
    ------
    InputDataError
        As ``read_tiff``.
    """
    y, x = _from_image(path, lambda one: [n for n in one.shape if n != 1])
    return 1, y, x


def _from_image(path: Path, take: Callable[[tifffile.TiffPageSeries], Any]) -> Any:
    """Return what is taken from the only image of a file."""
    try:
        import tifffile
    except ModuleNotFoundError as error:
        raise InputDataError(
            f"Micrograph {path}: the package tifffile is missing, which reads TIFF. "
            "Install the engine again (scipion3 installb etpicker), or give MRC."
        ) from error
    try:
        with tifffile.TiffFile(path) as file:
            return take(_only_image(file, path))
    except InputDataError:
        raise
    except (OSError, ValueError, KeyError, tifffile.TiffFileError) as error:
        raise InputDataError(
            f"Micrograph {path} cannot be read as TIFF: {error}. Look whether it is "
            "whole, or give it as MRC."
        ) from error


def _only_image(file: tifffile.TiffFile, path: Path) -> tifffile.TiffPageSeries:
    """Return the image of a file; reduced copies of it do not count.

    Raises
    ------
    InputDataError
        If there are several, or it is none of grey levels.
    """
    series = [one for one in file.series if not one.keyframe.is_reduced]
    if len(series) != 1:
        sizes = ", ".join(str(one.shape) for one in series[:4])
        raise InputDataError(
            f"Micrograph {path}: {len(series)} images in the TIFF file"
            f"{f', of {sizes} pixels' if sizes else ''}; expected one. Give a file for "
            "each micrograph; of a movie, the sum of its frames."
        )
    (only,) = series
    shape = tuple(n for n in only.shape if n != 1)
    if int(only.keyframe.photometric) not in (WHITE_IS_ZERO, BLACK_IS_ZERO):
        raise InputDataError(
            f"Micrograph {path}: colours (shape {shape}), expected one grey image. "
            "Write it in grey levels; if it is a movie, give the sum of its frames."
        )
    if len(shape) != 2 or only.dtype.kind not in "iuf":
        raise InputDataError(
            f"Micrograph {path}: {only.dtype} numbers of shape {shape}, expected one "
            "grey image. Give the sum of the frames, not the movie."
        )
    return only


def _turned_round(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return an image with what was low high, in its own number type."""
    if image.dtype.kind == "f":
        return -image
    return np.invert(image)  # The highest number less each: 255 - n, and - 1 - n.
