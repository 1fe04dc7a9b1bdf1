"""Micrographs in TIFF, compressed or not; decoded at once, for a plane is small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.errors import InputDataError

SUFFIXES = (".tif", ".tiff")


def is_tiff(path: Path | str) -> bool:
    """Tell by its name whether a file is TIFF."""
    return Path(path).suffix.lower() in SUFFIXES


def read_tiff(path: Path) -> NDArray[np.generic]:
    """Return the only image of a file as ``(1, Y, X)``, its first row at y = 0.

    Raises
    ------
    InputDataError
        If it cannot be read, or holds no single grey image.
    """
    try:
        import tifffile
    except ModuleNotFoundError as error:
        raise InputDataError(
            f"Micrograph {path}: the package tifffile is missing, which reads TIFF. "
            "Install the engine again (scipion3 installb etpicker), or give MRC."
        ) from error
    try:
        image = np.asarray(tifffile.imread(path))
    except (OSError, ValueError, KeyError, tifffile.TiffFileError) as error:
        raise InputDataError(
            f"Micrograph {path} cannot be read as TIFF: {error}. Look whether it is "
            "whole, or give it as MRC."
        ) from error
    image = image.squeeze()
    if image.ndim != 2 or min(image.shape) < 2 or image.dtype.kind not in "iuf":
        raise InputDataError(
            f"Micrograph {path}: {image.dtype} numbers of shape {image.shape}, "
            "expected one grey image. Give the sum of the frames, not the movie."
        )
    return image[None]
