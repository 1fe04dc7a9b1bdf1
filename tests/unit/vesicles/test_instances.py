"""A volume of labels: which voxel is of which vesicle."""

import mrcfile
import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid, sphere
from etpicker_plugin.engine.vesicles.instances import write_labels

SHAPE = (23, 37, 51)
OUTER = Ellipsoid(np.array([11.0, 18.0, 25.5]), np.diag([1 / 9, 1 / 12, 1 / 20]))
INNER = sphere(np.array([12.0, 17.0, 20.0]), 4.0)
CUT = sphere(np.array([-3.0, 36.0, 50.0]), 8.0)


def by_hand():
    z, y, x = np.indices(SHAPE).astype(float)
    labels = np.zeros(SHAPE, int)
    labels[((z - 11) / 9) ** 2 + ((y - 18) / 12) ** 2 + ((x - 25.5) / 20) ** 2 <= 1] = 2
    labels[(z - 12) ** 2 + (y - 17) ** 2 + (x - 20) ** 2 <= 16] = 1
    labels[(z + 3) ** 2 + (y - 36) ** 2 + (x - 50) ** 2 <= 64] = 3
    return labels


def test_by_hand(tmp_path):
    path = tmp_path / "labels.mrc"
    write_labels([INNER, OUTER, CUT], path, shape_zyx=SHAPE, voxel_size=7.5)

    with mrcfile.open(path) as read:
        assert read.data.dtype == np.uint16
        np.testing.assert_array_equal(read.data, by_hand())
        assert read.voxel_size.tolist() == pytest.approx((7.5, 7.5, 7.5))
        assert read.is_volume()
        assert (read.header.dmin, read.header.dmax) == (0, 3)
        assert read.header.dmean == pytest.approx(by_hand().mean())
        assert read.header.rms == pytest.approx(by_hand().std())
    assert mrcfile.validate(path)
    assert [p.name for p in tmp_path.iterdir()] == ["labels.mrc"]


def test_one_that_is_quite_outside_has_no_voxel(tmp_path):
    path = tmp_path / "labels.mrc"
    outside = sphere(np.array([11.0, -9.5, 25.0]), 8.0)
    write_labels([outside], path, shape_zyx=SHAPE, voxel_size=7.5)

    with mrcfile.open(path) as read:
        assert not read.data.any()


def test_more_than_labels_are_refused(tmp_path):
    with pytest.raises(InputDataError, match="65536 vesicles, but"):
        write_labels(
            [INNER] * 65536, tmp_path / "a.mrc", shape_zyx=SHAPE, voxel_size=1.0
        )
    assert not list(tmp_path.iterdir())
