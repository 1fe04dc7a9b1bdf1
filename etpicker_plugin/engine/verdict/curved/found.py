"""What is systematically wrong of each set's curves or membranes."""

from dataclasses import dataclass

import numpy as np

from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.kinds import FILAMENT
from etpicker_plugin.engine.verdict.curved.along import (
    Step,
    direction_errors,
    find_steps,
    find_twists,
)
from etpicker_plugin.engine.verdict.curved.off_axis import OffAxis, find_off_axis
from etpicker_plugin.engine.verdict.curved.sections import cut_sections
from etpicker_plugin.engine.verdict.curved.twist import TwistSign
from etpicker_plugin.engine.verdict.origins.density import (
    cut_boxes,
    density_geometry,
)
from etpicker_plugin.engine.verdict.origins.origins import Origins
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry


@dataclass(frozen=True, kw_only=True)
class Curved:
    """Per set: where it lies beside its filaments or membranes.

    Attributes
    ----------
    kind
        Filament or vesicle.
    section_voxel_size
        Of the sections in ``off_axis``, Å.
    directions_deg
        Of filaments: by how much orientations lie off the curves.
    steps
        Of sets along whose filaments a repeat is seen.
    twists
        Of sets whose orientations turn about their filaments.
    """

    kind: str
    off_axis: dict[str, OffAxis]
    section_voxel_size: float
    directions_deg: dict[str, float]
    steps: dict[str, Step]
    twists: dict[str, TwistSign]

    def origins(self) -> Origins:
        """Return where the sets lie in the tomogram, as of particles."""
        return Origins(
            offsets={name: found.in_tomogram for name, found in self.off_axis.items()},
            distances={},
        )


def find_curved(
    written: PickSets,
    sets: PickSets,
    candidates: Candidates,
    *,
    kind: str,
    geometry: BoxGeometry,
    invert: bool,
    seed: int,
) -> Curved:
    """Return what the boxes say of each set, laid as their directions are.

    Parameters
    ----------
    written, sets
        The picks as they are given, and as they are judged.

    Raises
    ------
    ValueError
        If the candidates are particles.
    """
    if candidates.matrices is None or candidates.things is None:
        raise ValueError("expected boxes on filaments or membranes")
    shown = geometry.width_ang if kind == FILAMENT else geometry.diameter_ang
    size = density_geometry(geometry, diameter_ang=shown)
    rows = np.unique(np.concatenate([candidates.rows[name] for name in sets.names]))
    number = {row: n for n, row in enumerate(rows.tolist())}
    matrices = candidates.matrices[rows]
    sections = cut_sections(
        iter(cut_boxes(sets, candidates, rows, size, invert=invert)),
        matrices,
        kind=kind,
        radius_vox=size.radius_vox,
    )
    steps: dict[str, Step] = {}
    twists: dict[str, TwistSign] = {}
    directions: dict[str, float] = {}
    if kind == FILAMENT and geometry.width_ang is not None:
        width = geometry.width_ang
        directions = direction_errors(sets)
        steps = find_steps(written, sets, candidates, width_ang=width, seed=seed)
        twists = find_twists(
            sets, width_ang=width, border_vox=geometry.border_vox, invert=invert
        )
    return Curved(
        kind=kind,
        directions_deg=directions,
        steps=steps,
        twists=twists,
        off_axis=find_off_axis(
            sections,
            matrices,
            candidates.things[rows],
            {
                name: np.array([number[r] for r in candidates.rows[name].tolist()])
                for name in sets.names
            },
            scale=size.scale,
            voxel_size=geometry.voxel_size,
        ),
        section_voxel_size=size.scale * geometry.voxel_size,
    )
