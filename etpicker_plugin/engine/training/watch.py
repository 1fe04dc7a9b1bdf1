"""Watching it learn: at each validation, a held-out slice with the picks so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.training.resume import Counters
from etpicker_plugin.engine.training.validation import ClassResult, ValidationPart
from etpicker_plugin.engine.training.validation_slice import (
    ValidationSlice,
    write_validation_slice,
)

SLICE_NAME = "validation_slice.npz"
SLAB = 1
"""Slices on each side that are averaged, for the noise."""


@dataclass(kw_only=True)
class Watch:
    """The slice that is shown, and the picks of the validation under way.

    Attributes
    ----------
    part, z
        The held-out part, and the slice in it.
    radii_vox
        Per class, working voxels.
    counters
        Of the training: they know the step.
    """

    path: Path
    part: ValidationPart
    z: int
    classes: tuple[str, ...]
    radii_vox: NDArray[np.float64]
    counters: Counters
    peaks: list[Peaks] = field(default_factory=list)

    def see(self, part: ValidationPart, peaks: Peaks) -> None:
        """Keep the candidates if they are of the part that is shown."""
        if part is self.part:
            self.peaks = [peaks]

    def write(self, results: Sequence[ClassResult]) -> None:
        """Write the slice with the picks that reach their thresholds."""
        region, (depth, height, width) = self.part.region, self.part.image.shape_zyx
        margin = int(np.ceil(self.radii_vox.max(initial=0)))
        low = np.maximum(np.array(region.start[1:]) - margin, 0)
        high = np.minimum(np.array(region.stop[1:]) + margin, (height, width))
        box = (slice(max(self.z - SLAB, 0), min(self.z + SLAB + 1, depth)),)
        box += tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        origin = np.array([self.z, *low])
        (found,) = self.peaks
        limits = np.array([result.threshold for result in results])
        kept = found.select(found.scores >= limits[found.channels])
        marked = region.contains(self.part.positions_zyx)
        write_validation_slice(
            ValidationSlice(
                tomogram_id=self.part.tomogram_id,
                z=self.z,
                step=self.counters.step,
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
    diameters: Mapping[str, float],
    *,
    working_voxel_size: float,
    counters: Counters,
) -> Watch:
    """Return the watch on the part and the slice that show most particles.

    Parameters
    ----------
    diameters
        Per class, Å, in the order of the channels.
    """
    radii = np.array(list(diameters.values())) / 2 / working_voxel_size
    slices = [_best_slice(part, radii) for part in parts]
    which = int(np.argmax([cut for cut, _ in slices]))
    return Watch(
        path=out_dir / SLICE_NAME,
        part=parts[which],
        z=slices[which][1],
        classes=tuple(diameters),
        radii_vox=radii,
        counters=counters,
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
