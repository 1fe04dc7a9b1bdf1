"""What a beam passes through on its way to a micrograph, seen from above.

The canvas holds, at each place, how many Å of dense matter lie there one above the
other. It is painted at 3 Å or the pixel size, whichever is coarser: finer details than
that tell a picker nothing, and a 4096 x 4096 micrograph would take minutes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.geometry import rescale

FINEST_ANG = 3.0

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass
class Canvas:
    """Matter ``(Y, X)`` (Å) and what is occupied (bool), at a spacing (Å)."""

    thickness: Image
    occupied: Mask
    spacing: float

    @property
    def shape_zyx(self) -> tuple[int, int, int]:
        """Return its size as that of a volume one section thick."""
        return (1, *self.thickness.shape)  # type: ignore[return-value]

    def in_pixels(self, positions_zyx: FloatArray, pixel_size: float) -> FloatArray:
        """Return places on the canvas, ``(N, 3)`` zyx, in pixels of the micrograph."""
        ratio = self.spacing / pixel_size
        return rescale(np.asarray(positions_zyx), (1.0, ratio, ratio)) * (0, 1, 1)

    def claim(
        self, image: Image, body: Mask, low_yx: NDArray[np.int64], *, overlap: float
    ) -> bool:
        """Paint an image with its first pixel at a place, if its body finds room.

        What lies beyond the edges is cut off. Up to a share ``overlap`` of the body may
        lie where something stands already.
        """
        high = np.minimum(low_yx + image.shape, self.thickness.shape)
        first = np.maximum(low_yx, 0)
        if (first >= high).any():
            return False
        inside = tuple(slice(a, b) for a, b in zip(first, high, strict=True))
        part = tuple(
            slice(a, b) for a, b in zip(first - low_yx, high - low_yx, strict=True)
        )
        shared = np.count_nonzero(self.occupied[inside] & body[part])
        if shared > overlap * np.count_nonzero(body):
            return False
        self.thickness[inside] += image[part]
        self.occupied[inside] |= body[part]
        return True


def canvas_spacing(pixel_size: float) -> float:
    """Return the spacing (Å) at which a micrograph's canvas is painted."""
    return max(FINEST_ANG, pixel_size)


def empty_canvas(shape_yx: tuple[int, int], pixel_size: float) -> Canvas:
    """Return a canvas that covers a micrograph."""
    spacing = canvas_spacing(pixel_size)
    ny, nx = (int(np.ceil(n * pixel_size / spacing)) for n in shape_yx)
    return Canvas(
        thickness=np.zeros((ny, nx), np.float32),
        occupied=np.zeros((ny, nx), dtype=bool),
        spacing=spacing,
    )


def at_pixels(canvas: Canvas, shape_yx: tuple[int, int], pixel_size: float) -> Image:
    """Return the canvas at the pixels of its micrograph, ``(Y, X)``."""
    ratio = pixel_size / canvas.spacing
    if ratio == 1.0:
        return canvas.thickness.copy()
    image: Image = ndimage.affine_transform(
        canvas.thickness,
        (ratio, ratio),
        offset=0.5 * ratio - 0.5,
        output_shape=shape_yx,
        output=np.float32,
        mode="nearest",
    )
    return image


def distances(
    shape_yx: tuple[int, ...], centre_yx: FloatArray, spacing: float
) -> Image:
    """Return how far (Å) each pixel ``(Y, X)`` is from a place (pixels)."""
    y, x = (
        ((np.arange(n) - c) * spacing).astype(np.float32)
        for n, c in zip(shape_yx, centre_yx, strict=True)
    )
    return np.asarray(np.hypot(y[:, None], x[None]), dtype=np.float32)
