"""From a tomogram to the grey pictures of its three slices."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.window.document.volume import Sliced

Z, Y, X = 0, 1, 2
COLUMNS_AT_ONCE = 32
"""A yz slice costs reading the whole file, so that many neighbours come with it."""

SAMPLED_PIXELS = 60_000
CONTRAST_RANGE = (0.05, 50.0)
BRIGHTNESS_RANGE = (-3.0, 3.0)


@dataclass(frozen=True, kw_only=True)
class Look:
    """How slices are shown.

    Attributes
    ----------
    slab
        Sections that are averaged.
    sigma
        Gaussian blur, voxels; 0 for none.
    low, high
        Percentiles that become black and white.
    brightness, contrast
        Shift of these two, as a share of their distance, and stretch about their
        middle.
    equalise
        Give every grey level equally many pixels, instead of ``low`` and ``high``.
    invert
        Exchange black and white.
    """

    slab: int = 1
    sigma: float = 0.0
    low: float = 0.5
    high: float = 99.5
    brightness: float = 0.0
    contrast: float = 1.0
    equalise: bool = False
    invert: bool = False


def slab_around(index: int, thickness: int, size: int) -> slice:
    """Return the sections of a slab that exist: ``thickness`` of them about one.

    An even slab has the extra section above its index.
    """
    first = index - (thickness - 1) // 2
    return slice(max(first, 0), min(max(first + thickness, 1), size))


class SliceReader:
    """Averaged slices across one axis of a volume.

    Slices across x are cut out of a block of columns, read in one pass over the file.
    """

    def __init__(self, volume: Sliced, axis: int) -> None:
        self.volume, self.axis = volume, axis
        self._columns = slice(0, 0)
        self._block: NDArray[np.generic] = np.zeros((0, 0, 0))

    def read(self, index: int, thickness: int) -> NDArray[np.float32]:
        """Return the mean of a slab: ``(y, x)``, ``(z, x)`` or ``(z, y)``."""
        wanted = slab_around(index, thickness, self.volume.shape_zyx[self.axis])
        if self.axis == X:
            self._fetch_columns(wanted)
            shifted = slice(
                wanted.start - self._columns.start, wanted.stop - self._columns.start
            )
            voxels = self._block[:, :, shifted]
        else:
            box = [slice(0, n) for n in self.volume.shape_zyx]
            box[self.axis] = wanted
            voxels = self.volume.read((box[0], box[1], box[2]))
        return np.asarray(voxels.mean(axis=self.axis, dtype=np.float32))

    def _fetch_columns(self, wanted: slice) -> None:
        """Have the block of columns that holds the wanted ones."""
        have = self._columns
        if have.start <= wanted.start and wanted.stop <= have.stop:
            return
        nz, ny, nx = self.volume.shape_zyx
        first = wanted.start // COLUMNS_AT_ONCE * COLUMNS_AT_ONCE
        last = -(-wanted.stop // COLUMNS_AT_ONCE) * COLUMNS_AT_ONCE
        self._columns = slice(0, 0)  # A failed read leaves no half block behind.
        columns = slice(first, min(last, nx))
        self._block = self.volume.read((slice(0, nz), slice(0, ny), columns))
        self._columns = columns


def sample_levels(image: NDArray[np.float32], look: Look) -> tuple[float, float]:
    """Return the values that become black and white, from some of the pixels.

    Pixels that are not finite do not count. Black is below white, whatever the image.
    """
    step = max(1, image.size // SAMPLED_PIXELS)
    sample = image.ravel()[::step]
    sample = sample[np.isfinite(sample)]
    if len(sample) == 0:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(sample, (look.low, look.high)))
    middle = (low + high) / 2 - look.brightness * (high - low)
    half = (high - low) / 2 / look.contrast
    least = 1e-6 * max(abs(middle), 1.0)
    return middle - max(half, least), middle + max(half, least)


def to_grey(image: NDArray[np.float32], look: Look) -> NDArray[np.uint8]:
    """Blur, stretch or equalise, and invert: ``(h, w)`` to grey levels 0 … 255."""
    return grey_and_levels(image, look)[0]


def grey_and_levels(
    image: NDArray[np.float32], look: Look
) -> tuple[NDArray[np.uint8], tuple[float, float] | None]:
    """Return the grey levels, and which values are black and white, if any two are."""
    if look.sigma > 0:
        image = ndimage.gaussian_filter(image, look.sigma)
    if look.equalise:
        grey, levels = equalise(image), None
    else:
        low, high = levels = sample_levels(image, look)
        scaled = image - np.float32(low)
        scaled *= np.float32(255.0 / (high - low))
        if not np.isfinite(scaled.sum()):
            np.nan_to_num(scaled, copy=False, nan=0.0, posinf=255.0, neginf=0.0)
        np.clip(scaled, 0, 255, out=scaled)
        grey = scaled.astype(np.uint8)
    return (255 - grey, levels and levels[::-1]) if look.invert else (grey, levels)


def equalise(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return grey levels by rank: the share of pixels that are darker."""
    low, high = sample_levels(image, Look(low=0.0, high=100.0))
    scaled = np.nan_to_num((image - low) * (1023.0 / (high - low)), nan=0.0)
    bins = np.clip(scaled, 0, 1023).astype(np.intp)
    counts = np.bincount(bins.ravel(), minlength=1024)
    below = np.cumsum(counts) - counts
    share = below / max(image.size - counts[bins.max()], 1)
    return np.clip(255 * share[bins], 0, 255).astype(np.uint8)
