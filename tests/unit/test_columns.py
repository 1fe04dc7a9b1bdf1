import numpy as np

from etpicker_plugin.engine.columns import DIRECTION
from etpicker_plugin.engine.formats.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.particles import make_particles

DIRECTIONS_ZYX = np.array([[0.8, 0.0, -0.6], [np.nan] * 3])


def test_a_direction_is_xyz_in_files_and_zyx_in_records(tmp_path):
    points = make_particles(
        "T", [[3, 2, 1], [6, 5, 4]], optional={"direction": DIRECTIONS_ZYX}
    )
    write_csv(points, tmp_path / "T.csv")
    assert (tmp_path / "T.csv").read_text().splitlines() == [
        "class,x,y,z,score,direction_x,direction_y,direction_z",
        "particle,1.000,2.000,3.000,,-0.60000,0.00000,0.80000",
        "particle,4.000,5.000,6.000,,,,",
    ]
    found = read_csv(tmp_path / "T.csv", tomogram_id="T").optional["direction"]
    np.testing.assert_array_equal(found, DIRECTIONS_ZYX)


def test_a_direction_turns_with_the_tomogram():
    mirrored = DIRECTION.mirrored(DIRECTIONS_ZYX)
    np.testing.assert_array_equal(mirrored[0], [-0.8, 0.0, -0.6])
