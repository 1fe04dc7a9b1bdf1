"""Particles of one tomogram: the only record that positions travel in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Particles:
    """Centres in one tomogram, in the engine's frame.

    Attributes
    ----------
    tomogram_id
        Name of the tomogram (Scipion's ``tsId``, RELION's ``rlnTomoName``).
    positions_zyx
        ``(N, 3)`` float, 0-based voxels; voxel *i* is centred at *i*.
    class_names
        ``(N,)`` strings.
    scores
        ``(N,)`` float, higher is surer; NaN where unknown.
    rotations
        ``(N, 3, 3)`` float matrices on xyz, reference to tomogram (see
        ``engine.orientation``), NaN where unknown; ``None`` if no orientation is known.
    """

    tomogram_id: str
    positions_zyx: FloatArray
    class_names: NDArray[np.str_]
    scores: FloatArray
    rotations: FloatArray | None = None

    def __len__(self) -> int:
        """Return the number of particles."""
        return len(self.positions_zyx)

    def select(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Particles":
        """Return the particles at a boolean mask or at indices, in that order."""
        return replace(
            self,
            positions_zyx=self.positions_zyx[chosen],
            class_names=self.class_names[chosen],
            scores=self.scores[chosen],
            rotations=None if self.rotations is None else self.rotations[chosen],
        )

    def of_class(self, name: str) -> "Particles":
        """Return the particles of one class."""
        return self.select(self.class_names == name)


def make_particles(
    tomogram_id: str,
    positions_zyx: object,
    *,
    class_names: object = "particle",
    scores: object = np.nan,
    rotations: FloatArray | None = None,
) -> Particles:
    """Build a record; one class name or score is repeated for all positions."""
    positions = np.asarray(positions_zyx, dtype=np.float64).reshape(-1, 3)
    count = len(positions)
    return Particles(
        tomogram_id=tomogram_id,
        positions_zyx=positions,
        class_names=np.broadcast_to(np.asarray(class_names, dtype=str), count).copy(),
        scores=np.broadcast_to(np.asarray(scores, dtype=np.float64), count).copy(),
        rotations=rotations,
    )


def join_particles(tomogram_id: str, parts: Sequence[Particles]) -> Particles:
    """Return several records of one tomogram as one, in their order."""
    oriented = any(part.rotations is not None for part in parts)
    return make_particles(
        tomogram_id,
        np.concatenate([part.positions_zyx for part in parts]),
        class_names=np.concatenate([part.class_names for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
        rotations=np.concatenate([_rotations_or_nan(part) for part in parts])
        if oriented
        else None,
    )


def _rotations_or_nan(particles: Particles) -> FloatArray:
    if particles.rotations is None:
        return np.full((len(particles), 3, 3), np.nan)
    return particles.rotations
