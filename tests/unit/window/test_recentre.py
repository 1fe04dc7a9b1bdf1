import mrcfile
import numpy as np
import pytest

from etpicker_plugin.window.aids.recentre import find_centre
from etpicker_plugin.window.document.volume import open_volume

CENTRE = np.array([15.3, 22.7, 30.1])


def write_ball(path, *, sign, centre=CENTRE, noise=0.3):
    z, y, x = np.indices((33, 47, 59))
    distance = np.sqrt(
        (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
    )
    generator = np.random.default_rng(4)
    data = generator.normal(5, noise, z.shape) + sign * np.clip(6.5 - distance, 0, 1)
    with mrcfile.new(path) as mrc:
        mrc.set_data(data.astype(np.float32))
        mrc.voxel_size = 10.0
    return open_volume(path)


@pytest.mark.parametrize("sign", [-1, 1], ids=["dark", "bright"])
@pytest.mark.parametrize("offset", [(0, 0, 0), (1.5, -2, 2), (-2, 2.5, 0)])
def test_a_click_beside_the_centre_finds_it(tmp_path, sign, offset):
    volume = write_ball(tmp_path / "ball.mrc", sign=sign)
    found = find_centre(volume, CENTRE + offset, diameter_ang=120)
    np.testing.assert_allclose(found, CENTRE, atol=0.3)


def test_at_the_face_it_stays_inside(tmp_path):
    centre = np.array([2.0, 22.7, 57.0])
    volume = write_ball(tmp_path / "ball.mrc", sign=-1, centre=centre)
    found = find_centre(volume, np.add(centre, (0, 1, 0)), diameter_ang=120)
    assert (found >= -0.5).all()
    assert (found <= np.array(volume.shape_zyx) - 0.5).all()


def test_where_nothing_is_it_stays_within_a_radius(tmp_path):
    volume = write_ball(tmp_path / "ball.mrc", sign=0)
    start = np.array([16.0, 20.0, 20.0])
    found = find_centre(volume, start, diameter_ang=120)
    assert np.linalg.norm(found - start) <= 6
