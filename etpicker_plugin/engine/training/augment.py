"""Augmentation: draw the parameters, then apply them; a seed replays both.

The image and the particle centres are moved by one map, and labels are painted
afterwards at the moved centres, so labels are never interpolated.

A micrograph's patch is one voxel thick. It may be seen from any side of the plane, so
it is turned in the plane by any angle and mirrored, and nothing moves along z.

The missing wedge: flips keep a wedge about the y axis; quarter turns are about z
only and turn the wedge from x to y, as small free turns tilt it a little. No
augmentation turns the beam (z) into the plane by more than the small free turn.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from etpicker_plugin.engine.arrays import FloatArray, along_axes

FREE_PROBABILITY = 0.3
LARGEST_TURN_DEG = 15.0
LARGEST_FLAT_TURN_DEG = 45.0
"""With the quarter turns, any angle."""
SCALE_RANGE = (0.95, 1.05)
ELASTIC_SHARE = 0.03
"""Largest elastic displacement as a share of the patch: below 5 %."""
ELASTIC_GRID = 4
NOISE_PROBABILITY = 0.5
MOST_NOISE = 0.8
"""At most 1.64 times the noise power."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """One draw.

    Attributes
    ----------
    matrix
        ``(3, 3)`` zyx, output offset from the patch's centre to input offset.
    exact
        Whether the matrix only permutes and flips axes, so nothing is interpolated.
    elastic
        ``(3, g, g, g)`` displacement at control points, voxels; zero when exact. Of a
        micrograph ``(3, 1, g, g)``.
    gain, offset
        Intensity becomes ``gain * value + offset``.
    noise_sd, noise_seed
        Standard deviation of the noise added, over the image's, and its seed.
    blur
        How far the image is mixed with its 3-voxel mean, 0 to 1.
    """

    matrix: np.ndarray
    exact: bool
    elastic: np.ndarray
    gain: float
    offset: float
    noise_sd: float
    noise_seed: int
    blur: float


def draw_augmentation(generator: np.random.Generator, patch_size: int) -> Augmentation:
    """Draw one augmentation for a cubic patch."""
    return _draw(generator, patch_size, flat=False)


def draw_flat_augmentation(
    generator: np.random.Generator, patch_size: int
) -> Augmentation:
    """Draw one augmentation for a square patch of a micrograph."""
    return _draw(generator, patch_size, flat=True)


def _draw(
    generator: np.random.Generator, patch_size: int, *, flat: bool
) -> Augmentation:
    matrix = _draw_flips_and_quarter_turns(generator)
    free = generator.random() < FREE_PROBABILITY
    elastic = np.zeros((3, 1 if flat else ELASTIC_GRID, ELASTIC_GRID, ELASTIC_GRID))
    if free:
        turn = _draw_flat_turn(generator) if flat else _draw_small_turn(generator)
        matrix = matrix @ turn
        matrix = matrix * generator.uniform(*SCALE_RANGE)
        largest = ELASTIC_SHARE * patch_size
        elastic = generator.uniform(-largest, largest, elastic.shape)
        if flat:
            elastic[0] = 0.0
    noisy = generator.random() < NOISE_PROBABILITY
    return Augmentation(
        matrix=matrix,
        exact=not free,
        elastic=elastic,
        gain=float(generator.uniform(0.75, 1.25)),
        offset=float(generator.normal(0.0, 0.15)),
        noise_sd=float(generator.uniform(0.0, MOST_NOISE)) if noisy else 0.0,
        noise_seed=int(generator.integers(2**31)),
        blur=float(generator.uniform(0.0, 0.6)) if generator.random() < 0.2 else 0.0,
    )


def _draw_flips_and_quarter_turns(generator: np.random.Generator) -> np.ndarray:
    """Return a signed permutation: any flips, and y and x exchanged or not."""
    matrix = np.diag(generator.choice([-1.0, 1.0], 3))
    if generator.random() < 0.5:
        matrix = matrix[[0, 2, 1]]
    return matrix


def _draw_small_turn(generator: np.random.Generator) -> np.ndarray:
    """Return a turn about z of up to 15° and about y and x of up to a third of it."""
    limit = math.radians(LARGEST_TURN_DEG)
    turn = np.eye(3)
    for (i, j), largest in (((1, 2), limit), ((0, 2), limit / 3), ((0, 1), limit / 3)):
        turn = _turn(i, j, generator.uniform(-largest, largest)) @ turn
    return turn


def _draw_flat_turn(generator: np.random.Generator) -> np.ndarray:
    """Return a turn about z."""
    limit = math.radians(LARGEST_FLAT_TURN_DEG)
    return _turn(1, 2, generator.uniform(-limit, limit))


def _turn(i: int, j: int, angle: float) -> np.ndarray:
    """Return a turn in the plane of two axes."""
    plane = np.eye(3)
    plane[i, i] = plane[j, j] = math.cos(angle)
    plane[i, j], plane[j, i] = -math.sin(angle), math.sin(angle)
    return plane


def source_margin(augmentation: Augmentation, patch_size: int) -> int:
    """Return how many voxels around a patch an augmentation may read.

    None if it is exact; else the half diagonal of the patch turned by at most 15° and
    5° twice, or by 45° in the plane, scaled by 5 % and displaced elastically.
    """
    if augmentation.exact:
        return 0
    grown = patch_size / 2 * (1.0 + 0.3 + 0.12) * SCALE_RANGE[1]
    return math.ceil(grown - patch_size / 2 + ELASTIC_SHARE * patch_size)


def move_image(source: Tensor, augmentation: Augmentation, patch_size: int) -> Tensor:
    """Cut moved patches out of sources that are wider by ``source_margin``.

    Parameters
    ----------
    source
        ``(K, S, S, S)`` float32 with S = P + 2 margin: K images of one place; or
        ``(K, 1, S, S)``.

    Returns
    -------
    Tensor
        ``(K, P, P, P)`` or ``(K, 1, P, P)``, intensities as they were.
    """
    if augmentation.exact:
        return _permute(source, augmentation.matrix)
    return _resample(source, augmentation, patch_size)


def move_positions(
    positions_zyx: NDArray[np.float64], augmentation: Augmentation, patch_size: int
) -> NDArray[np.float64]:
    """Move centres with the image.

    Parameters
    ----------
    positions_zyx
        ``(N, 3)`` voxels of the unaugmented patch.

    Returns
    -------
    ndarray
        ``(N, 3)`` voxels of the augmented patch: the solution q of
        ``A (q - c) + e(q) = p - c``, by fixed-point iteration; the elastic field is
        so gentle that four rounds leave less than a hundredth of a voxel.
    """
    depth = augmentation.elastic.shape[1]
    centre: FloatArray = np.subtract(along_axes(patch_size, (depth, 2, 2)), 1) / 2
    inverse = np.linalg.inv(augmentation.matrix)
    offsets = positions_zyx - centre
    moved: FloatArray = offsets @ inverse.T
    if augmentation.exact:
        return moved + centre
    for _ in range(4):
        displacement = _elastic_at(moved, augmentation, patch_size)
        moved = (offsets - displacement) @ inverse.T
    return moved + centre


def _permute(source: Tensor, matrix: np.ndarray) -> Tensor:
    axes = np.abs(matrix).argmax(axis=0)
    signs = matrix[axes, np.arange(3)]
    patch = source.permute(0, *(axes + 1).tolist())
    return patch.flip([i + 1 for i in range(3) if signs[i] < 0])


def _resample(source: Tensor, augmentation: Augmentation, size: int) -> Tensor:
    device = source.device
    shape = along_axes(size, source.shape[1:])
    axes = [
        torch.arange(n, dtype=torch.float32, device=device) - (n - 1) / 2 for n in shape
    ]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    matrix = torch.from_numpy(augmentation.matrix).float().to(device)
    field = nn.functional.interpolate(
        torch.from_numpy(augmentation.elastic).float().to(device)[None],
        size=shape,
        mode="trilinear",
        align_corners=True,
    )[0]
    wanted = torch.einsum("ij,jzyx->izyx", matrix, grid) + field
    # grid_sample wants x first, scaled so that -1 and 1 are the outer voxels' centres
    scaled = wanted.flip(0).permute(1, 2, 3, 0) / ((source.shape[-1] - 1) / 2)
    return nn.functional.grid_sample(
        source[None],
        scaled[None],
        mode="bilinear",
        padding_mode="border",
        align_corners=True,
    )[0]


def _elastic_at(
    offsets: NDArray[np.float64], augmentation: Augmentation, patch_size: int
) -> NDArray[np.float64]:
    """Return the elastic displacement at offsets from the patch's centre."""
    last = np.array(augmentation.elastic.shape[1:]) - 1
    index = (offsets / ((patch_size - 1) / 2) + 1.0) / 2.0 * last
    return np.stack(
        [
            ndimage.map_coordinates(field, index.T, order=1, mode="nearest")
            for field in augmentation.elastic
        ],
        axis=1,
    )


