"""Slices of tomograms with the picks on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from etpicker_plugin.engine.io.particles import Particles

COLOURS = ("#ffb000", "#00b4d8", "#ff4d6d", "#38b000", "#9d4edd", "#00f5d4")
LEAST_SHOWN_RADIUS = 0.25


@dataclass(frozen=True)
class PickedTomogram:
    """A tomogram's file, its picks, and each class's radius in voxels."""

    path: str
    voxel_size: float
    particles: Particles
    radii_vox: Mapping[str, float]


def slab_mean(
    data: NDArray[np.generic], z: int, thickness: int
) -> NDArray[np.floating]:
    """Return the mean ``(Y, X)`` of the slices around ``z`` that exist."""
    first = max(z - thickness // 2, 0)
    return np.asarray(data[first : z + thickness // 2 + 1], dtype=np.float32).mean(0)


def sections_at(
    positions_zyx: NDArray[np.float64], z: float, radius_vox: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return xy centres ``(M, 2)`` and radii ``(M,)`` of spheres cut at ``z``."""
    height = positions_zyx[:, 0] - z
    cut = np.abs(height) < radius_vox
    radii = np.sqrt(radius_vox**2 - height[cut] ** 2)
    shown = radii > LEAST_SHOWN_RADIUS * radius_vox
    return positions_zyx[cut][shown][:, :0:-1], radii[shown]


def class_colours(names: Sequence[str]) -> dict[str, str]:
    """Give each class a colour, the same for the same list."""
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}


def draw_slice(
    figure: Figure,
    picked: PickedTomogram,
    data: NDArray[np.generic],
    *,
    z: int,
    thickness: int,
    least_score: float = 0.0,
) -> None:
    """Draw a slice with every pick as the section of its sphere, y upwards."""
    figure.clear()
    axes = figure.subplots()
    image = slab_mean(data, z, thickness)
    low, high = np.percentile(image, (0.5, 99.5))
    axes.imshow(image, cmap="gray", vmin=low, vmax=high, origin="lower")
    colours = class_colours(list(picked.radii_vox))
    for name, radius in picked.radii_vox.items():
        chosen = picked.particles.of_class(name)
        kept = ~(chosen.scores < least_score)
        centres, radii = sections_at(chosen.positions_zyx[kept], z, radius)
        _draw_circles(axes, centres, radii, colours[name])
        axes.plot([], [], "o", mfc="none", color=colours[name], label=name)
    if picked.radii_vox:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8)
    axes.set_xlabel("x [voxels]")
    axes.set_ylabel("y [voxels]")
    axes.set_title(f"{picked.particles.tomogram_id}, z = {z}", fontsize=10)
    figure.tight_layout()


def _draw_circles(axes, centres, radii, colour) -> None:
    axes.add_collection(
        EllipseCollection(
            2 * radii,
            2 * radii,
            np.zeros(len(radii)),
            units="xy",
            offsets=centres,
            transOffset=axes.transData,
            facecolors="none",
            edgecolors=colour,
            linewidths=1.5,
        )
    )
