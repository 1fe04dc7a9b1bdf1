"""Pieces of filaments joined where others cross them, in the plane of a micrograph.

Where two bands cross, their ridges run into each other: a chain that follows the points
between the two bends, and is cut. So an end is looked at some widths before it, and
joined to the end beyond the crossing that it points to, and that points back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.filaments.settings import TraceSettings

Piece = tuple[FloatArray, FloatArray]
"""``(N, 3)`` places in order, and ``(N,)`` their scores."""

LEFT_OUT, LOOKED_AT = 2.5, 1.5
"""Widths of a piece that may lie between two filaments, and before it, tell its way."""

MOST_LEFT_OUT = 1 / 3
"""Of its length."""

MOST_ASIDE = np.radians(15.0)
"""From the way that an end points, where the other one lies."""

MOST_TURN = np.radians(20.0)
"""Of the other end, from the arc that leads to it."""


@dataclass(frozen=True)
class _End:
    """An end of a piece, without what may lie between two filaments.

    Attributes
    ----------
    piece
        Up to that.
    heading
        ``(3,)`` unit vector, out of the piece.
    tip
        ``(3,)``, where it ends with all.
    """

    piece: Piece
    heading: FloatArray
    tip: FloatArray

    @property
    def place(self) -> FloatArray:
        """Return ``(3,)``."""
        return self.piece[0][-1]


def join_across(pieces: list[Piece], settings: TraceSettings) -> list[Piece]:
    """Return pieces, those joined that go on in each other, the straightest first."""
    while True:
        ends = [_ends(piece, settings.width) for piece in pieces]
        flat = [end for both in ends for end in both]
        costs = _costs(flat, gap=settings.gap)
        if not np.isfinite(costs).any():
            return pieces
        one, other = np.unravel_index(int(costs.argmin()), costs.shape)
        first, second = flat[one].piece, flat[other].piece
        joined = tuple(
            np.concatenate([a, b[::-1]]) for a, b in zip(first, second, strict=True)
        )
        gone = {int(one) // 2, int(other) // 2}
        pieces = [p for n, p in enumerate(pieces) if n not in gone]
        pieces.append((joined[0], joined[1]))


def _ends(piece: Piece, width: float) -> tuple[_End, _End]:
    """Return both ends: the last, and the first with all in the opposite order."""
    places, scores = piece
    return _end(places, scores, width), _end(places[::-1], scores[::-1], width)


def _end(places: FloatArray, scores: FloatArray, width: float) -> _End:
    """Return the end of a piece that its last place is at.

    By distances from there: on the way, points may lie side by side.
    """
    away = np.linalg.norm(places - places[-1], axis=1)
    left_out = min(LEFT_OUT * width, MOST_LEFT_OUT * away.max())
    looked_at = min(left_out + LOOKED_AT * width, away.max())
    last = max(int(np.flatnonzero(away >= left_out)[-1]), 1)
    behind = min(int(np.flatnonzero(away >= looked_at)[-1]), last - 1)
    way = places[last] - places[behind]
    heading = way / np.linalg.norm(way)
    return _End((places[: last + 1], scores[: last + 1]), heading, places[-1])


def _costs(ends: list[_End], *, gap: float) -> FloatArray:
    """Return ``(N, N)``: how little two ends go on in each other; infinite: not at all.

    Ends 2 n and 2 n + 1 are of one piece. An arc that leaves an end arrives with the
    mirror image of its heading across the chord.
    """
    if len(ends) < 4:
        return np.full((1, 1), np.inf)
    places = np.stack([end.place for end in ends])
    headings = np.stack([end.heading for end in ends])
    ways = places[None] - places[:, None]
    distances = np.linalg.norm(ways, axis=2)
    chords = ways / np.maximum(distances, 1e-12)[:, :, None]
    leaving = np.einsum("ijk,ik->ij", chords, headings)
    arriving = 2 * leaving[:, :, None] * chords - headings[:, None]
    turn = -np.einsum("ijk,jk->ij", arriving, headings)
    aside, turned = np.arccos(np.clip([leaving, turn], -1.0, 1.0))
    tips = np.stack([end.tip for end in ends])
    apart = np.linalg.norm(tips[None] - tips[:, None], axis=2)
    number = np.arange(len(ends)) // 2
    may = (
        (number[:, None] != number)
        & (apart <= gap)
        & (np.maximum(aside, aside.T) <= MOST_ASIDE)
        & (turned <= MOST_TURN)
    )
    costs = apart / gap + aside / MOST_ASIDE + turned / MOST_TURN
    return np.where(may, costs, np.inf)
