"""Where a set's picks lie beside the particles that they average to.

One box's shift is lost in noise; the mean of many cross-correlations is not. So the
cross-correlations of all boxes of a set with the reference, each turned as its box
is, are averaged in the tomogram's frame, and the peak of that mean is the set's
offset. Picks of nothing add no peak, and particles of all orientations cancel what
the reference itself is off centre.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.comparison.offsets import Offset
from etpicker_plugin.engine.verdict.alignment.likelihood import soft_sphere
from etpicker_plugin.engine.verdict.alignment.turning import to_particle

RESAMPLES = 200
SMOOTHING_VOX = 1.0
REACH_VOX = 4


def correlation_map(
    box: NDArray[np.floating], reference: NDArray[np.floating], matrix_xyz: FloatArray
) -> FloatArray:
    """Return ``(9, 9, 9)``: the correlation of a box with its reference over shifts.

    The middle is no shift; a peak at +1 means that the particle stands one voxel above
    the box's centre on that axis.

    Parameters
    ----------
    reference
        ``(B, B, B)`` of the *other* half set, so that a box does not find itself.
    """
    turned = to_particle(reference, matrix_xyz)
    turned = turned - turned.mean()
    product = np.fft.fftn(box) * np.conj(np.fft.fftn(turned))
    correlation = np.fft.fftshift(np.fft.ifftn(product).real)
    norm = np.sqrt((turned**2).sum() * (np.asarray(box) ** 2).sum())
    middle = box.shape[-1] // 2
    near = slice(middle - REACH_VOX, middle + REACH_VOX + 1)
    return np.asarray(correlation[near, near, near] / max(norm, 1e-12))


def centre_map(
    volume: NDArray[np.floating], *, radius_vox: float
) -> NDArray[np.floating]:
    """Return a map moved so that its particle's centre of mass is the box's centre.

    A reference that was made from picks is centred on them, wherever they lie; only
    the particle itself can tell where its centre is. What is brighter than half the
    highest value in the sphere counts. Map and result are ``(B, B, B)``.
    """
    inside = volume * soft_sphere(volume.shape[-1], radius_vox=radius_vox)
    smooth = ndimage.gaussian_filter(inside, SMOOTHING_VOX)
    body = np.clip(smooth - smooth.max() / 2, 0.0, None)
    if not body.any():
        return volume
    centre = np.full(3, volume.shape[-1] // 2)
    return np.asarray(
        ndimage.shift(volume, centre - ndimage.center_of_mass(body), order=1)
    )


def set_offset(
    maps: Iterable[FloatArray], *, scale: float, generator: np.random.Generator
) -> Offset:
    """Return how far a set's picks lie from the particles, pick minus particle.

    Parameters
    ----------
    maps
        ``(9, 9, 9)`` of every box (see ``correlation_map``).
    scale
        Box voxel size over the tomogram's: the result is in the tomogram's voxels.
    """
    stack = np.stack(list(maps))
    n = len(stack)
    peaks = [
        find_peak(np.tensordot(_drawn(n, generator), stack, axes=1))
        for _ in range(RESAMPLES)
    ]
    shift = -find_peak(stack.mean(axis=0)) * scale
    error = np.std(peaks, axis=0) * scale
    return Offset(
        n=n,
        mean_xyz=tuple(float(v) for v in shift[::-1]),
        standard_error_xyz=tuple(float(v) for v in error[::-1]),
    )


def _drawn(n: int, generator: np.random.Generator) -> FloatArray:
    """Return how often each box is drawn in one bootstrap sample, over n."""
    return np.bincount(generator.integers(n, size=n), minlength=n) / n


def find_peak(volume: FloatArray) -> FloatArray:
    """Return ``(3,)`` zyx: the highest place from the middle, between voxels.

    Parabolas through the highest voxel and its neighbours; at an edge, the voxel.
    """
    middle = volume.shape[-1] // 2
    top = np.array(np.unravel_index(int(volume.argmax()), volume.shape))
    place = top - float(middle)
    for axis in range(3):
        if 0 < top[axis] < volume.shape[axis] - 1:
            step = np.eye(3, dtype=int)[axis]
            below, at, above = (volume[tuple(top + k * step)] for k in (-1, 0, 1))
            bend = below - 2 * at + above
            place[axis] += 0.5 * (below - above) / bend if bend else 0.0
    return np.asarray(place)


def add_offsets(first: Offset, second: Offset) -> Offset:
    """Return the sum of two independent offsets; their errors add in squares."""
    pairs = zip(first.mean_xyz, second.mean_xyz, strict=True)
    errors = zip(first.standard_error_xyz, second.standard_error_xyz, strict=True)
    return Offset(
        n=min(first.n, second.n),
        mean_xyz=tuple(a + b for a, b in pairs),
        standard_error_xyz=tuple(float(np.hypot(a, b)) for a, b in errors),
    )
