"""The cloud of picks: which, in which colours, and as small balls in an image."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.settings import Classes
from etpicker_plugin.window.drawing.colours import (
    MARKED_COLOUR,
    class_colour,
    hex_to_rgb,
    score_colours,
)

SCORE_STEPS = 64
DEPTH_STEPS = 16
NEARNESS = np.linspace(0.45, 1.0, DEPTH_STEPS)
"""How bright the balls of each step of depth are, the farthest first."""

LEAST_RADIUS_PX, MOST_RADIUS_PX = 1.5, 9.0
MOST_BALL_PIXELS = 900_000
"""More would take long: a crowd is drawn as smaller balls."""

SIZES = 1000
"""More than there are radii in half pixels."""

GRIP_PX = 4.0


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Picks in space.

    Attributes
    ----------
    ids
        ``(N,)`` the picks' numbers.
    positions_zyx
        ``(N, 3)``.
    radii_vox
        ``(N,)``.
    colours
        ``(N,)`` rows of ``palette``.
    palette
        ``(P, 3)`` red, green, blue, 0 … 255.
    by_score
        Whether colours stand for scores, not for classes.
    scores
        Lowest and highest score; ``None`` if they are not shown or there is none.
    """

    ids: NDArray[np.intp]
    positions_zyx: NDArray[np.float64]
    radii_vox: NDArray[np.float64]
    colours: NDArray[np.intp]
    palette: NDArray[np.uint8]
    by_score: bool = False
    scores: tuple[float, float] | None = None


def cloud_of(
    document: Document,
    classes: Classes,
    *,
    hidden: frozenset[str] = frozenset(),
    by_score: bool = False,
) -> Cloud:
    """Return the picks that count and whose class is not hidden.

    Points of filaments are not among them: these are drawn as curves.
    """
    annotation = document.annotation
    seen = document.visible(classes, hidden) & ~document.on_filament(classes)
    ids = np.flatnonzero(seen)
    codes = annotation.codes[ids]
    names = classes.names()
    if by_score:
        colours, palette, scores = _colour_scores(annotation.scores[ids])
    else:
        rows = [hex_to_rgb(class_colour(n, names)) for n in annotation.class_names]
        palette = np.array(rows or [(0, 0, 0)], dtype=np.uint8)
        colours, scores = codes.astype(np.intp), None
    return Cloud(
        ids=ids,
        positions_zyx=annotation.positions_zyx[ids],
        radii_vox=document.radii_vox(classes, ids),
        colours=colours,
        palette=palette,
        by_score=by_score,
        scores=scores,
    )


def _colour_scores(
    scores: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.uint8], tuple[float, float] | None]:
    """Return colours, palette and range; picks without a score are grey."""
    palette = np.vstack([score_colours(SCORE_STEPS), [hex_to_rgb(MARKED_COLOUR)]])
    colours = np.full(len(scores), SCORE_STEPS, dtype=np.intp)
    known = np.isfinite(scores)
    if not known.any():
        return colours, palette.astype(np.uint8), None
    low, high = float(scores[known].min()), float(scores[known].max())
    share = (scores[known] - low) / max(high - low, 1e-12)
    colours[known] = np.rint(share * (SCORE_STEPS - 1)).astype(np.intp)
    return colours, palette.astype(np.uint8), (low, high)


def ball_radii(
    radii_vox: NDArray[np.float64], *, scale: float, detail: float = 1.0
) -> NDArray[np.float64]:
    """Return radii in pixels ``(N,)``: the true ones, within limits, in half pixels.

    ``scale`` is pixels per voxel, ``detail`` device pixels per pixel. Where so many
    balls would cover too many pixels, all are as small as it takes.
    """
    wanted = np.clip(radii_vox * scale, LEAST_RADIUS_PX, MOST_RADIUS_PX) * detail
    pixels = np.pi * float((wanted**2).sum())
    if pixels > MOST_BALL_PIXELS:
        wanted = wanted * np.sqrt(MOST_BALL_PIXELS / pixels)
    return np.maximum(np.rint(2 * wanted) / 2, 0.5)


