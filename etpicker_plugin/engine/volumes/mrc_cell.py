"""The voxel size: what an MRC header's cell says, and what a user says."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from etpicker_plugin.engine.config.checks import VOXEL_SIZE_RANGE
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.volumes.mrc_fields import Fields

VOXEL_SIZE_TOLERANCE = 0.01
"""Voxel sizes that differ by no more than this share are taken as equal."""

ANGLE_TOLERANCE = 0.5
NOT_SET = 1.0
"""Programs that know no voxel size write 0 Å, or this."""

INSIST = (
    " To insist on the voxel size that you give, add --trust-voxel-size (in Scipion: "
    "'Trust the sampling rate')."
)


def choose_voxel_size(
    fields: Fields,
    given: float | None,
    *,
    what: str,
    trusted: bool = False,
    remedy: str = "",
) -> tuple[float, str]:
    """Return the edge of a voxel in Å, and a remark where the header was overruled.

    Parameters
    ----------
    given
        What the user says, in Å.
    what
        The file in words, for messages.
    trusted
        Whether what is given overrules whatever the header says.
    remedy
        A last sentence on how to insist, where one can.

    Raises
    ------
    InputDataError
        If neither says a usable one, or the two disagree.
    """
    if given is None:
        return _from_header(fields, what), ""
    stated, fault = header_voxel_size(fields)
    if not fault and stated > 0 and _agree(stated, given):
        return given, ""
    if trusted:
        return given, _overruled(fault or f"its header says {stated:g} Å", given)
    if fault:
        raise InputDataError(f"{what}: {fault}. Correct the header.{remedy}")
    if stated == 0.0 or _is_not_set(stated):
        said = f"its header says {stated:g} Å, as programs write that do not know it"
        return given, _overruled(said, given)
    raise InputDataError(
        f"{what}: voxel size {stated:g} Å in the header, {given:g} Å given. One of "
        f"them is wrong: correct the header, or the voxel size you give.{remedy}"
    )


def is_improbable(fields: Fields) -> bool:
    """Return whether a header's voxel size is the one that stands for none."""
    stated, fault = header_voxel_size(fields)
    return not fault and _is_not_set(stated)


def header_voxel_size(fields: Fields) -> tuple[float, str]:
    """Return the header's voxel size in Å, 0 for none, and what is wrong with it."""
    # A micrograph's thickness means nothing, and programs write what they like there.
    axes = 2 if fields.size[2] == 1 else 3
    edges = fields.cell_ang[:axes]
    if not all(math.isfinite(v) and v >= 0 for v in edges):
        return 0.0, f"a cell of {_listed(edges)} Å in its header"
    # Rounded as mrcfile does, so that a header's 13.48 stays what it has been.
    sizes = [
        float(np.float32(edge / n)) if n > 0 else 0.0
        for edge, n in zip_strict(edges, fields.samples[:axes])
    ]
    if not any(sizes):
        return 0.0, ""
    return sizes[0], _fault_of(sizes, fields.angles)


def _fault_of(sizes: list[float], angles: tuple[float, float, float]) -> str:
    listed = f"{_listed(sizes)} Å along {'x, y, z' if len(sizes) > 2 else 'x, y'}"
    low, high = VOXEL_SIZE_RANGE
    if not all(sizes):
        return f"its header knows the voxel size in some axes only: {listed}"
    if max(sizes) > (1 + VOXEL_SIZE_TOLERANCE) * min(sizes):
        return f"its voxels are not cubes, but {listed}"
    if not low <= sizes[0] <= high:
        return f"voxel size {sizes[0]:g} Å in its header, expected {low:g} to {high:g}"
    # Angles of 0 are not set; any others would make the voxels skew.
    if any(a != 0 and not abs(a - 90) <= ANGLE_TOLERANCE for a in angles):
        return f"its cell has angles of {_listed(angles)}°, expected 90"
    return ""


def _from_header(fields: Fields, what: str) -> float:
    stated, fault = header_voxel_size(fields)
    if fault:
        raise InputDataError(
            f"{what}: {fault}. Correct the header, or, for tomograms, give the voxel "
            "size and insist on it (--voxel-size and --trust-voxel-size)."
        )
    if stated <= 0:
        raise InputDataError(
            f"{what}: voxel size {stated} Å in the header. "
            "Write it into the header (relion_image_handler --force_header_angpix "
            "does), or, for tomograms, give it (--voxel-size)."
        )
    return stated


def _is_not_set(stated: float) -> bool:
    return math.isclose(stated, NOT_SET, rel_tol=1e-5)


def _agree(stated: float, given: float) -> bool:
    return abs(stated - given) <= VOXEL_SIZE_TOLERANCE * given


def _overruled(said: str, given: float) -> str:
    return f"{said}; the {given:g} Å that were given are taken"


def _listed(numbers: Sequence[float]) -> str:
    return ", ".join(f"{n:g}" for n in numbers)
