"""EMAN2's info files, ``NAME_info.json``: boxes of ``e2spt_boxer``.

``boxes_3d`` holds lines ``[x, y, z, method, score, class]`` and ``class_list`` the
classes' names. ``curves``, of ``e2tomo_drawcurve``, are filaments: lines ``[x, y, z,
curve, class]``, in order along each curve. Beside ``apix_unbin``, the pixel size of the
tilt series, both count in unbinned pixels from voxel n // 2; without it (before 2018)
in voxels from the corner.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import FILAMENT
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.format import Format, frame_in, particles_in
from etpicker_plugin.engine.formats.groups import numbers_of, texts_of
from etpicker_plugin.engine.formats.json_files import (
    read_object,
    shown,
    to_numbers,
    to_text,
)
from etpicker_plugin.engine.formats.names import name_class
from etpicker_plugin.engine.formats.scores import unknown_if_all_zero, zero_if_unknown
from etpicker_plugin.engine.geometry import (
    TomogramFrame,
    from_eman2_xyz,
    reverse_axes,
    to_eman2_xyz,
)
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles, make_particles

logger = logging.getLogger(__name__)

BOX_SIZE = 64
"""EMAN2's own default, in unbinned pixels; particles do not know their box."""
PIXEL_SIZE_TOLERANCE = 0.01


def eman2_name(tomogram_id: str) -> str:
    """Return the name EMAN2 gives a tomogram: that before ``__`` (``TS_01__bin4``)."""
    return tomogram_id.split("__")[0]


def read_eman2(
    path: Path,
    *,
    frame: TomogramFrame,
    class_order: Sequence[str] = ("particle",),
    binning_is_known: bool = False,
) -> Particles:
    """Read the boxes and curves of one tomogram; without any it is an empty record.

    A class that ``class_list`` does not name is the next of ``class_order`` or, beyond
    it, ``class_n``, counted from 1. Scores that are all 0 count as unknown.

    Raises
    ------
    InputDataError
        If a box or point does not hold numbers, or ``apix_unbin`` and the frame's
        binning, if it ``binning_is_known``, differ by more than 1 %.
    """
    record = read_object(path)
    boxes = record.get("boxes_3d", [])
    if not isinstance(boxes, list):
        raise InputDataError(f"Coordinates {path}: boxes_3d is no list.")
    _check_lengths(boxes, path)
    rows = np.array(
        [_numbers_of(box, f"{path}, box {n}") for n, box in enumerate(boxes)]
    )
    curves = _curves_of(record, path)
    rows = np.concatenate([rows.reshape(-1, 5), curves[:, [0, 1, 2, 5, 4]]])
    if "apix_unbin" in record:
        frame = _with_binning(record["apix_unbin"], frame, binning_is_known, path)
        positions_zyx = from_eman2_xyz(rows[:, :3], frame)
    else:
        positions_zyx = reverse_axes(rows[:, :3])
    ids = [""] * len(boxes) + [f"{number:g}" for number in curves[:, 3]]
    return make_particles(
        frame.tomogram_id,
        positions_zyx,
        class_names=_class_names(rows[:, 4].astype(int), record, class_order, path),
        scores=unknown_if_all_zero(rows[:, 3]),
        optional={FILAMENT.name: np.array(ids, dtype=str) if len(curves) else None},
    )


def write_eman2(
    particles: Particles,
    path: Path,
    *,
    frame: TomogramFrame,
    class_numbers: Mapping[str, int],
) -> None:
    """Write boxes, class names and ``apix_unbin``; classes count from 0 in EMAN2.

    Points on filaments are curves, and no boxes; these have no scores, and that is
    logged. Orientations are lost, too; an unknown score is 0.
    """
    on_curve = texts_of(FILAMENT, particles) != FILAMENT.missing
    curves, particles = particles.select(on_curve), particles.select(~on_curve)
    if np.isfinite(curves.scores).any():
        logger.warning("%s: EMAN2's curves have no scores; they are left out.", path)
    boxes = [
        [
            *np.round(xyz, 4).tolist(),
            "etpicker",
            float(score),
            class_numbers[str(name)] - 1,
        ]
        for xyz, score, name in zip_strict(
            to_eman2_xyz(particles.positions_zyx, frame),
            zero_if_unknown(particles.scores),
            particles.class_names,
        )
    ]
    record = {
        "apix_unbin": frame.tilt_series_pixel_size,
        "boxes_3d": boxes,
        **({"curves": _points_on(curves, frame, class_numbers)} if len(curves) else {}),
        "class_list": {
            str(number - 1): {"boxsize": BOX_SIZE, "name": name}
            for name, number in class_numbers.items()
        },
    }
    with write_whole(path) as temporary:
        temporary.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")


def boxes_first(particles: Particles, class_numbers: Mapping[str, int]) -> Particles:
    """Return the particles as a file has them: those on curves behind the others."""
    on_curve = texts_of(FILAMENT, particles) != FILAMENT.missing
    return particles.select(np.argsort(on_curve, kind="stable"))


