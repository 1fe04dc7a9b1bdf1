"""RELION 5's spheres and filaments, against what is worked out by hand."""

import numpy as np
import pytest
import starfile

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.format import FormatOptions
from etpicker_plugin.engine.formats.relion_annotations import (
    RELION5_FILAMENTS,
    RELION5_SPHERES,
)
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.hand_made import frame_of, text_file

POINTS = [[5.0, 6.25, 10], [5, 6, 13], [20, 30, 9]]
FRAME = frame_of(4)  # voxels of 10 Å
OPTIONS = FormatOptions()
SPHERES = make_particles(
    "TS_01", POINTS, class_names="liposome", optional={"radius": [305.0, 270, 333]}
)
ACTIN = make_particles(
    "TS_01", POINTS, class_names="actin", optional={"filament": ["b", "a", "b"]}
)


def written(folder, form, particles):
    path = folder / form.path_of("rec_TS_01_half1")
    form.write([(particles, FRAME)], path, OPTIONS, {"liposome": 1, "actin": 1})
    return path


def read(path, form):
    (found,) = form.read(path, {"TS_01": FRAME}, OPTIONS)
    return found


def test_spheres_by_hand(tmp_path):
    path = written(tmp_path, RELION5_SPHERES, SPHERES)

    assert path.name == "TS_01_spheres.star"
    table = starfile.read(path)  # as RELION does: the only table
    assert set(table["rlnTomoName"]) == {"TS_01"}
    xyz = table[[f"rlnCoordinate{axis}" for axis in "XYZ"]].to_numpy()
    np.testing.assert_allclose(xyz, np.array(POINTS)[:, ::-1])
    np.testing.assert_allclose(table["rlnSphereRadius"], [30.5, 27, 33.3])
    back = read(path, RELION5_SPHERES)
    np.testing.assert_allclose(back.positions_zyx, POINTS)
    np.testing.assert_allclose(back.optional["radius"], [305, 270, 333])


def test_filaments_by_hand(tmp_path):
    path = written(tmp_path, RELION5_FILAMENTS, ACTIN)

    assert path.name == "TS_01_filaments.star"
    table = starfile.read(path)
    assert table["rlnTomoManifoldIndex"].tolist() == [0, 1, 0]
    assert read(path, RELION5_FILAMENTS).optional["filament"].tolist() == [*"bab"]


@pytest.mark.parametrize("label", ["rlnTomoManifoldIndex", "rlnManifoldID"])
def test_filaments_that_relion_s_picker_drew(tmp_path, label):
    text = f"""
data_

loop_
_rlnTomoName #1
_{label} #2
_rlnCoordinateX #3
_rlnCoordinateY #4
_rlnCoordinateZ #5
TS_01 0 10.5 6.0 5.0
TS_01 0 13.0 6.0 5.0
TS_01 1 9.0 30.0 20.0
"""
    found = read(
        tmp_path / text_file(tmp_path, "TS_01_filaments.star", text), RELION5_FILAMENTS
    )

    np.testing.assert_allclose(found.positions_zyx[0], [5, 6, 10.5])
    assert found.optional["filament"].tolist() == ["0", "0", "1"]


def test_a_radius_that_was_changed_in_relion_counts(tmp_path):
    path = written(tmp_path, RELION5_SPHERES, SPHERES)
    path.write_text(path.read_text().replace("30.5000000", "25.0000000"))

    assert read(path, RELION5_SPHERES).optional["radius"][0] == pytest.approx(250)


def test_what_is_of_another_kind_is_refused(tmp_path):
    with pytest.raises(InputDataError, match="3 of 3 rows have no radius"):
        written(tmp_path, RELION5_SPHERES, ACTIN)
    with pytest.raises(InputDataError, match="3 of 3 rows have no filament"):
        written(tmp_path, RELION5_FILAMENTS, SPHERES)
    points = text_file(
        tmp_path,
        "TS_01_filaments.star",
        "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnCoordinateZ\n1 2 3\n",
    )
    with pytest.raises(InputDataError, match="no column rlnTomoManifoldIndex"):
        read(points, RELION5_FILAMENTS)
