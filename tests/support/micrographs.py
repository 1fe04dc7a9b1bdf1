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


def make_curved_micrograph(path: Path, shape_yx: tuple[int, int], *, seed: int) -> None:
    """Write an image with two bent bands and three rings, of 10 Å a pixel; its CSV.

    The bands, 250 Å wide, cross each other; the rings are 70 Å thick.
    """
    generator = np.random.default_rng(seed)
    height, width = shape_yx
    y, x = np.indices(shape_yx)
    image = generator.normal(0, 1, shape_yx)
    rows = []
    for number, slope in enumerate(generator.uniform(0.2, 0.5, 2) * [1, -1], 1):
        bend = generator.uniform(-2e-4, 2e-4)
        middle = generator.uniform(0.45, 0.55, 2) * (height, width)

        def course(across, slope=slope, bend=bend, middle=middle):
            along = across - middle[1]
            return middle[0] + slope * along + bend * along**2

        away = (y - course(x)) * np.cos(np.arctan(slope))
        image -= 2 * np.clip(13 - np.abs(away), 0, 1)
        for at in np.arange(10.0, width - 10, 30):
            if 0 <= course(at) <= height - 1:
                rows.append(f"mt,{at:.2f},{course(at):.2f},mt_{number},")
    for corner in ((0.2, 0.15), (0.82, 0.2), (0.8, 0.88)):
        radius = generator.uniform(22, 32)
        cy, cx = np.array(corner) * shape_yx + generator.uniform(-4, 4, 2)
        away = np.abs(np.hypot(y - cy, x - cx) - radius)
        image -= 2 * np.clip(4 - away, 0, 1)
        rows.append(f"liposome,{cx:.2f},{cy:.2f},,{10 * radius:.1f}")
    write_micrograph(path, image, pixel_size=10.0)
    header = "class,x,y,filament,radius"
    path.with_suffix(".csv").write_text("\n".join([header, *rows]) + "\n")


def make_instant_model(path: Path) -> Path:
    """Learn the discs of a micrograph at once; return ``model/model.safetensors``."""
    from etpicker_plugin.engine.config.train import TrainConfig
    from etpicker_plugin.engine.progress import ignore_progress
    from etpicker_plugin.engine.training.train import train

    out = path.parent / "model"
    out.mkdir()
    config = TrainConfig(
        tomogram=(str(path),),
        coordinates=(str(path.with_suffix(".csv")),),
        diameter={"disc": DIAMETER},
        annotation="complete",
        instant=True,
        device="cpu",
        threads=1,
        out=str(out),
    )
    return train(config, out, on_progress=ignore_progress)
