"""Files pair with tomograms by name where names agree, or else by order."""

import logging

import pytest

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.pairing import pair_files

BY_NAME = {
    "the same names": (["TS_01", "TS_02"], ["TS_01", "TS_02"]),
    "more after the name": (["TS_1", "TS_10"], ["TS_1_mask", "TS_10_mask"]),
    "more before the name": (["TS_1", "TS_10"], ["mask_TS_1", "mask-TS_10"]),
    "more on both sides": (["a", "b"], ["mask_a_v2", "mask_b_v2"]),
    "the longer of two names": (["TS_1", "TS_1_odd"], ["TS_1_mask", "TS_1_odd_mask"]),
    "less than the name": (["TS_1_bin4_rec", "TS_2_bin4_rec"], ["TS_1", "TS_2"]),
    "another case": (["TS_1", "TS_2"], ["ts_1", "ts_2"]),
    "only numbers in common": (["tomo_01", "tomo_02"], ["picks_1", "picks_2"]),
    "words around the numbers": (
        ["TS_1_picks", "TS_2_picks"],
        ["TS_1_true", "TS_2_true"],
    ),
    "three": (["TS_1", "TS_2", "TS_11"], ["TS_1_m", "TS_2_m", "TS_11_m"]),
    "the same text before a longer one": (["a", "a_b"], ["a", "a_b"]),
}
BY_ORDER = {
    "nothing in common": (["TS_1", "TS_2"], ["first", "second"]),
    "a part of a word": (["TS_1", "TS_2"], ["TS_10", "TS_20"]),
    "one name for all": (["TS_1", "TS_2"], ["a/mask", "b/mask"]),
}
REFUSED = {
    "some agree": (
        ["TS_1", "TS_2"],
        ["TS_1_mask", "other"],
        "without a tomogram: other",
    ),
    "two of one": (["TS_1", "TS_2"], ["TS_1_a", "TS_1_b"], "named after one tomogram"),
    "one twice": (["TS_1", "TS_2"], ["a/TS_1", "b/TS_1"], "named after one tomogram"),
    "other numbers": (["tomo_1", "tomo_2"], ["mask_0", "mask_1"], "tomo_2.mrc"),
}


def paths(names, ending, folder="d"):
    return [f"{folder}/{name}{ending}" for name in names]


def pair(tomograms, files, **options):
    return pair_files(
        paths(tomograms, ".mrc"), paths(files, ".csv"), flag="--mask", **options
    )


@pytest.mark.parametrize("case", BY_NAME.values(), ids=BY_NAME)
def test_by_name_whatever_the_order(case, caplog):
    tomograms, files = case
    right = dict(zip(paths(tomograms, ".mrc"), paths(files, ".csv"), strict=True))

    for turned in (files, files[::-1], files[1:] + files[:1]):
        found = pair(tomograms, turned)
        assert found == right
        assert list(found) == paths(tomograms, ".mrc")
    assert not caplog.records


@pytest.mark.parametrize("case", BY_ORDER.values(), ids=BY_ORDER)
def test_by_order_where_no_name_says_anything(case, caplog):
    tomograms, files = case

    for given in (files, files[::-1]):
        with caplog.at_level(logging.WARNING):
            found = pair(tomograms, given)
        assert list(found.values()) == paths(given, ".csv")
        assert "taken in the order given" in caplog.text
    with pytest.raises(ConfigError, match="--mask"):
        pair(tomograms, files, by_order=False)


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_where_nobody_can_know(case):
    tomograms, files, message = case

    for given in (files, files[::-1]):
        with pytest.raises(ConfigError, match=message):
            pair(tomograms, given)


def test_by_folder():
    tomograms = ["rec/TS_1.mrc", "rec/TS_2.mrc"]
    files = ["TS_2/picks.csv", "TS_1/picks.csv"]

    assert pair_files(tomograms, files, flag="--coordinates") == {
        tomograms[0]: files[1],
        tomograms[1]: files[0],
    }


def test_one_of_each_belong_together():
    assert pair(["TS_1"], ["TS_2_mask"]) == {"d/TS_1.mrc": "d/TS_2_mask.csv"}


def test_numbers_of_files():
    with pytest.raises(ConfigError, match=r"names 2 file\(s\) and --mask 1"):
        pair(["TS_1", "TS_2"], ["TS_1"])
    assert pair(["TS_1", "TS_2"], ["TS_2"], every=False) == {"d/TS_2.mrc": "d/TS_2.csv"}
    assert pair(["TS_1", "TS_2"], [], every=False) == {}
    assert pair([], []) == {}
    with pytest.raises(ConfigError, match="without a tomogram: other"):
        pair(["TS_1", "TS_2"], ["other"], every=False)
