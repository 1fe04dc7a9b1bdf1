"""A model that has learnt nothing, and many tiny tomograms: for tests of running.

Scipion's own Python can import it, which has no torch.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.species import Species
from etpicker_plugin.tests.support.phantoms import DIAMETERS, VOXEL_SIZE, write_tomogram

TINY_ZYX = (20, 28, 36)
MOST_PICKS = 4
"""Its scores say nothing: ask for so many of the best, however low."""


def make_untrained_model(
    path: Path,
    *,
    seed: int = 0,
    diameters: dict[str, float] = DIAMETERS,
    kind: str = "particle",
) -> Path:
    """Write a model of these classes (Å) whose weights are as they began."""
    from etpicker_plugin.engine.model.model_file import save_model
    from etpicker_plugin.engine.model.network import make_network

    card = ModelCard(
        network="fast",
        classes=tuple(
            Species(
                name=name,
                diameter_ang=diameter,
                label_diameter_ang=70.0,
                threshold=0.5,
                kind=kind,
            )
            for name, diameter in diameters.items()
        ),
        working_voxel_size=VOXEL_SIZE,
        annotation="complete",
        tomograms=(),
        training={},
        code_version="0",
    )
    save_model(path, make_network("fast", len(diameters), seed=seed).eval(), card)
    return path


def make_tiny_tomograms(folder: Path, names: list[str]) -> list[Path]:
    """Write tomograms of noise, each another; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.mrc" for name in names]
    for seed, path in enumerate(paths):
        noise = np.random.default_rng(seed).normal(0, 1, TINY_ZYX)
        write_tomogram(path, noise.astype(np.float32))
    return paths


def break_tomogram(path: Path, seed: int) -> None:
    """Damage a tomogram, in one of three ways."""
    if seed % 3 == 0:
        path.write_bytes(path.read_bytes()[:3000])
    elif seed % 3 == 1:
        write_tomogram(path, np.full(TINY_ZYX, np.nan, np.float32))
    else:
        write_tomogram(path, np.zeros(TINY_ZYX, np.float32))