def _points_on(
    curves: Particles, frame: TomogramFrame, class_numbers: Mapping[str, int]
) -> list[list[float]]:
    """Return the lines of ``curves``, which are numbered from 0."""
    numbers = numbers_of(texts_of(FILAMENT, curves)) - 1
    xyz = np.round(to_eman2_xyz(curves.positions_zyx, frame), 4)
    return [
        [*point.tolist(), int(number), class_numbers[str(name)] - 1]
        for point, number, name in zip_strict(xyz, numbers, curves.class_names)
    ]


def _curves_of(record: Mapping[str, Any], path: Path) -> FloatArray:
    """Return ``(N, 6)`` x, y, z, curve, class and 0 of the points on curves."""
    points = record.get("curves", [])
    if not isinstance(points, list):
        raise InputDataError(f"Coordinates {path}: curves is no list.")
    rows = np.zeros((len(points), 6))
    for n, point in enumerate(points):
        where = f"{path}, curves, point {n}"
        if not isinstance(point, list) or len(point) not in (4, 5):
            raise InputDataError(
                f"Coordinates {where}: got {shown(point)}, expected [x, y, z, curve, "
                "class]."
            )
        rows[n, : len(point)] = to_numbers(point, (len(point),), where)
        if (rows[n, 3:5] < 0).any() or (rows[n, 3:5] % 1).any():
            raise InputDataError(
                f"Coordinates {where}: got {shown(point)}, expected whole numbers from "
                "0 for the curve and its class."
            )
    return rows


def _check_lengths(boxes: Sequence[Any], path: Path) -> None:
    """Refuse a box with a value less than others: the score or the class is missing."""
    lengths = {len(box) for box in boxes if isinstance(box, list)}
    if 5 in lengths and max(lengths) > 5:
        first = next(
            n for n, b in enumerate(boxes) if isinstance(b, list) and len(b) == 5
        )
        raise InputDataError(
            f"Coordinates {path}, box {first}: 5 values, others have {max(lengths)}. "
            "Expected [x, y, z, method, score, class]."
        )


def _names_method(box: Sequence[Any]) -> bool:
    """Tell whether the fourth value is the method's name, if there is one."""
    return len(box) < 4 or isinstance(box[3], str)


def _numbers_of(box: object, where: str) -> FloatArray:
    """Return ``(5,)`` x, y, z, score and class of a box; the last two may lack."""
    if not isinstance(box, list) or len(box) < 3 or not _names_method(box):
        raise InputDataError(
            f"Coordinates {where}: got {shown(box)}, expected [x, y, z, method, "
            "score, class]."
        )
    score, number = (*box[4:6], 0, 0)[:2] if len(box) < 6 else box[4:6]
    numbers = to_numbers([*box[:3], score, number], (5,), where)
    if numbers[4] < 0 or numbers[4] % 1:
        raise InputDataError(
            f"Coordinates {where}: class {shown(number)}, expected a whole number "
            "from 0."
        )
    return numbers


def _with_binning(
    apix_unbin: Any, frame: TomogramFrame, binning_is_known: bool, path: Path
) -> TomogramFrame:
    """Return the frame with the file's own binning."""
    stated = float(to_numbers(apix_unbin, (), f"{path}, apix_unbin"))
    expected = frame.tilt_series_pixel_size
    differs = abs(stated - expected) > PIXEL_SIZE_TOLERANCE * expected
    if stated <= 0 or (binning_is_known and differs):
        raise InputDataError(
            f"{path}: apix_unbin is {stated:g} Å, but tomogram {frame.tomogram_id} "
            f"with voxel size {frame.voxel_size:g} Å and binning {frame.binning:g} "
            f"asks for {expected:g} Å. Correct --voxel-size or --binning."
        )
    return replace(frame, binning=frame.voxel_size / stated)


def _class_names(
    numbers: FloatArray, record: Mapping[str, Any], order: Sequence[str], path: Path
) -> FloatArray:
    """Return ``(N,)`` names of EMAN2's class numbers."""
    listed = record.get("class_list")
    known = {
        key: to_text(value["name"], f"{path}, class_list, {key}")
        for key, value in (listed if isinstance(listed, dict) else {}).items()
        if isinstance(value, dict) and value.get("name")
    }
    names = [known.get(str(n), name_class(int(n) + 1, order=order)) for n in numbers]
    return np.array(names, dtype=str)


EMAN2 = Format(
    name="eman2",
    program="EMAN2 boxes (_info.json)",
    file="{tomogram}_info.json",
    positions="x y z, unbinned tilt-series pixels from voxel n // 2",
    not_held=("orientations",),
    arranged=boxes_first,
    glob="*_info.json",
    spell_tomogram=eman2_name,
    needs_binning="EMAN2's boxes are in unbinned pixels",
    states_binning=True,
    mirrors_at_centre=True,
    read=lambda path, frames, options: [
        read_eman2(
            path,
            frame=frame_in(frames),
            class_order=options.class_names,
            binning_is_known=options.binning_is_known,
        )
    ],
    write=lambda items, path, _, numbers: write_eman2(
        particles_in(items), path, frame=items[0][1], class_numbers=numbers
    ),
)
