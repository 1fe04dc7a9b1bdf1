"""What of a micrograph is blank, and that it changes nothing of the rest."""

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.blank_border import (
    fill_border,
    inside_of,
    rescaled,
)
from etpicker_plugin.engine.volumes.tomogram import read_tomogram
from etpicker_plugin.engine.volumes.working_volume import open_working_volume
from etpicker_plugin.tests.support.micrographs import write_micrograph

IMAGE = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [9, 9, 9, 9, 9, 9],
        [0, 4, 5, 5, 0, 0],
        [0, 3, 3, 3, 0, 0],
        [0, 8, 1, 2, 0, 0],
    ]
)
"""Two blank rows, of two numbers, a blank column and two; and a row that is none."""


def test_blank_lines_at_the_edges_are_outside():
    assert inside_of(IMAGE) == (slice(2, 5), slice(1, 4))
    assert inside_of(IMAGE[2:, 1:4]) == (slice(0, 3), slice(0, 3))


def test_of_a_blank_image_nothing_is_left():
    rows, columns = inside_of(np.full((4, 7), 3.0))

    assert rows.start == rows.stop
    assert np.full((4, 7), 3.0)[rows, columns].size == 0


def test_the_border_becomes_the_median_of_the_rest():
    filled = fill_border(IMAGE, inside_of(IMAGE))

    assert filled.dtype == IMAGE.dtype
    np.testing.assert_array_equal(filled[2:, 1:4], IMAGE[2:, 1:4])
    filled[2:, 1:4] = 3
    assert (filled == 3).all()


def test_an_image_without_a_border_is_not_copied():
    image = IMAGE[2:, 1:4]
    assert fill_border(image, inside_of(image)) is image


def test_coarser_pixels_count_whose_centres_are_inside():
    """Of pixels 3 wide the centres are 0, 3, 6, 9: in 2 to 8 lie those of 1 and 2."""
    assert rescaled((slice(2, 9), slice(0, 10)), 3.0) == (slice(1, 3), slice(0, 4))


@pytest.mark.parametrize("working", [5.0, 12.5])
@pytest.mark.parametrize("blank", [0.0, 3000.0])
def test_a_wide_border_changes_nothing_of_the_rest(tmp_path, working, blank):
    """Nearly half of it: taken for image it would be its median and its scale."""
    generator = np.random.default_rng(0)
    image = generator.normal(1000, 20, (400, 520))
    framed = np.full((400, 520), blank)
    framed[40:380, 150:] = image[40:380, 150:]

    volumes = []
    for name, pixels in (("whole", image), ("framed", framed)):
        path = write_micrograph(tmp_path / f"{name}.mrc", pixels, pixel_size=5.0)
        volume = open_working_volume(read_tomogram(path), working)
        volumes.append(volume.read((0, 0, 0), volume.shape_zyx)[0])
    whole, own = volumes

    scale = working / 5.0
    first_y, first_x = (int(np.ceil(n / scale)) for n in (40, 150))
    last_y = int(379 // scale)
    assert not own[:first_y].any()
    assert not own[last_y + 1 :].any()
    assert not own[:, :first_x].any()
    seen = own[first_y : last_y + 1, first_x:]
    assert abs(seen.std() - 1) < 0.05
    assert np.median(np.abs(seen - whole[first_y : last_y + 1, first_x:])) < 0.1
    assert np.abs(seen[:, :4].mean()) < 0.2


def test_one_line_is_no_image(tmp_path):
    image = np.zeros((60, 90))
    image[:, 31] = np.arange(60)
    path = write_micrograph(tmp_path / "line.mrc", image, pixel_size=5.0)

    with pytest.raises(InputDataError, match=r"Micrograph .* blank but for a line"):
        open_working_volume(read_tomogram(path), 12.5)


def test_a_blank_micrograph_is_no_image(tmp_path):
    path = write_micrograph(tmp_path / "b.mrc", np.full((60, 90), 7), pixel_size=5.0)

    with pytest.raises(InputDataError, match=r"all voxels are 7\. It holds no image"):
        open_working_volume(read_tomogram(path), 5.0)
