"""Half maps of many subsets from one alignment, in one pass over the boxes.

An average is a sum over particles divided by how often each Fourier component was
measured. Sums add up, so every subset's maps come from turning each box just once.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.verdict.alignment.turning import to_reference

LEAST_WEIGHT = 0.05
"""Components measured by fewer than this share of the particles are not raised."""


def average_subsets(
    boxes: Iterable[NDArray[np.floating]],
    matrices: Sequence[FloatArray],
    origins_zyx: FloatArray,
    membership: NDArray[np.bool_],
    *,
    wedge: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return ``(S, B, B, B)``: the average of every subset.

    Parameters
    ----------
    boxes
        ``N`` boxes ``(B, B, B)`` in order; they are read once.
    matrices, origins_zyx
        ``N`` orientations (see ``alignment``) and ``(N, 3)`` shifts in voxels.
    membership
        ``(S, N)``: which boxes each subset has.
    wedge
        ``(B, B, B)``, 1 where measured, zero frequency at B // 2.
    """
    size = wedge.shape[-1]
    half = (size, size, size // 2 + 1)
    sums = np.zeros((len(membership), *half), np.complex64)
    weights = np.zeros((len(membership), *half), np.float32)
    for number, box in enumerate(boxes):
        wanted = np.flatnonzero(membership[:, number])
        if not len(wanted):
            continue
        turned = to_reference(box, matrices[number], origin_zyx=origins_zyx[number])
        spectrum = np.fft.rfftn(turned).astype(np.complex64)
        weight = _half(to_reference(wedge, matrices[number], order=1))
        for subset in wanted:
            sums[subset] += spectrum
            weights[subset] += weight
    return np.stack(
        [
            _divide(total, weight, int(members.sum()))
            for total, weight, members in zip(sums, weights, membership, strict=True)
        ]
    )


def _half(centred: FloatArray) -> NDArray[np.float32]:
    """Return a centred ``(B, B, B)`` weight as the half that ``rfftn`` has."""
    moved = np.fft.ifftshift(centred)
    return np.asarray(moved[..., : centred.shape[-1] // 2 + 1], dtype=np.float32)


def _divide(
    total: NDArray[np.complex64], weight: NDArray[np.float32], count: int
) -> NDArray[np.float32]:
    floor = max(LEAST_WEIGHT * count, 1e-6)
    spectrum = total / np.maximum(weight, floor)
    size = total.shape[0]
    return np.fft.irfftn(spectrum, s=(size,) * 3, axes=(0, 1, 2)).astype(np.float32)
