"""Small micrographs with dark discs at known places, in noise and uneven ice."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np

PIXEL_SIZE = 5.0
DIAMETER = 90.0


def write_micrograph(path: Path, image: np.ndarray, *, pixel_size: float) -> Path:
    """Write an image ``(Y, X)`` as MRC."""
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(image.astype(np.float32))
        mrc.voxel_size = pixel_size
    return path


def make_micrograph(
    path: Path, shape_yx: tuple[int, int], count: int, *, seed: int
) -> np.ndarray:
    """Write a micrograph and its CSV; return ``(N, 2)`` the discs' centres, yx.

    Ice gets thicker along x, by more than a disc is dark, and some pixels are hot.
    """
    generator = np.random.default_rng(seed)
    radius = DIAMETER / PIXEL_SIZE / 2
    centres: list[np.ndarray] = []
    while len(centres) < count:
        place = generator.uniform(radius, np.array(shape_yx) - 1 - radius).round(2)
        if all(np.linalg.norm(place - other) > 2.2 * radius for other in centres):
            centres.append(place)
    y, x = np.indices(shape_yx)
    image = 1000 - 10 * x / shape_yx[1] + generator.normal(0, 1, shape_yx)
    for cy, cx in centres:
        away = np.hypot(y - cy, x - cx)
        image -= 3 * np.clip(radius - away + 0.5, 0, 1)
    hot = generator.integers(0, shape_yx, (10, 2))
    image[tuple(hot.T)] = 30_000
    write_micrograph(path, image, pixel_size=PIXEL_SIZE)
    rows = [f"disc,{cx},{cy}" for cy, cx in centres]
    path.with_suffix(".csv").write_text("\n".join(["class,x,y", *rows]) + "\n")
    return np.array(centres)
