"""How much likelier a place's voxels are with a particle of a map than without one.

The likelihood is averaged over all orientations and over where exactly the centre is,
so that nothing has to be decided of a particle that is hardly seen (a matched filter's
best score decides).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.evidence.orientations import TurnedMap
from etpicker_plugin.engine.evidence.seen import Seeing
from etpicker_plugin.engine.volumes.array_volume import Readable

SHIFT_VOX = 2.3
"""How far from a place the centre may be, working voxels of the ball's length."""

COARSE_SHIFT = 1.5
BLOCK_EDGE = 96
FADE_VOX = 8
"""What the filter reaches: a block is filtered with so much around it."""

EXTREME = 3.5
AT_ONCE = 8


OnPlaces = Callable[[int, int], None]
"""Hears how many places were looked at, of how many."""


def tell_nobody(done: int, total: int) -> None:
    """Hear it."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What maps say of N places, of C classes, at A contrasts.

    Attributes
    ----------
    evidence
        ``(N, C, A)`` log of how much likelier the voxels are with a particle.
    centres_zyx
        ``(N, C, A, 3)``: where its centre is to be expected.
    """

    evidence: FloatArray
    centres_zyx: FloatArray


def look_at(
    places_zyx: FloatArray,
    volume: Readable,
    seeing: Seeing,
    maps: Sequence[TurnedMap],
    *,
    contrasts: Sequence[float],
    on_places: OnPlaces = tell_nobody,
) -> Found:
    """Return what maps say of places ``(N, 3)`` in a volume's voxels."""
    number, sizes = len(places_zyx), (len(maps), len(contrasts))
    evidence = np.zeros((number, *sizes))
    centres = np.broadcast_to(places_zyx[:, None, None, :], (number, *sizes, 3)).copy()
    strengths = [seeing.strengths(one) for one in maps]
    factors = torch.tensor(contrasts, dtype=torch.float32)
    done = 0
    for inside, start, filtered in _blocks(places_zyx, volume, seeing, maps):
        for channel, (one, strength) in enumerate(zip(maps, strengths, strict=True)):
            for some in np.array_split(inside, -(-len(inside) // AT_ONCE)):
                found, moved = _compare(
                    places_zyx[some] - start, filtered, one, strength, factors
                )
                evidence[some, channel] = found
                centres[some, channel] = moved + start
        done += len(inside)
        on_places(done, number)
    return Found(evidence=evidence, centres_zyx=centres)


def _blocks(
    places: FloatArray, volume: Readable, seeing: Seeing, maps: Sequence[TurnedMap]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], Tensor]]:
    """Yield places, the corner of a block around them, and it, filtered."""
    reach = max((one.radius + _reach(one) + 1) * one.step for one in maps) + 1
    margin = reach + FADE_VOX
    numbers = np.floor(places / BLOCK_EDGE).astype(np.intp)
    for block in np.unique(numbers, axis=0):
        inside = np.flatnonzero((numbers == block).all(axis=1))
        low = np.floor(places[inside].min(axis=0)).astype(np.intp) - margin
        high = np.ceil(places[inside].max(axis=0)).astype(np.intp) + margin + 1
        high += (high - low) % 2
        values = volume.read(tuple(low.tolist()), tuple(high.tolist()))
        grey = (values - seeing.look.mean) / seeing.look.deviation
        yield inside, low, seeing.matched(np.clip(grey, -EXTREME, EXTREME))


def _reach(one: TurnedMap) -> int:
    return int(SHIFT_VOX if one.step == 1 else COARSE_SHIFT)


def _shifts(one: TurnedMap) -> NDArray[np.intp]:
    """Return ``(S, 3)`` where the centre may be, in the ball's voxels."""
    most = SHIFT_VOX if one.step == 1 else COARSE_SHIFT
    axis = np.arange(-int(most), int(most) + 1)
    cube = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    return np.asarray(cube[(cube**2).sum(axis=-1) <= most**2])


def _compare(
    places: FloatArray,
    filtered: Tensor,
    one: TurnedMap,
    strength: Tensor,
    contrasts: Tensor,
) -> tuple[FloatArray, FloatArray]:
    """Return evidence ``(n, A)`` and expected centres ``(n, A, 3)`` of a class."""
    half = one.radius + _reach(one)
    edge, step = 2 * half + 1, one.step
    middle = (step - 1) / 2
    base = np.round(places - middle).astype(np.intp)
    patches = torch.stack([_patch(filtered, b, half, step) for b in base])
    shifts = _shifts(one)
    voxels = one.ball_zyx[None] + shifts[:, None] + half
    index = torch.from_numpy(voxels @ np.array([edge**2, edge, 1]))
    taken = patches.flatten(1)[:, index] * float(step**3)
    scores = (taken @ one.basis) @ one.turned  # (n, S, R)
    likely = torch.stack(
        [scores * a - strength * (a * a / 2) for a in contrasts.tolist()], dim=1
    )
    of_shift = torch.logsumexp(likely, dim=3)  # (n, A, S)
    total = torch.logsumexp(of_shift, dim=2)
    number = float(np.log(scores.shape[1] * scores.shape[2]))
    weights = torch.exp(of_shift - total[..., None]).double().numpy()
    centres = (base + middle)[:, None] + step * (weights @ shifts)
    return (total - number).double().numpy(), centres


def _patch(filtered: Tensor, base: NDArray[np.intp], half: int, step: int) -> Tensor:
    """Return a cube of means of ``step``³ voxels about a place."""
    low = base - half * step
    high = low + (2 * half + 1) * step
    z, y, x = (slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True))
    cube = filtered[z, y, x]
    if step == 1:
        return cube
    return torch.nn.functional.avg_pool3d(cube[None, None], step)[0, 0]
