"""Watching it learn: at each validation, a held-out slice with the picks so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.picking.nms import Peaks, join_peaks
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.validation import ClassResult, See, ValidationPart
from etpicker_plugin.engine.training.validation_slice import (
    ValidationSlice,
    write_validation_slice,
)

SLICE_NAME = "validation_slice.npz"
SLAB = 1
"""Slices on each side that are averaged, for the noise."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """The slice that is shown.

    Attributes
    ----------
    part, z
        The held-out part, and the slice in it.
    classes, radii_vox
        In the order of the channels; working voxels.
    """

    path: Path
    part: ValidationPart
    z: int
    classes: tuple[str, ...]
    radii_vox: NDArray[np.float64]

    def collect(self, shown: list[Peaks]) -> See:
        """Return what keeps, in ``shown``, the picks of the part that is shown."""

        def see(part: ValidationPart, peaks: Peaks) -> None:
            if part is self.part:
                shown.append(peaks)

        return see

    def write(
        self, shown: Sequence[Peaks], results: Sequence[ClassResult], *, step: int
    ) -> None:
        """Write the slice with the picks that reach their thresholds."""
        region, (depth, height, width) = self.part.region, self.part.image.shape_zyx
        margin = int(np.ceil(self.radii_vox.max(initial=0)))
        low = np.maximum(np.array(region.start[1:]) - margin, 0)
        high = np.minimum(np.array(region.stop[1:]) + margin, (height, width))
        box = (slice(max(self.z - SLAB, 0), min(self.z + SLAB + 1, depth)),)
        box += tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        origin = np.array([self.z, *low])
        found = join_peaks(list(shown))
        limits = np.array([result.threshold for result in results])
        kept = found.select(found.scores >= limits[found.channels])
        marked = region.contains(self.part.positions_zyx)
        write_validation_slice(
            ValidationSlice(
                tomogram_id=self.part.tomogram_id,
                z=self.z,
                step=step,
                image=self.part.image.data[box].mean(0, dtype=np.float32).astype("f2"),
                held_out_yx=np.array([region.start[1:], region.stop[1:]]) - low,
                class_names=self.classes,
                radii_vox=self.radii_vox,
                picks_zyx=kept.positions_zyx - origin,
                pick_channels=kept.channels,
                scores=kept.scores,
                truth_zyx=self.part.positions_zyx[marked] - origin,
                truth_channels=self.part.channels[marked],
            ),
            self.path,
        )


def make_watch(
    out_dir: Path,
    parts: Sequence[ValidationPart],
    species: Sequence[Species],
    *,
    voxel_size: float,
) -> Watch:
    """Return the watch on the part and the slice that show most particles.

    Parameters
    ----------
    species
        In the order of the channels.
    voxel_size
        Of the parts, Å.
    """
    radii = np.array([s.size_vox(voxel_size).diameter for s in species]) / 2
    slices = [_best_slice(part, radii) for part in parts]
    which = int(np.argmax([cut for cut, _ in slices]))
    return Watch(
        path=out_dir / SLICE_NAME,
        part=parts[which],
        z=slices[which][1],
        classes=tuple(s.name for s in species),
        radii_vox=radii,
    )


def _best_slice(part: ValidationPart, radii: NDArray[np.float64]) -> tuple[int, int]:
    """Return how many held-out particles the best slice cuts, and which it is."""
    inside = part.region.contains(part.positions_zyx)
    z, reach = part.positions_zyx[inside, 0], radii[part.channels[inside]] / 2
    slices = np.arange(part.region.start[0], part.region.stop[0])
    cut = (np.abs(slices[:, None] - z) <= reach).sum(axis=1)
    middle = np.abs(slices - (slices[0] + slices[-1]) / 2)
    best = int(np.lexsort((middle, -cut))[0])
    return int(cut[best]), int(slices[best])
