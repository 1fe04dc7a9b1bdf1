"""What a tilt series is called: RELION's and Warp's names, patterns and tables."""

from dataclasses import replace
from functools import partial

import emtable
import pytest

from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.names import match_names
from etpicker_plugin.engine.formats.relion_star import read_star, write_star
from etpicker_plugin.engine.formats.tilt_series_names import (
    SeriesNames,
    check_series,
    read_series_table,
    series_of,
)
from etpicker_plugin.engine.formats.usual_names import usual_tilt_series
from etpicker_plugin.engine.formats.warp_star import read_warp, write_warp
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.hand_made import (
    assert_hand_made,
    frame_of,
    hand_made,
    text_file,
)
from etpicker_plugin.tests.support.relion_texts import relion5_text

USUAL = {
    "TS_01": "TS_01",
    "rec_TS_01": "TS_01",
    "rec_TS_01_half1": "TS_01",
    "TS_01_half2": "TS_01",
    "TS_02_10.00Apx": "TS_02",
    "Position_3_2_7.84Apx": "Position_3_2",
    "TS_02_10Apx_half1": "TS_02",
    "rec_TS_02_half1_5.00Apx": "TS_02",
    "rec_rec_1": "rec_1",
    # These are names of their own.
    "record_7": "record_7",
    "TS_rec_1": "TS_rec_1",
    "TS_01_half3": "TS_01_half3",
    "TS_01_half1_b": "TS_01_half1_b",
    "TS_10.00Apx_b": "TS_10.00Apx_b",
    "rec_": "rec_",
    "_half1": "_half1",
    "": "",
}


@pytest.mark.parametrize(("tomogram", "series"), USUAL.items())
def test_usual_names(tomogram, series):
    assert usual_tilt_series(tomogram) == series


@pytest.mark.parametrize(
    ("wanted", "known", "pairs"),
    [
        (["TS_01"], ["rec_TS_01"], {"TS_01": "rec_TS_01"}),
        (["rec_TS_01"], ["TS_01"], {"rec_TS_01": "TS_01"}),
        (["tomograms/rec_TS_01.mrc"], ["TS_01"], {"tomograms/rec_TS_01.mrc": "TS_01"}),
        (["TS_02.tomostar"], ["TS_02_10.00Apx"], {"TS_02.tomostar": "TS_02_10.00Apx"}),
        # The same text is surer than the same tilt series.
        (["rec_X", "X"], ["X", "rec_X"], {"rec_X": "rec_X", "X": "X"}),
        (["rec_X", "X"], ["rec_X"], {"rec_X": "rec_X"}),
        (["TS_01"], ["TS_01_half1", "TS_01"], {"TS_01": "TS_01"}),
        # What fits two is not guessed.
        (["TS_01"], ["TS_01_half1", "TS_01_half2"], {}),
        (["TS_01_half1", "TS_01_half2"], ["TS_01"], {}),
        (["TS_01"], ["TS_011"], {}),
    ],
)
def test_names_match_by_tilt_series(wanted, known, pairs):
    match = match_names(wanted, known)

    assert match.pairs == pairs
    assert match.unmatched == tuple(n for n in wanted if n not in pairs)


def test_what_was_said_of_a_tomogram_comes_before_its_own_name():
    """TS_1 and TS_2 were mixed up when they were reconstructed."""
    said = {"TS_1": "TS_2", "TS_2": "TS_1", "TS_3": ""}

    match = match_names(["TS_1", "TS_2", "TS_3"], list(said), series=said)

    assert match.pairs == {"TS_1": "TS_2", "TS_2": "TS_1", "TS_3": "TS_3"}


def test_two_tomograms_said_to_be_of_one_series_are_not_told_apart_by_their_names():
    said = {"rec_TS_1": "TS_1", "other": "TS_1"}

    match = match_names(["TS_1"], list(said), series=said)

    assert match.pairs == {}


@pytest.mark.parametrize("version", ["relion4", "relion5"])
@pytest.mark.parametrize(
    "tomogram", ["rec_TS_01", "rec_TS_01_half1", "TS_01_half2", "TS_01_10.00Apx"]
)
def test_relion_s_files_name_the_tilt_series(tmp_path, version, tomogram):
    path = tmp_path / "a.star"
    frame = frame_of(4, tomogram)

    write_star([(hand_made(turned=False), frame)], path, version=version)
    (read,) = read_star(path, frames={tomogram: frame}, version=version)

    rows = list(emtable.Table.iterRows(f"particles@{path}"))
    assert [row.rlnTomoName for row in rows] == ["TS_01", "TS_01"]
    assert read.tomogram_id == tomogram
    assert_hand_made(replace(read, tomogram_id="TS_01"), turned=False)


def test_a_tomogram_that_is_called_so_in_the_file_is_found(tmp_path):
    text = relion5_text("half", 4)
    both = text_file(tmp_path, "a.star", text.replace("TS_01", "rec_TS_01"))
    frames = {n: frame_of(4, n) for n in ("TS_01", "rec_TS_01")}

    other, found = read_star(both, frames=frames, version="relion5")

    assert (len(other), len(found)) == (0, 2)


