"""IMOD models as written: bytes of the specification, and read back."""

import struct

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.imod_model_write import write_imod_model
from etpicker_plugin.engine.formats.imod_points import read_imod
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.hand_made import FRAME

NUMBERS = {"ribosome": 1, "liposome": 2, "actin": 4}
POINTS = [[7.0, 50, 12.25], [20, 3, 30], [5, 6, 7], [5, 6, 9], [8, 9, 1], [8, 9, 2]]
PICKS = make_particles(
    "T",
    POINTS,
    class_names=["ribosome", "liposome", *["actin"] * 4],
    optional={
        "filament": ["", "", "b", "b", "a", "a"],
        "radius": [np.nan, 75.0, *[np.nan] * 4],
    },
)


def written(folder, picks=PICKS):
    path = folder / "T.mod"
    write_imod_model(picks, path, frame=FRAME, class_numbers=NUMBERS)
    return path


def test_by_hand(tmp_path):
    data = written(tmp_path).read_bytes()

    assert data[:8] == b"IMODV1.2"
    assert data[-4:] == b"IEOF"
    # The image's size x, y and z, and the number of objects.
    assert struct.unpack_from(">4i", data, 8 + 128) == (41, 57, 33, 4)
    # z counts from -0.5; 3dmod has not written it.
    assert struct.unpack_from(">I", data, 8 + 144) == ((1 << 10) + (1 << 11),)
    # Its pixel size, and that of its unit: 10 to the power of -10 metres.
    assert struct.unpack_from(">fi", data, 8 + 208) == (10, -10)
    first = 8 + 232
    assert data[first : first + 12] == b"OBJTribosome"
    contsize, flags = struct.unpack_from(">iI", data, first + 4 + 128)
    assert (contsize, flags) == (1, 1 << 9)  # one contour of scattered points
    contour = first + 4 + 176
    assert struct.unpack_from(">4s4i", data, contour) == (b"CONT", 1, 0, 0, 0)
    # Voxel i is centred at i + 0.5 in x and y, and at i in z.
    assert struct.unpack_from(">3f", data, contour + 20) == (12.75, 50.5, 7)
    second = contour + 32
    size = second + 4 + 176 + 32
    assert struct.unpack_from(">4sif", data, size) == (b"SIZE", 4, 7.5)
    third = size + 12
    assert data[third : third + 5] == b"OBJT\0"  # no class has the number 3
    assert struct.unpack_from(">iI", data, third + 4 + 128) == (0, 1 << 9)
    fourth = third + 4 + 176
    assert struct.unpack_from(">iI", data, fourth + 4 + 128) == (2, 1 << 3)  # open
    assert struct.unpack_from(">4si", data, fourth + 4 + 176) == (b"CONT", 2)


def test_read_back(tmp_path):
    order = ("ribosome", "liposome", "class_3", "actin")
    back = read_imod(written(tmp_path), frame=FRAME, class_order=order)

    np.testing.assert_allclose(back.positions_zyx, POINTS, atol=1e-5)
    assert back.class_names.tolist() == PICKS.class_names.tolist()
    np.testing.assert_array_equal(back.optional["radius"], PICKS.optional["radius"])
    found = back.optional["filament"].tolist()
    assert found == ["", "", "actin_1", "actin_1", "actin_2", "actin_2"]


def test_points_on_membranes_are_a_contour_for_each_vesicle(tmp_path):
    """Those of two vesicles mixed, and centres with radii, which are one contour."""
    names = ["v2", "v1", "v2", "v1", "v2", "c1", "c2"]
    picks = make_particles(
        "T",
        np.arange(21.0).reshape(7, 3) + 0.25,
        class_names=["liposome"] * 5 + ["ribosome"] * 2,
        optional={
            "vesicle": names,
            "radius": [*[np.nan] * 5, 60.0, 70.0],
        },
    )
    path = written(tmp_path, picks)

    data, at = path.read_bytes(), []
    while (found := data.find(b"CONT", at[-1] + 1 if at else 0)) >= 0:
        at.append(found)
    counts = [struct.unpack_from(">i", data, place + 4)[0] for place in at]
    assert counts == [2, 3, 2]
    order = ("ribosome", "liposome", "class_3", "actin")
    back = read_imod(path, frame=FRAME, class_order=order, groups="vesicle")
    on = back.class_names == "liposome"
    np.testing.assert_allclose(
        back.positions_zyx[on], picks.positions_zyx[[0, 2, 4, 1, 3]], atol=1e-5
    )
    read = back.optional["vesicle"][on].tolist()
    assert read == ["liposome_1"] * 3 + ["liposome_2"] * 2
    assert (read_imod(path, frame=FRAME).optional["radius"][:2] == [60, 70]).all()
    plain = read_imod(path, frame=FRAME)
    assert "filament" not in plain.optional  # scattered points are no lines


def test_sizes_of_a_model_of_a_binned_volume_are_rescaled(tmp_path):
    path = written(tmp_path)
    data = bytearray(path.read_bytes())
    struct.pack_into(">3i", data, 8 + 128, 82, 114, 66)
    struct.pack_into(">f", data, 8 + 208, 5.0)  # the sizes count voxels of 5 Å
    path.write_bytes(data)

    back = read_imod(path, frame=FRAME)

    assert back.optional["radius"][1] == pytest.approx(37.5)


def test_sizes_that_are_damaged_are_refused(tmp_path):
    path = written(tmp_path)
    data = path.read_bytes()
    at = data.index(b"SIZE")
    path.write_bytes(data[: at + 8] + struct.pack(">f", np.nan) + data[at + 12 :])
    with pytest.raises(InputDataError, match="a size that is no finite number"):
        read_imod(path, frame=FRAME)
    path.write_bytes(data[: at + 4] + struct.pack(">i2f", 8, 1, 1) + data[at + 12 :])
    with pytest.raises(InputDataError, match="damaged"):
        read_imod(path, frame=FRAME)


def test_nothing_is_a_model_without_contours(tmp_path):
    path = written(tmp_path, make_particles("T", []))

    assert len(read_imod(path, frame=FRAME)) == 0
