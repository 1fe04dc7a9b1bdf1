"""One held-out slice with what a network picks there: a small file to look at."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError

FAULTS = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, SyntaxError, MemoryError),
    *(AttributeError, OverflowError, RuntimeError, zipfile.BadZipFile, zlib.error),
    tokenize.TokenError,
)
"""What NumPy raises for a file that is missing, torn or another's."""


@dataclass(frozen=True)
class ValidationSlice:
    """A slice at the working voxel size, and the places near it.

    Attributes
    ----------
    tomogram_id, z, step
        Which slice of which tomogram (working voxels), and when.
    image
        ``(Y, X)`` float16, normalised; the part that is held out and its surroundings.
    held_out_yx
        ``(2, 2)`` start and stop of the held-out part in the image.
    class_names, radii_vox
        ``(C,)`` names, and radii of the particles.
    picks_zyx, pick_channels, scores
        ``(N, 3)`` voxels of the image, z counted from the slice; ``(N,)`` classes and
        scores, which reach the classes' thresholds of the moment.
    truth_zyx, truth_channels
        ``(M, 3)`` and ``(M,)``: the particles marked in the held-out part.
    """

    tomogram_id: str
    z: int
    step: int
    image: NDArray[np.float16]
    held_out_yx: NDArray[np.intp]
    class_names: tuple[str, ...]
    radii_vox: NDArray[np.float64]
    picks_zyx: NDArray[np.float64]
    pick_channels: NDArray[np.intp]
    scores: NDArray[np.float64]
    truth_zyx: NDArray[np.float64]
    truth_channels: NDArray[np.intp]


def write_validation_slice(shown: ValidationSlice, path: Path) -> None:
    """Write NumPy's ``.npz``, over a former one; nothing in it is pickled."""
    arrays = {name: np.asarray(value) for name, value in asdict(shown).items()}
    with write_whole(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def read_validation_slice(path: Path) -> ValidationSlice:
    """Read it back.

    Raises
    ------
    InputDataError
        If there is none, or it is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        _check_arrays(arrays)
        return ValidationSlice(
            **{
                **arrays,
                "tomogram_id": str(arrays["tomogram_id"]),
                "z": int(arrays["z"]),
                "step": int(arrays["step"]),
                "class_names": tuple(arrays["class_names"].tolist()),
            }
        )
    except FAULTS as error:
        raise InputDataError(
            f"{path} holds no validation slice: {error}. It appears with the first "
            "validation."
        ) from error


def _check_arrays(arrays: dict[str, NDArray[np.generic]]) -> None:
    """Refuse arrays that do not fit each other.

    Raises
    ------
    ValueError, KeyError
        If one is of another shape, or speaks of a class that there is not.
    """
    classes = len(arrays["class_names"])
    picks, truth = len(arrays["pick_channels"]), len(arrays["truth_channels"])
    shapes = {
        "tomogram_id": (),
        "z": (),
        "step": (),
        "image": arrays["image"].shape[:2],
        "held_out_yx": (2, 2),
        "radii_vox": (classes,),
        "picks_zyx": (picks, 3),
        "scores": (picks,),
        "truth_zyx": (truth, 3),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} is of shape {arrays[name].shape}, not {shape}")
    for name in ("pick_channels", "truth_channels"):
        channels = arrays[name]
        if not np.isin(channels, np.arange(classes)).all() or channels.ndim != 1:
            raise ValueError(f"{name} names a class that there is not")
