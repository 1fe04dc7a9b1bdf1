"""The truth of a simulated tomogram, as the CSV and the JSON file hold it."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import FILAMENT, RADIUS
from etpicker_plugin.engine.simulation.filaments import PlacedFilament
from etpicker_plugin.engine.simulation.placement import Placed
from etpicker_plugin.engine.simulation.vesicles import PlacedVesicle

POSITION = ("class", "x", "y", "z")
QUATERNION = ("qx", "qy", "qz", "qw")


@dataclass
class Truth:
    """All that was placed in a tomogram and is to be found."""

    particles: list[Placed] = field(default_factory=list)
    filaments: list[PlacedFilament] = field(default_factory=list)
    vesicles: list[PlacedVesicle] = field(default_factory=list)


def write_truth(path: Path, truth: Truth) -> None:
    """Write a row for each particle, filament's point and vesicle.

    There are columns for filaments and radii only where there are such.
    """
    columns = [*POSITION, *QUATERNION]
    columns += [FILAMENT.name] if truth.filaments else []
    columns += [RADIUS.name] if truth.vesicles else []
    with (
        write_whole(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(_rows(truth))


def details_of(truth: Truth) -> dict[str, Any]:
    """Return what the table does not hold, for JSON; nothing of kinds without any."""
    details: dict[str, Any] = {}
    if truth.filaments:
        details["filaments"] = [
            {
                "class": filament.name,
                "filament": filament.identifier,
                "length_ang": round(filament.length_ang, 1),
                "persistence_length_ang": round(filament.persistence_ang),
            }
            for filament in truth.filaments
        ]
    if truth.vesicles:
        details["vesicles"] = [
            {
                "class": vesicle.name,
                "centre_xyz": [round(p, 3) for p in vesicle.centre_zyx[::-1].tolist()],
                "half_axes_ang": [round(a, 2) for a in vesicle.half_axes_ang.tolist()],
                "quaternion_xyzw": [
                    round(q, 5) for q in vesicle.rotation.as_quat().tolist()
                ],
                "share_inside": round(vesicle.share_inside, 3),
            }
            for vesicle in truth.vesicles
        ]
    return details


def _rows(truth: Truth) -> Iterator[dict[str, str]]:
    for particle in truth.particles:
        quaternion = [f"{q:.5f}" for q in particle.rotation.as_quat()]
        yield {
            **_place(particle.name, particle.position_zyx),
            **dict(zip(QUATERNION, quaternion, strict=True)),
        }
    for filament in truth.filaments:
        for point in filament.points_zyx:
            yield {
                **_place(filament.name, point),
                FILAMENT.name: filament.identifier,
            }
    for vesicle in truth.vesicles:
        yield {
            **_place(vesicle.name, vesicle.centre_zyx),
            RADIUS.name: f"{vesicle.radius_ang:.2f}",
        }


def _place(name: str, position_zyx: FloatArray | Sequence[float]) -> dict[str, str]:
    values = [name, *(f"{p:.3f}" for p in position_zyx[::-1])]
    return dict(zip(POSITION, values, strict=True))
