"""Refined particles in RELION: their shifts, and angles upon others."""

import numpy as np
import pytest

from etpicker_plugin.engine.formats.relion_star import read_star
from etpicker_plugin.tests.support.hand_made import (
    FRAME,
    TURN_A,
    TURN_B,
    frame_of,
    text_file,
)
from etpicker_plugin.tests.support.relion_texts import (
    RELION3,
    relion4_text,
    relion5_text,
)


@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("relion3", RELION3),
        ("relion4", relion4_text(4)),
        ("relion5", relion5_text("half", 4)),
    ],
)
def test_refinement_shifts_are_subtracted(tmp_path, version, text):
    """Shifts of 5, 10 and -20 Å are 0.5, 1 and -2 voxels in every version."""
    text = add_columns(
        text,
        {f"rlnOrigin{a}Angst": v for a, v in zip("XYZ", (5, 10, -20), strict=True)},
    )
    path = text_file(tmp_path, "a.star", text)
    binning = 1 if version == "relion3" else 4

    (particles,) = read_star(path, frames={"TS_01": frame_of(binning)}, version=version)

    assert np.allclose(particles.positions_zyx, [[9, 49, 11.75], [22, 2, 29.5]])


def test_relion3_shifts_in_pixels(tmp_path):
    text = add_columns(
        RELION3, {f"rlnOrigin{a}": v for a, v in zip("XYZ", (1, -2, 3), strict=True)}
    )
    path = text_file(tmp_path, "a.star", text)

    (particles,) = read_star(path, frames={"TS_01": frame_of()}, version="relion3")

    assert np.allclose(particles.positions_zyx, [[4, 52, 11.25], [17, 5, 29]])


def test_shifts_are_turned_by_the_subtomogram_s_angles_as_in_relion(tmp_path):
    """A tilt of 90 degrees turns z to -x and x to z: (5, 10, -20) Å to (20, 10, 5)."""
    shifts = {f"rlnOrigin{a}Angst": v for a, v in zip("XYZ", (5, 10, -20), strict=True)}
    flat = {"rlnTomoSubtomogramRot": 0, "rlnTomoSubtomogramTilt": 0}
    frames = {"TS_01": frame_of(4)}
    path = text_file(
        tmp_path, "a.star", add_columns(relion4_text(4), {**shifts, **flat})
    )
    (particles,) = read_star(path, frames=frames, version="relion4")
    assert np.allclose(particles.positions_zyx[0], [9, 49, 11.75])

    turned = {**shifts, **flat, "rlnTomoSubtomogramTilt": 90}
    path = text_file(tmp_path, "b.star", add_columns(relion4_text(4), turned))
    (particles,) = read_star(path, frames=frames, version="relion4")
    assert np.allclose(particles.positions_zyx[0], [6.5, 49, 10.25])
    assert np.allclose(particles.rotations[0], [[0, 0, -1], [0, 1, 0], [1, 0, 0]])


def test_an_axis_without_origin_is_not_shifted(tmp_path):
    path = text_file(
        tmp_path, "a.star", add_columns(relion4_text(4), {"rlnOriginYAngst": 10})
    )

    (particles,) = read_star(path, frames={"TS_01": frame_of(4)}, version="relion4")

    assert np.allclose(particles.positions_zyx, [[7, 49, 12.25], [20, 2, 30]])


def add_columns(text, values):
    """Add columns of one value to the particle table."""
    head, rows = text[: text.rindex("#7") + 2], text[text.rindex("#7") + 2 :]
    labels = "".join(f"\n_{name} #{n}" for n, name in enumerate(values, 8))
    words = " ".join(str(value) for value in values.values())
    lines = [f"{line} {words}" for line in rows.strip().splitlines()]
    return head + labels + "\n" + "\n".join(lines) + "\n"


SUBTOMOGRAM = """
data_particles

loop_
_rlnTomoName #1
_rlnCoordinateX #2
_rlnCoordinateY #3
_rlnCoordinateZ #4
_rlnAngleRot #5
_rlnAngleTilt #6
_rlnAnglePsi #7
_rlnTomoSubtomogramRot #8
_rlnTomoSubtomogramTilt #9
_rlnTomoSubtomogramPsi #10
TS_01 49 200 28 90 90 180 0 {tilt} 0
TS_01 120 12 80 90 90 -90 0 0 0
"""


def test_orientations_upon_others_are_multiplied(tmp_path, caplog):
    """Particle A is turned by TURN_A and then by a tilt of 90: x to z, z to -x."""
    flat = text_file(tmp_path, "a.star", SUBTOMOGRAM.format(tilt=0))
    turned = text_file(tmp_path, "b.star", SUBTOMOGRAM.format(tilt=90))
    given = {"frames": {"TS_01": FRAME}, "version": "relion4"}

    (kept,) = read_star(flat, **given)
    (multiplied,) = read_star(turned, **given)

    assert not caplog.text
    np.testing.assert_allclose(kept.rotations, [TURN_A, TURN_B], atol=1e-6)
    tilted = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    np.testing.assert_allclose(multiplied.rotations, [tilted, TURN_B], atol=1e-6)
