"""What the text formats have in common, against what is worked out by hand."""

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.formats.coordinates_txt import read_txt, write_txt
from etpicker_plugin.engine.formats.deepetpicker_coords import read_coords
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.hand_made import SHAPE_ZYX


@pytest.mark.parametrize("kind", ["csv", "txt"])
def test_many_positions_come_back_from_text(tmp_path, kind):
    path = tmp_path / "a"
    positions = np.random.default_rng(0).uniform(
        -0.5, np.array(SHAPE_ZYX) - 0.5, (200, 3)
    )
    particles = make_particles("TS_01", positions)

    if kind == "csv":
        write_csv(particles, path)
        read = read_csv(path, tomogram_id="TS_01")
    else:
        write_txt(particles, path)
        read = read_txt(path, tomogram_id="TS_01")

    assert np.abs(read.positions_zyx - positions).max() <= 0.0005 + 1e-9


@pytest.mark.parametrize("read", [read_csv, read_txt, read_coords])
def test_a_missing_text_file_is_named(tmp_path, read):
    with pytest.raises(InputDataError, match=r"nowhere\.xyz"):
        read(tmp_path / "nowhere.xyz", tomogram_id="TS_01")