def stamp_balls(
    image: NDArray[np.uint32],
    centres_px: NDArray[np.float64],
    radii_px: NDArray[np.float64],
    brightness: NDArray[np.intp],
    colours: NDArray[np.intp],
    palette: NDArray[np.uint8],
) -> None:
    """Draw balls, the farthest first, into ``(h, w)`` ARGB pixels, in place.

    Parameters
    ----------
    centres_px
        ``(N, 2)`` columns and rows.
    radii_px
        ``(N,)`` in half pixels.
    brightness
        ``(N,)`` steps of depth, 0 … ``DEPTH_STEPS`` - 1, ascending.
    colours, palette
        See ``Cloud``.
    """
    height, width = image.shape
    flat = image.reshape(-1)
    columns, rows = np.floor(centres_px).astype(np.intp).T
    # Balls of one size and step are drawn at once; the steps one before the other.
    kinds = brightness * SIZES + np.rint(2 * radii_px).astype(np.intp)
    for kind in np.unique(kinds).tolist():
        step, size = divmod(kind, SIZES)
        down, right, light = _ball(size / 2)
        chosen = kinds == kind
        y = rows[chosen][:, None] + down
        x = columns[chosen][:, None] + right
        pixels = _shaded(palette, light * NEARNESS[step])[colours[chosen]]
        seen = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        # Of several balls at one pixel the last one stays, the nearest.
        flat[(y * width + x)[seen]] = pixels[seen]


@lru_cache(maxsize=64)
def _ball(
    radius: float,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return rows, columns ``(K,)`` and the light on a ball lit from the upper left."""
    reach = int(np.ceil(radius))
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    inside = down**2 + right**2 <= max(radius, 0.5) ** 2
    y, x = down[inside] / max(radius, 1), right[inside] / max(radius, 1)
    up = np.sqrt(np.clip(1 - x**2 - y**2, 0, 1))
    light = np.clip(0.45 + 0.7 * (-0.45 * x - 0.45 * y + 0.77 * up), 0.3, 1.12)
    return down[inside], right[inside], light if radius > 1 else np.ones_like(light)


def _shaded(
    palette: NDArray[np.uint8], light: NDArray[np.float64]
) -> NDArray[np.uint32]:
    """Return ``(P, K)`` ARGB pixels of every colour in every light."""
    rgb = np.clip(palette[:, None, :] * light[:, None], 0, 255).astype(np.uint32)
    red, green, blue = np.moveaxis(rgb, -1, 0)
    return (0xFF000000 | red << 16 | green << 8 | blue).astype(np.uint32)


def depth_steps(
    depths: NDArray[np.float64], *, shape_zyx: tuple[int, int, int]
) -> NDArray[np.intp]:
    """Return the brightness ``(N,)`` of depths: the nearest corner's is the highest."""
    half = float(np.linalg.norm(shape_zyx)) / 2
    share = np.clip((depths / half + 1) / 2, 0, 1)
    return np.rint(share * (DEPTH_STEPS - 1)).astype(np.intp)


def ball_at(
    point_px: tuple[float, float],
    centres_px: NDArray[np.float64],
    radii_px: NDArray[np.float64],
    depths: NDArray[np.float64],
) -> int | None:
    """Return the row of the ball at a pixel; of several, the nearest to the viewer.

    A ball is at least ``GRIP_PX`` large for the mouse.
    """
    if len(depths) == 0:
        return None
    distances = np.hypot(*(centres_px - np.asarray(point_px)).T)
    on_ball = distances <= radii_px
    if on_ball.any():
        return int(np.argmax(np.where(on_ball, depths, -np.inf)))
    nearest = int(np.argmin(distances))
    return nearest if distances[nearest] <= radii_px[nearest] + GRIP_PX else None
