"""The real RELION extracts what stands in a micrograph's coordinate file."""

import subprocess

import mrcfile
import numpy as np
import pytest
import tifffile

from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.formats.format import FormatOptions
from etpicker_plugin.engine.formats.relion_micrographs import RELION_COORDINATES
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.relion.find import find_relion
from etpicker_plugin.engine.volumes.tomogram import read_tomogram, read_whole
from etpicker_plugin.tests.support.micrographs import write_micrograph

try:
    RELION = find_relion()
except ExternalProgramError as error:
    pytest.skip(str(error), allow_module_level=True)

SHAPE_YX, BOX, PIXEL_SIZE = (100, 90), 16, 2.0
PLANTED_YX = {"mic_1": [(20, 30), (50, 61)], "mic_2": []}
MICROGRAPHS = """
data_optics

loop_
_rlnOpticsGroupName #1
_rlnOpticsGroup #2
_rlnMicrographPixelSize #3
_rlnVoltage #4
_rlnSphericalAberration #5
_rlnAmplitudeContrast #6
one 1 2.0 300.0 2.7 0.1

data_micrographs

loop_
_rlnMicrographName #1
_rlnOpticsGroup #2
mics/mic_1.{ending} 1
mics/mic_2.{ending} 1
"""


@pytest.mark.parametrize("ending", ["mrc", "tif"])
def test_the_middle_of_a_box_is_the_pixel_that_was_picked(tmp_path, ending):
    """Pixel BOX / 2; RELION cuts off what a coordinate has behind the point."""
    (tmp_path / "mics").mkdir()
    (tmp_path / "picks/mics").mkdir(parents=True)
    (tmp_path / "mics.star").write_text(MICROGRAPHS.format(ending=ending))
    noise = np.random.default_rng(0).normal(0, 0.1, SHAPE_YX).astype(np.float32)
    for name, places in PLANTED_YX.items():
        image = noise.copy()
        for y, x in places:
            image[y, x] = 50.0
        path = tmp_path / f"mics/{name}.{ending}"
        if ending == "tif":
            tifffile.imwrite(path, image[::-1])
        else:
            write_micrograph(path, image, pixel_size=PIXEL_SIZE)
        seen = read_whole(read_tomogram(path, PIXEL_SIZE))
        np.testing.assert_array_equal(seen, image[None])
        picks = make_particles(
            name,
            np.array([[0, y + 0.25, x + 0.5] for y, x in places]).reshape(-1, 3),
            class_names="ferritin",
            scores=[0.75, 0.5][: len(places)],
        )
        frame = TomogramFrame(
            tomogram_id=name, shape_zyx=(1, *SHAPE_YX), voxel_size=PIXEL_SIZE
        )
        RELION_COORDINATES.write(
            [(picks, frame)],
            tmp_path / f"picks/mics/{name}_autopick.star",
            FormatOptions(),
            {"ferritin": 1},
        )

    words = ["--i", "mics.star", "--coord_dir", "picks/"]
    words += ["--coord_suffix", "_autopick.star", "--part_dir", "out/"]
    words += ["--part_star", "out/particles.star"]
    words += ["--extract", "--extract_size", str(BOX)]
    program = RELION.folder / "relion_preprocess"
    done = subprocess.run([program, *words], cwd=tmp_path, capture_output=True)

    assert done.returncode == 0, done.stderr
    with mrcfile.open(tmp_path / "out/mics/mic_1.mrcs") as mrc:
        boxes = mrc.data.copy()
    contrast = np.abs(boxes - np.median(boxes, axis=(1, 2), keepdims=True))
    assert len(boxes) == 2
    for box in contrast:
        brightest = np.unravel_index(box.argmax(), box.shape)
        assert brightest == (BOX // 2, BOX // 2)
    assert not (tmp_path / "out/mics/mic_2.mrcs").exists()
