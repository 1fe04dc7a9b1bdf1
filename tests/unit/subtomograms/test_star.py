"""The text of a RELION table, compared with starfile's and read back by it."""

import numpy as np
import pandas as pd
import starfile

from etpicker_plugin.engine.subtomograms.star import write_tables

TABLE = pd.DataFrame(
    {
        "rlnMicrographName": ["TS 1.mrc", "TS_2.mrc", ""],
        "rlnCoordinateX": [1.0, 2.5, 1e-7],
        "rlnOpticsGroup": np.array([1, 2, 10], dtype=int),
        "etpickerScore": [0.123456789123, np.nan, -1.0],
    }
)
OPTICS = pd.DataFrame({"rlnOpticsGroup": [1], "rlnOpticsGroupName": ["opticsGroup1"]})
TEXT = """\
# version 30001

data_optics

loop_
_rlnOpticsGroup #1
_rlnOpticsGroupName #2
1\topticsGroup1

# version 30001

data_particles

loop_
_rlnMicrographName #1
_rlnCoordinateX #2
_rlnOpticsGroup #3
_etpickerScore #4
"TS 1.mrc"\t1.00000000\t1\t0.123456789
TS_2.mrc\t2.50000000\t2\tnan
""\t1.00000000e-07\t10\t-1.00000000
"""


def test_the_text(tmp_path):
    write_tables({"optics": OPTICS, "particles": TABLE}, tmp_path / "particles.star")
    assert (tmp_path / "particles.star").read_text() == TEXT


def test_it_is_read_back_by_starfile(tmp_path):
    write_tables({"optics": OPTICS, "particles": TABLE}, tmp_path / "particles.star")
    read = starfile.read(tmp_path / "particles.star", always_dict=True)
    particles = read["particles"]
    assert list(particles.columns) == list(TABLE.columns)
    assert list(particles["rlnOpticsGroup"]) == [1, 2, 10]
    np.testing.assert_allclose(
        particles["etpickerScore"].astype(float), TABLE["etpickerScore"], rtol=1e-8
    )
    assert particles["rlnMicrographName"][0] == "TS 1.mrc"


def test_a_table_of_no_rows(tmp_path):
    write_tables({"particles": TABLE.iloc[:0]}, tmp_path / "particles.star")
    assert (tmp_path / "particles.star").read_text().endswith("_etpickerScore #4\n")
