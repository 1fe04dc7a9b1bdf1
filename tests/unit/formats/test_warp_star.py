"""STAR files of Warp and M, against what is worked out by hand."""

import emtable
import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.warp_star import read_warp, write_warp
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.tests.support.hand_made import (
    CLASSES,
    FRAME,
    SHAPE_ZYX,
    ZYX,
    assert_hand_made,
    hand_made,
    text_file,
)

WARP = """
data_

loop_
_rlnCoordinateX #1
_rlnCoordinateY #2
_rlnCoordinateZ #3
_rlnAngleRot #4
_rlnAngleTilt #5
_rlnAnglePsi #6
_rlnAutopickFigureOfMerit #7
_rlnClassNumber #8
_rlnMicrographName #9
{a} 90 90 180 0.75 1 TS_01.tomostar
{b} 90 90 -90 0.5 2 TS_01.tomostar
"""


WARP_VOXELS = WARP.format(a="12.25 50 7", b="30 3 20")


WARP_FRACTIONS = WARP.format(
    a="0.2987804878 0.8771929825 0.2121212121",
    b="0.7317073171 0.0526315789 0.6060606061",
)


@pytest.mark.parametrize(
    ("normalised", "text"), [(False, WARP_VOXELS), (True, WARP_FRACTIONS)]
)
def test_warp_by_hand(tmp_path, normalised, text):
    path = text_file(tmp_path, "a.star", text)

    (particles,) = read_warp(
        path, frames={"TS_01": FRAME}, normalised=normalised, class_order=CLASSES
    )

    assert_hand_made(particles, atol=1e-6)  # The fractions have ten digits.


def test_warp_s_own_name_of_a_tomogram(tmp_path):
    path = text_file(tmp_path, "a.star", WARP_VOXELS)
    frame = TomogramFrame(
        tomogram_id="TS_01_10.00Apx", shape_zyx=SHAPE_ZYX, voxel_size=10.0
    )

    (particles,) = read_warp(path, frames={"TS_01_10.00Apx": frame})
    written = tmp_path / "b.star"
    write_warp([(particles, frame)], written)

    assert particles.tomogram_id == "TS_01_10.00Apx"
    assert np.allclose(particles.positions_zyx, ZYX)
    assert "TS_01.tomostar" in written.read_text()


@pytest.mark.parametrize(
    ("normalised", "first"),
    [(False, (12.25, 50.0, 7.0)), (True, (0.29878049, 0.87719298, 0.21212121))],
)
def test_warp_as_written_another_reader_agrees(tmp_path, normalised, first):
    path = tmp_path / "a.star"

    write_warp([(hand_made(), FRAME)], path, normalised=normalised)

    row, _ = emtable.Table.iterRows(str(path))
    xyz = (row.rlnCoordinateX, row.rlnCoordinateY, row.rlnCoordinateZ)
    np.testing.assert_allclose(xyz, first, atol=1e-7)
    assert row.rlnMicrographName == "TS_01.tomostar"
    assert (row.rlnAutopickFigureOfMerit, row.rlnClassNumber) == (0.75, 1)
    angles = (row.rlnAngleRot, row.rlnAngleTilt, abs(row.rlnAnglePsi))
    np.testing.assert_allclose(angles, (90, 90, 180), atol=1e-4)


@pytest.mark.parametrize(
    ("normalised", "text", "message"),
    [
        (False, WARP_FRACTIONS, "choose the format 'warp-normalised'"),
        (True, WARP_VOXELS, "choose the format 'warp'"),
        (False, WARP_VOXELS.replace("TS_01", "TS_07"), "without a tomogram: TS_07"),
        (False, WARP_VOXELS.replace("CoordinateZ", "Z"), "no table with"),
    ],
)
def test_bad_warp(tmp_path, normalised, text, message):
    path = text_file(tmp_path, "a.star", text)

    with pytest.raises(InputDataError, match=message):
        read_warp(path, frames={"TS_01": FRAME}, normalised=normalised)