def change_intensity(patch: Tensor, augmentation: Augmentation) -> Tensor:
    """Blur, add noise, and scale and shift the intensities of a ``(Z, Y, X)``."""
    if augmentation.blur:
        edges = along_axes(3, patch.shape)
        margins = [edge // 2 for edge in edges]
        smooth = nn.functional.avg_pool3d(
            patch[None, None], edges, 1, margins, count_include_pad=False
        )[0, 0]
        patch = patch + augmentation.blur * (smooth - patch)
    if augmentation.noise_sd:
        patch = add_matched_noise(
            patch, augmentation.noise_sd, seed=augmentation.noise_seed
        )
    return patch * augmentation.gain + augmentation.offset


def add_matched_noise(image: Tensor, share: float, *, seed: int) -> Tensor:
    """Add noise of the image's own power spectrum; the variance stays as it is.

    A tomogram's noise is not white: the ramp filter, the contrast transfer function
    and the missing wedge shape it. The image's Fourier amplitudes under random phases
    have that shape, so ``(image + a noise) / sqrt(1 + a²)`` looks like the same
    specimen at a lower dose: its signal-to-noise ratio falls by nearly 1 + a².

    Parameters
    ----------
    image
        ``(Z, Y, X)``.
    share
        a, the standard deviation of the noise over that of the image.
    """
    generator = torch.Generator(device=image.device).manual_seed(seed)
    white = torch.randn(image.shape, generator=generator, device=image.device)
    phases = torch.fft.rfftn(white)
    phases = phases / phases.abs().clamp(min=1e-12)
    amplitudes = torch.fft.rfftn(image - image.mean()).abs()
    noise = torch.fft.irfftn(amplitudes * phases, s=image.shape)
    return (image + share * noise) / math.sqrt(1.0 + share**2)
