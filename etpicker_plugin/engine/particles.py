"""Particles of one tomogram: the only record that positions travel in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etpicker_plugin.engine import column_rows, columns
from etpicker_plugin.engine.arrays import FloatArray


@dataclass(frozen=True)
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
    optional
        Name to ``(N, *shape)`` of each optional column that the particles have (see
        ``engine.columns``), with its missing value where it is unknown.
    """

    tomogram_id: str
    positions_zyx: FloatArray
    class_names: NDArray[np.str_]
    scores: FloatArray
    optional: columns.ColumnValues = field(default_factory=dict)

    @property
    def rotations(self) -> FloatArray | None:
        """``(N, 3, 3)`` matrices, NaN where unknown; ``None`` if none is known."""
        return self.optional.get(columns.ROTATION.name)

    def __len__(self) -> int:
        """Return the number of particles."""
        return len(self.positions_zyx)

    def select(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Particles:
        """Return the particles at a boolean mask or at indices, in that order."""
        return replace(
            self,
            positions_zyx=self.positions_zyx[chosen],
            class_names=self.class_names[chosen],
            scores=self.scores[chosen],
            optional=column_rows.select_rows(self.optional, chosen),
        )

    def of_class(self, name: str) -> Particles:
        """Return the particles of one class."""
        return self.select(self.class_names == name)

    def having(self, optional: Mapping[str, ArrayLike | None]) -> Particles:
        """Return the particles with these columns beside, or instead of, their own."""
        added = column_rows.checked(optional, len(self))
        return replace(self, optional={**self.optional, **added})


def make_particles(
    tomogram_id: str,
    positions_zyx: object,
    *,
    class_names: object = "particle",
    scores: object = np.nan,
    rotations: FloatArray | None = None,
    optional: Mapping[str, ArrayLike | None] | None = None,
) -> Particles:
    """Build a record; one class name, score or other value is repeated for all.

    ``rotations`` is the optional column that many formats have.
    """
    positions = np.asarray(positions_zyx, dtype=np.float64).reshape(-1, 3)
    count = len(positions)
    given = {columns.ROTATION.name: rotations, **(optional or {})}
    return Particles(
        tomogram_id=tomogram_id,
        positions_zyx=positions,
        class_names=np.broadcast_to(np.asarray(class_names, dtype=str), count).copy(),
        scores=np.broadcast_to(np.asarray(scores, dtype=np.float64), count).copy(),
        optional=column_rows.checked(given, count),
    )


def join_particles(tomogram_id: str, parts: Sequence[Particles]) -> Particles:
    """Return several records of one tomogram as one, in their order; or none."""
    if not parts:
        return make_particles(tomogram_id, np.zeros((0, 3)))
    return make_particles(
        tomogram_id,
        np.concatenate([part.positions_zyx for part in parts]),
        class_names=np.concatenate([part.class_names for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
        optional=column_rows.join_rows([(len(part), part.optional) for part in parts]),
    )
