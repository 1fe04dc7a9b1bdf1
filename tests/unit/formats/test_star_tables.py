"""Particles of STAR files as other programs write them: blocks, scores, columns."""

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.relion_star import read_star
from etpicker_plugin.engine.formats.warp_star import read_warp
from etpicker_plugin.tests.support.hand_made import ZYX, frame_of, text_file

LABELS = ["rlnTomoName", *(f"rlnCenteredCoordinate{a}Angst" for a in "XYZ")]
A = "TS_01 -82.5 215 -95"
B = "TS_01 95 -255 35"
OTHER = "TS_02 -195 -275 -155"


def block(*rows, name="particles", labels=LABELS):
    lines = [
        f"data_{name}",
        "",
        "loop_",
        *(f"_{n} #{i}" for i, n in enumerate(labels, 1)),
    ]
    return "\n".join([*lines, *rows]) + "\n\n"


def read(folder, text, *, names=("TS_01",), **given):
    frames = {name: frame_of(tomogram_id=name) for name in names}
    path = text_file(folder, "a.star", text)
    return read_star(path, frames=frames, version="relion5", **given)


@pytest.mark.parametrize(
    "names", [("particles", "particles"), ("TS_01", ""), ("a", "b")]
)
def test_several_blocks_are_read_together(tmp_path, names):
    text = block(A, OTHER, name=names[0]) + block(B, name=names[1])

    first, second = read(tmp_path, text, names=("TS_01", "TS_02"))

    assert np.allclose(first.positions_zyx, ZYX)
    assert np.allclose(second.positions_zyx, [[1, 1, 1]])


def test_labels_may_stand_in_another_order(tmp_path):
    x, y, z = LABELS[1:]
    text = block(A) + block("35 95 TS_01 -255", labels=[z, x, "rlnTomoName", y])

    (particles,) = read(tmp_path, text)

    assert np.allclose(particles.positions_zyx, ZYX)


def test_an_empty_block_beside_a_full_one(tmp_path):
    (particles,) = read(tmp_path, block() + block(A, B))

    assert np.allclose(particles.positions_zyx, ZYX)


def test_one_particle_and_one_optics_group_without_loop(tmp_path):
    optics = "data_optics\n_rlnOpticsGroup 1\n_rlnTomoTiltSeriesPixelSize {}\n\n"
    particle = "data_particles\n" + "".join(
        f"_{n} {v}\n"
        for n, v in zip([*LABELS, "rlnOpticsGroup"], [*A.split(), 1], strict=True)
    )
    text = (optics + particle).replace("CenteredCoordinate", "Coordinate")
    text = text.replace("Angst", "").replace("-82.5", "12.25")
    text = text.replace("215", "50").replace("-95", "7")
    path = text_file(tmp_path, "a.star", text.format(10))

    (particles,) = read_star(path, frames={"TS_01": frame_of()}, version="relion4")

    assert np.allclose(particles.positions_zyx, ZYX[:1])
    path = text_file(tmp_path, "b.star", text.format(2.5))
    with pytest.raises(InputDataError, match=r"PixelSize is 2\.5 Å"):
        read_star(path, frames={"TS_01": frame_of()}, version="relion4")


