"""What RELION is told of boxes whose tilt and psi are known: of curves and membranes.

The flags are those of ``relion_refine`` 3.1, which 4 and 5 kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

CENTRAL_SHARE = 0.3
"""Of a box, along z: where RELION looks at a helix, unless told otherwise."""

Range = Tuple[float, float]


@dataclass(frozen=True)
class Symmetry:
    """Of a helix: rise (Å) and twist (°, right-handed above 0) per subunit.

    Attributes
    ----------
    units
        Subunits between neighbouring boxes: how much each box brings that is new.
    central_share
        Of the box, along z: where the helix is measured and imposed.
    rise_range, twist_range
        In which RELION refines both; with one of them ``None`` they stay.
    """

    rise_ang: float
    twist_deg: float
    units: int = 1
    central_share: float = CENTRAL_SHARE
    rise_range: Range | None = None
    twist_range: Range | None = None


@dataclass(frozen=True)
class Helix:
    """How boxes along filaments are averaged; diameters in Å.

    Attributes
    ----------
    keep_tilt
        Whether each box's prior of the tilt stays as the curve has it.
    """

    outer_diameter_ang: float
    inner_diameter_ang: float | None = None
    symmetry: Symmetry | None = None
    keep_tilt: bool = True


@dataclass(frozen=True)
class Priors:
    """Standard deviation of tilt and psi (°), all being searched at 0; and a helix."""

    sigma_deg: float
    helix: Helix | None = None


def prior_arguments(priors: Priors | None) -> list[str]:
    """Return the flags of ``relion_refine``."""
    if priors is None:
        return []
    sigma = f"{priors.sigma_deg:g}"
    arguments = (
        ["--sigma_tilt", sigma, "--sigma_psi", sigma] if priors.sigma_deg else []
    )
    return arguments + (_helix_arguments(priors.helix) if priors.helix else [])


def _helix_arguments(helix: Helix) -> list[str]:
    arguments = ["--helix", "--helical_outer_diameter", f"{helix.outer_diameter_ang:g}"]
    if helix.inner_diameter_ang is not None:
        arguments += ["--helical_inner_diameter", f"{helix.inner_diameter_ang:g}"]
    if helix.keep_tilt:
        arguments.append("--helical_keep_tilt_prior_fixed")
    if helix.symmetry is None:
        return [*arguments, "--ignore_helical_symmetry"]
    return arguments + _symmetry_arguments(helix.symmetry)


def _symmetry_arguments(symmetry: Symmetry) -> list[str]:
    arguments = [
        *("--helical_nr_asu", str(symmetry.units)),
        *("--helical_rise_initial", f"{symmetry.rise_ang:g}"),
        *("--helical_twist_initial", f"{symmetry.twist_deg:g}"),
        *("--helical_z_percentage", f"{symmetry.central_share:.4g}"),
    ]
    if symmetry.rise_range is None or symmetry.twist_range is None:
        return arguments
    (least_rise, most_rise), (least, most) = symmetry.rise_range, symmetry.twist_range
    return [
        *arguments,
        "--helical_symmetry_search",
        *("--helical_rise_min", f"{least_rise:g}"),
        *("--helical_rise_max", f"{most_rise:g}"),
        *("--helical_twist_min", f"{least:g}", "--helical_twist_max", f"{most:g}"),
    ]