@pytest.mark.parametrize("version", ["relion4", "relion5", "warp"])
@pytest.mark.parametrize(
    "names",
    [("TS_01_half1", "TS_01_half2"), ("TS_01_10.00Apx", "TS_01_5.00Apx")],
)
def test_two_tomograms_of_one_series_do_not_share_a_file(tmp_path, version, names):
    items = [(make_particles(n, [[1, 2, 3]]), frame_of(4, n)) for n in names]
    path = tmp_path / "a.star"

    write = write_warp if version == "warp" else partial(write_star, version=version)

    with pytest.raises(ConfigError, match=f"{names[0]} and {names[1]} are both of"):
        write(items, path)
    assert list(tmp_path.iterdir()) == []


def test_the_same_tomogram_twice_is_one():
    check_series([frame_of(4, "rec_TS_01"), frame_of(4, "rec_TS_01")])


def test_relion3_names_tomograms(tmp_path):
    path = tmp_path / "a.star"
    names = ("TS_01_half1", "TS_01_half2")
    items = [(make_particles(n, [[1, 2, 3]]), frame_of(4, n)) for n in names]

    write_star(items, path, version="relion3")

    rows = list(emtable.Table.iterRows(f"particles@{path}"))
    assert [row.rlnMicrographName for row in rows] == [f"{n}.mrc" for n in names]


def test_a_name_that_was_said_is_written_and_read(tmp_path):
    frame = replace(frame_of(4, "lamella_7_bin4"), tilt_series="L7")
    star, warp = tmp_path / "a.star", tmp_path / "b.star"
    items = [(make_particles("lamella_7_bin4", [[1, 2, 3]]), frame)]

    write_star(items, star, version="relion5")
    write_warp(items, warp)

    assert series_of(frame) == "L7"
    assert "L7\t" in star.read_text()
    assert "L7.tomostar" in warp.read_text()
    frames = {"lamella_7_bin4": frame}
    for (read,) in (
        read_star(star, frames=frames, version="relion5"),
        read_warp(warp, frames=frames),
    ):
        assert read.tomogram_id == "lamella_7_bin4"
        assert read.positions_zyx.round(5).tolist() == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("patterns", "tomogram", "series"),
    [
        (("rec_{}_bin4",), "rec_TS_1_bin4", "TS_1"),
        (("{}_bin*",), "TS_1_bin4_SIRT", "TS_1"),
        (("{}_rec", "{}_full"), "TS_1_full", "TS_1"),
        (("{}",), "rec_TS_1", "rec_TS_1"),
        (("*-{}.a+b",), "grid2-TS_1.a+b", "TS_1"),
    ],
)
def test_patterns(patterns, tomogram, series):
    assert SeriesNames(patterns=patterns).said_of(tomogram) == series


@pytest.mark.parametrize("pattern", ["rec_", "{}_{}", "", "rec_TS"])
def test_patterns_without_one_place_are_refused(pattern):
    with pytest.raises(ConfigError, match=r"one \{\} in the place"):
        SeriesNames(patterns=(pattern,))


@pytest.mark.parametrize(
    "tomogram", ["TS_1", "rec_TS_1", "xrec_TS_1_bin4", "rec__bin4"]
)
def test_a_tomogram_that_no_pattern_fits_is_named(tomogram):
    names = SeriesNames(patterns=("rec_{}_bin4", "{}_full"))

    with pytest.raises(ConfigError, match=f"{tomogram} does not fit rec_{{}}_bin4 or"):
        names.said_of(tomogram)


def test_a_table_comes_before_patterns_and_before_the_usual_names(tmp_path):
    path = text_file(
        tmp_path,
        "names.csv",
        "Tomogram, tilt series\n# mixed up\nrec_A,TS_9\n\n"
        "folder/B.mrc\tTS_8\nC.5  TS_7\n",
    )

    table = read_series_table(path)

    assert table == {"rec_A": "TS_9", "B": "TS_8", "C.5": "TS_7"}
    assert SeriesNames(table=table).said_of("rec_A") == "TS_9"
    assert SeriesNames(table=table).said_of("rec_D") == ""
    assert SeriesNames(patterns=("x{}",), table=table).said_of("B") == "TS_8"
    assert SeriesNames(patterns=("x{}",), table=table).said_of("xB") == "B"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A,TS_1\nB\n", 2),
        ("A,TS_1,2\n", 1),
        ("A,\n", 1),
        ("A TS 1\n", 1),
        ("\nA,TS_1\nA.mrc,TS_2\n", 3),
    ],
)
def test_a_bad_table_is_refused_with_its_line(tmp_path, text, line):
    path = text_file(tmp_path, "names.csv", text)

    with pytest.raises(InputDataError, match=rf"names\.csv, line {line}: got"):
        read_series_table(path)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(InputDataError, match=r"nowhere\.csv cannot be read"):
        read_series_table(tmp_path / "nowhere.csv")
