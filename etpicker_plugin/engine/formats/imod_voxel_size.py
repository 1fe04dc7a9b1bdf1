"""Whether an IMOD model was drawn on this tomogram, or on it at another voxel size."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.imod_model import ImodModel
from etpicker_plugin.engine.geometry import TomogramFrame

logger = logging.getLogger(__name__)

TOLERANCE = 0.01
"""A model's and the tomogram's voxel size may differ by this share."""
UNSET = 1.0
"""The voxel size, in Å, of an image whose header was never given one."""


def voxel_ratios(model: ImodModel, frame: TomogramFrame, *, path: Path) -> FloatArray:
    """Return ``(3,)`` xyz: the model's voxel size over the tomogram's, 1 if the same.

    Raises
    ------
    InputDataError
        If they differ by more than 1 %, and the two volumes are not equally long.
    """
    if model.voxel_size_xyz is None:
        return np.ones(3)
    voxel_size = np.array(model.voxel_size_xyz)
    size, own_size = np.array(model.size_xyz), np.array(frame.shape_zyx[::-1])
    ratios = voxel_size / frame.voxel_size
    if (np.abs(ratios - 1) <= TOLERANCE).all():
        return np.ones(3)
    fits = bool((size == own_size).all()) or not size.any()
    if fits and (voxel_size == UNSET).all():
        return np.ones(3)
    # Binned volumes end up to a voxel before or behind the whole one.
    apart = np.abs(size * ratios - own_size)
    if (apart >= 1 + ratios).any():
        raise InputDataError(
            f"{path}: the IMOD model was drawn on a volume of {_in_words(model)}, but "
            f"tomogram {frame.tomogram_id} has {' x '.join(map(str, own_size))} voxels "
            f"of {frame.voxel_size:g} Å. Open the model on this tomogram in 3dmod and "
            "save it; if only the voxel size in the old header was wrong, make a point "
            "file: model2point -object MODEL POINTS."
        )
    logger.warning(
        "%s: drawn on a volume of %s; rescaled to the %g Å of tomogram %s.",
        path,
        _in_words(model),
        frame.voxel_size,
        frame.tomogram_id,
    )
    return ratios


def _in_words(model: ImodModel) -> str:
    lengths = dict.fromkeys(f"{v:g}" for v in model.voxel_size_xyz or ())
    return f"{' x '.join(map(str, model.size_xyz))} voxels of {' x '.join(lengths)} Å"