OPTICS = "data_optics\nloop_\n_rlnOpticsGroup\n_rlnTomoTiltSeriesPixelSize\n1 {}\n\n"
REFUSED = {
    "other labels": (
        block(A) + block(B + " 0.5", labels=[*LABELS, "rlnLCCmax"]),
        r"data_particles \(line 1?\d\) alone has rlnLCCmax",
    ),
    "positions of another kind": (
        block(A)
        + block("TS_01 1 2 3", name="more", labels=["rlnTomoName", *"abc"]).replace(
            "_a", "_rlnCoordinateX"
        ),
        "two particle tables with different labels.*data_more",
    ),
    "optics that differ": (
        OPTICS.format(1) + block(A) + OPTICS.format(2) + block(B),
        "two optics tables that differ",
    ),
    "a label twice": (
        block(A + " 1", labels=[*LABELS, LABELS[1]]),
        "line 8: the label _rlnCenteredCoordinateXAngst stands twice",
    ),
    "a missing cell": (block(A, "TS_01 95 35"), r"line 9: 3 value\(s\), expected 4"),
    "words": (
        block(A, "TS_01 95 far 35"),
        "line 9: rlnCenteredCoordinateYAngst .*'far', expected a number",
    ),
    "commas": (
        block("TS_01 -82,5 215 -95"),
        r"line 8: .*'-82,5', expected .*decimal point",
    ),
    "nan": (block(A, "TS_01 nan 1 2"), "line 9: rlnCenteredCoordinateXAngst .*missing"),
    "infinite": (block(A, "TS_01 1 -inf 2"), "line 9: .*YAngst .*infinite"),
    "too large": (block(A, "TS_01 1 2 1e300"), "line 9: .*ZAngst .*at most 1e"),
    "not plain": (block(A, "TS_01 1_0 2 3"), "line 9: .*'1_0', expected a number"),
    "truth": (block("TS_01 True 2 3"), "line 8: .*'True', expected a number"),
    "half a class": (
        block(A + " 1.5", labels=[*LABELS, "rlnClassNumber"]),
        "line 9: rlnClassNumber is '1.5', expected a whole number",
    ),
    "no class name": (
        block(A + ' ""', labels=[*LABELS, "etpickerClassName"]),
        "line 9: etpickerClassName is '', expected a name",
    ),
    "a score that is none": (
        block(A + " high", labels=[*LABELS, "rlnLCCmax"]),
        "line 9: rlnLCCmax .*'high', expected a number",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_line_and_label(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        read(tmp_path, text)


def test_optics_that_are_the_same_twice(tmp_path):
    text = OPTICS.format(10) + block(A) + OPTICS.format(10) + block(B)

    (particles,) = read(tmp_path, text)

    assert len(particles) == 2


WARP = ["rlnCoordinateX", "rlnCoordinateY", "rlnCoordinateZ", "rlnMicrographName"]


def read_m(folder, text, **given):
    path = text_file(folder, "m.star", text)
    return read_warp(path, frames={"TS_01": frame_of()}, **given)


def test_warp_s_shifts(tmp_path):
    """15, -25 and 40 Å are 1.5, -2.5 and 4 voxels; in pixels they are what they say."""
    row = "30 28 20 TS_01.tomostar"
    in_ang = [f"rlnOrigin{a}Angst" for a in "XYZ"]
    in_pixels = [f"rlnOrigin{a}" for a in "XYZ"]

    (ang,) = read_m(tmp_path, block(row + " 15 -25 40", labels=WARP + in_ang))
    (pixels,) = read_m(tmp_path, block(row + " 1.5 -2.5 4", labels=WARP + in_pixels))
    (both,) = read_m(
        tmp_path, block(row + " 1 1 1 15 -25 40", labels=WARP + in_pixels + in_ang)
    )

    for found in (ang, pixels, both):
        assert np.allclose(found.positions_zyx, [[16, 30.5, 28.5]])


def test_warp_s_shifts_beside_fractions(tmp_path):
    labels = [*WARP, "rlnOriginYAngst"]
    row = "0.5 0.5 0.5 TS_01.tomostar 20"

    (found,) = read_m(tmp_path, block(row, labels=labels), normalised=True)

    assert np.allclose(found.positions_zyx, [[16.5, 26.5, 20.5]])


def test_blocks_without_a_tomogram_s_name_are_refused(tmp_path):
    text = block("1 2 3", labels=WARP[:3], name="TS_01")
    text += block("4 5 6", labels=WARP[:3], name="TS_02")

    with pytest.raises(InputDataError, match="not known of which tomogram"):
        read_m(tmp_path, text)


@pytest.mark.parametrize(
    ("labels", "chosen"),
    [
        (["rlnLCCmax", "rlnCutOff"], "rlnLCCmax"),
        (["rlnLCCmax", "rlnAutopickFigureOfMerit"], "rlnAutopickFigureOfMerit"),
        (["rlnMaxValueProbDistribution", "rlnLCCmax"], "rlnLCCmax"),
        (
            ["rlnMaxValueProbDistribution", "rlnNormCorrection"],
            "rlnMaxValueProbDistribution",
        ),
        (["ptmDetectionScore", "rlnMaxValueProbDistribution"], "ptmDetectionScore"),
        (["Confidence", "rlnSearchStd"], "Confidence"),
    ],
)
def test_scores_of_other_programs(tmp_path, caplog, labels, chosen):
    text = block(A + " 0.25 0.5", B + " 0.75 nan", labels=[*LABELS, *labels])

    (particles,) = read(tmp_path, text)

    column = labels.index(chosen)
    expected = [[0.25, 0.75], [0.5, np.nan]][column]
    assert np.array_equal(particles.scores, expected, equal_nan=True)
    (left_out,) = set(labels) - {chosen}
    assert f"these columns are left out: {left_out}. " in caplog.text


def test_two_labels_like_scores_are_not_chosen_from(tmp_path, caplog):
    text = block(A + " 0.25 0.5", labels=[*LABELS, "aScore", "bScore"])

    (none,) = read(tmp_path, text)
    assert np.isnan(none.scores).all()
    assert "left out: aScore, bScore. If one of them is the score" in caplog.text

    (chosen,) = read(tmp_path, text, score_column="bScore")
    assert chosen.scores.tolist() == [0.5]
    with pytest.raises(InputDataError, match=r"no column cScore.*aScore, bScore"):
        read(tmp_path, text, score_column="cScore")


def test_columns_that_are_all_read_are_not_told(tmp_path, caplog):
    more = ["rlnOriginXAngst", "rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"]
    more += ["rlnTomoSubtomogramRot", "rlnClassNumber", "rlnOpticsGroup", "rlnLCCmax"]
    text = block(A + " 0 1 2 3 4 5 1 0.5", labels=[*LABELS, *more])

    read(tmp_path, text)
    assert not caplog.text

    read(tmp_path, block(A + " 1 2", labels=[*LABELS, "rlnAngleRot", "rlnAngleTilt"]))
    assert "left out: rlnAngleRot, rlnAngleTilt." in caplog.text
