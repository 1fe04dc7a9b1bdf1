"""Tables that RELION reads and writes, read by the one reader of STAR files."""

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.relion.read import (
    read_particles,
    read_postprocess,
    read_tables,
)
from etpicker_plugin.tests.support.hand_made import text_file

OPTICS = "data_optics\n_rlnOpticsGroup 1\n_rlnImagePixelSize 10.5\n\n"
PARTICLES = (
    "data_particles\nloop_\n_rlnImageName #1\n_rlnOriginXAngst #2\n"
    "b/007.mrc 1.5\nb/008.mrc -2\n\n"
)


def test_one_optics_group_without_loop(tmp_path):
    path = text_file(tmp_path, "a.star", OPTICS + PARTICLES)

    particles, optics = read_particles(path)

    assert particles["rlnImageName"].tolist() == ["b/007.mrc", "b/008.mrc"]
    assert particles["rlnOriginXAngst"].tolist() == [1.5, -2]
    assert particles.index.tolist() == [0, 1]
    assert optics["rlnImagePixelSize"].tolist() == [10.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (OPTICS + PARTICLES + PARTICLES, r"data_particles \(line 13\) stands twice"),
        (OPTICS + PARTICLES.replace(" -2", ""), r"line 10: 1 value\(s\), expected 2"),
        (PARTICLES, "no table 'optics'"),
    ],
)
def test_tables_that_are_refused(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        read_particles(text_file(tmp_path, "a.star", text))


POSTPROCESS = """
# version 30001

data_general

_rlnFinalResolution                          43.500000
_rlnFittedInterceptGuinierPlot                     nan
_rlnUnfilteredMapHalf1                       a_half1_class001_unfil.mrc


# version 30001

data_fsc

loop_
_rlnSpectralIndex #1
_rlnAngstromResolution #2
_rlnFourierShellCorrelationCorrected #3
_rlnFourierShellCorrelationUnmaskedMaps #4
_rlnFourierShellCorrelationMaskedMaps #5
_rlnCorrectedFourierShellCorrelationPhaseRandomizedMaskedMaps #6
           0   999.000000     1.000000     1.000000     1.000000     1.000000
           1   240.000000     0.750000     0.500000     0.900000         -nan
"""


def test_lists_and_loops_of_relion(tmp_path):
    path = text_file(tmp_path, "postprocess.star", POSTPROCESS)

    found = read_postprocess(path)

    assert found.resolution_ang == 43.5
    assert found.fsc["resolution_ang"].tolist() == [np.inf, 240]
    assert found.fsc["corrected"].tolist() == [1, 0.75]
    assert np.isnan(found.fsc["randomised"][1])
    general = read_tables(path)["general"]
    assert general["rlnUnfilteredMapHalf1"] == "a_half1_class001_unfil.mrc"
