"""How the cloud of picks is looked at: turned, projected, without perspective.

The scene is the tomogram's box about its middle, in voxels, x y z. On the screen x goes
rightwards, y upwards, and depth towards the viewer.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etpicker_plugin.window.drawing.slices import X, Y, Z

RADIANS_PER_PIXEL = 0.008
FILLED_SHARE = 0.94
"""Of the shorter side of the picture, by the box's longest diagonal, at a zoom of 1."""

LEAST_ZOOM, MOST_ZOOM = 0.3, 60.0
TILT, TURN = np.deg2rad((-62.0, -28.0))

ALONG = {
    Z: np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=float),
    Y: np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=float),
    X: np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], dtype=float),
}
"""Axis looked along -> the rotation that shows it as its slice lies."""


def about_x(angle: float) -> NDArray[np.float64]:
    """Return the rotation ``(3, 3)`` that turns y towards z."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def about_y(angle: float) -> NDArray[np.float64]:
    """Return the rotation ``(3, 3)`` that turns z towards x."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def about_z(angle: float) -> NDArray[np.float64]:
    """Return the rotation ``(3, 3)`` that turns x towards y."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


SLANTED = about_x(TILT) @ about_z(TURN)
"""The view to begin with: from above, z upwards."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """From where the box is seen.

    Attributes
    ----------
    rotation
        ``(3, 3)``; its rows are rightwards, upwards and towards the viewer, in x y z.
    zoom
        1 shows all of the box however it is turned.
    shift
        ``(2,)`` where the middle of the box lies, in pixels from that of the picture.
    """

    rotation: NDArray[np.float64]
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    def turned(self, right_px: float, down_px: float) -> "Camera":
        """Return it after a drag: what faces the viewer follows the mouse."""
        turn = about_x(down_px * RADIANS_PER_PIXEL) @ about_y(
            right_px * RADIANS_PER_PIXEL
        )
        # Thousands of small turns would otherwise stretch the scene.
        left, _, right = np.linalg.svd(turn @ self.rotation)
        return replace(self, rotation=left @ right)

    def zoomed(self, factor: float, about_px: tuple[float, float]) -> "Camera":
        """Return it nearer; what lies at a pixel from the picture's middle stays."""
        zoom = float(np.clip(self.zoom * factor, LEAST_ZOOM, MOST_ZOOM))
        real = zoom / self.zoom
        x, y = (a + (s - a) * real for a, s in zip(about_px, self.shift, strict=True))
        return replace(self, zoom=zoom, shift=(x, y))

    def moved(self, right_px: float, down_px: float) -> "Camera":
        """Return it with the scene moved across the picture."""
        x, y = self.shift
        return replace(self, shift=(x + right_px, y + down_px))


def pixels_per_voxel(
    camera: Camera, shape_zyx: tuple[int, int, int], size_px: tuple[float, float]
) -> float:
    """Return the scale of the picture."""
    diagonal = float(np.linalg.norm(shape_zyx))
    return FILLED_SHARE * min(size_px) / diagonal * camera.zoom


def project(
    points_zyx: ArrayLike,
    camera: Camera,
    *,
    shape_zyx: tuple[int, int, int],
    size_px: tuple[float, float],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return pixels ``(N, 2)``, rightwards and downwards, and depths ``(N,)``.

    Depths are voxels from the middle of the box towards the viewer.
    """
    middle = (np.asarray(shape_zyx, dtype=float) - 1) / 2
    centred = (np.asarray(points_zyx, dtype=float).reshape(-1, 3) - middle)[:, ::-1]
    seen = centred @ camera.rotation.T
    scale = pixels_per_voxel(camera, shape_zyx, size_px)
    origin = np.asarray(size_px) / 2 + np.asarray(camera.shift)
    return seen[:, :2] * (scale, -scale) + origin, seen[:, 2]


def box_corners(shape_zyx: tuple[int, int, int]) -> NDArray[np.float64]:
    """Return the corners ``(8, 3)`` of a tomogram, zyx, at the faces of its voxels.

    The bits of a corner's number say in which of z, y, x it is at the far end.
    """
    bits = np.arange(8)[:, None] >> np.array([2, 1, 0]) & 1
    return bits * np.asarray(shape_zyx, dtype=float) - 0.5


EDGES = tuple((a, a | bit) for a in range(8) for bit in (1, 2, 4) if not a & bit)
"""Pairs of corners that an edge of the box joins: 12."""


def slice_corners(
    axis: int, index: float, shape_zyx: tuple[int, int, int]
) -> NDArray[np.float64]:
    """Return the corners ``(4, 3)`` of a slice, zyx, one after the other round it."""
    across = [a for a in (Z, Y, X) if a != axis]
    corners = np.full((4, 3), float(index))
    for i, ends in enumerate(((0, 0), (0, 1), (1, 1), (1, 0))):
        for a, end in zip(across, ends, strict=True):
            corners[i, a] = end * shape_zyx[a] - 0.5
    return corners
