"""Every command asks the same of names and pairs, before it opens a file."""

import pytest

from etpicker_plugin.engine.cli import COMMANDS, main
from etpicker_plugin.engine.config.options import config_from_values
from etpicker_plugin.engine.errors import ConfigError

TILTS = {"tilt_range": [-60, 60]}
TWO_SETS = {"picks": {"A": "a", "B": "b"}}
RIBO = {"diameter": {"ribo": 100.0}}
CONVERT = {"input_format": "csv", "output_format": "txt"}
OUT = {"out": "out"}

WITH_TOMOGRAMS = {
    "train": {"coordinates": ["TS_1.csv", "TS_2.csv"], **RIBO, **OUT},
    "update": {"model": "m", "coordinates": ["TS_1.csv", "TS_2.csv"], **OUT},
    "pick": {"model": "m", **OUT},
    "convert": {"input": ["TS_1.csv"], **CONVERT, **OUT},
    "extract": {"coordinates": ["picks"], **RIBO, **TILTS, **OUT},
    "compare": {**TWO_SETS, **RIBO, **OUT},
    "validate": {**TWO_SETS, **RIBO, **TILTS, **OUT},
    "view": {},
}
PAIRED = {
    ("train", "coordinates"),
    ("train", "mask"),
    ("update", "coordinates"),
    ("update", "mask"),
    ("pick", "mask"),
}
VALIDATED = {
    "train": {**WITH_TOMOGRAMS["train"], "tomogram": ["TS_1.mrc", "TS_2.mrc"]},
    "update": {**WITH_TOMOGRAMS["update"], "tomogram": ["TS_1.mrc", "TS_2.mrc"]},
}
EVALUATE = {"voxel_size": 10.0, **RIBO, **OUT}
READING = ["update", "extract", "compare", "validate", "view"]


def configure(command, **values):
    given = {**WITH_TOMOGRAMS.get(command, {}), **values}
    return config_from_values(COMMANDS[command].config_class, given)


def configure_evaluate(picks, truth, **more):
    values = {**EVALUATE, "picks": picks, "truth": truth, **more}
    return config_from_values(COMMANDS["evaluate"].config_class, values)


@pytest.mark.parametrize("command", WITH_TOMOGRAMS)
def test_two_tomograms_of_one_name(command):
    with pytest.raises(ConfigError, match="Several tomograms are named rec;"):
        configure(command, tomogram=["A/rec.mrc", "B/rec.mrc"])


@pytest.mark.parametrize("command", VALIDATED)
def test_two_validation_tomograms_of_one_name(command):
    with pytest.raises(ConfigError, match=r"--validation-tomogram: .* named rec;"):
        config_from_values(
            COMMANDS[command].config_class,
            {
                **VALIDATED[command],
                "validation_tomogram": ["A/rec.mrc", "B/rec.mrc"],
                "validation_coordinates": ["A/rec.csv", "B/rec.csv"],
            },
        )


def test_two_picks_of_one_name():
    with pytest.raises(ConfigError, match="Several tomograms are named rec;"):
        configure_evaluate(["A/rec.csv", "B/rec.csv"], ["1.csv", "2.csv"])


@pytest.mark.parametrize("name", ["a\nb", "\x1b[2J", "x" * 200, "a\\b"])
@pytest.mark.parametrize("command", WITH_TOMOGRAMS)
def test_tomograms_that_no_file_can_be_named_after(command, name):
    with pytest.raises(ConfigError, match="the tomogram's name"):
        configure(command, tomogram=[f"{name}.mrc", "TS_2.mrc"])


@pytest.mark.parametrize("command", WITH_TOMOGRAMS)
def test_hidden_tomograms_are_passed_over(command, caplog):
    tomograms = ["d/TS_1.mrc", "d/._TS_1.mrc", "d/TS_2.mrc", "d/.TS_2.mrc"]

    config = configure(command, tomogram=tomograms)

    assert config.tomogram == ("d/TS_1.mrc", "d/TS_2.mrc")
    assert "d/._TS_1.mrc, d/.TS_2.mrc: hidden files are passed over" in caplog.text
    with pytest.raises(ConfigError, match="are no data"):
        configure(command, tomogram=["._TS_1.mrc"])


@pytest.mark.parametrize(("command", "field"), sorted(PAIRED))
def test_lists_are_put_in_the_tomograms_order(command, field):
    tomograms = ["r/TS_1.mrc", "r/TS_10.mrc"]
    plain = {"coordinates": ["TS_1.csv", "TS_10.csv"]} if command != "pick" else {}
    files = [f"m/TS_10_{field}.x", f"m/._TS_10_{field}.x", f"m/TS_1_{field}.x"]

    config = configure(command, tomogram=tomograms, **{**plain, field: files})

    assert getattr(config, field) == (files[2], files[0])
    odd = ["TS_1.x", "else.x"]
    with pytest.raises(ConfigError, match=f"--{field}: some files are named after"):
        configure(command, tomogram=tomograms, **{**plain, field: odd})
    with pytest.raises(ConfigError, match=f"names 2 .* --{field} 1"):
        configure(command, tomogram=tomograms, **{**plain, field: ["TS_1.x"]})


@pytest.mark.parametrize("command", VALIDATED)
def test_validation_coordinates_too(command):
    config = config_from_values(
        COMMANDS[command].config_class,
        {
            **VALIDATED[command],
            "validation_tomogram": ["TS_3.mrc", "TS_4.mrc"],
            "validation_coordinates": ["TS_4.csv", "TS_3.csv"],
        },
    )

    assert config.validation_coordinates == ("TS_3.csv", "TS_4.csv")


def test_truth_is_put_in_the_picks_order():
    config = configure_evaluate(
        ["p/TS_1_picks.csv", "p/TS_2_picks.csv"], ["t/TS_2_true.csv", "t/TS_1_true.csv"]
    )

    assert config.truth == ("t/TS_1_true.csv", "t/TS_2_true.csv")


NO_CLASSES = ["a\nb", "\x1b[2J", "x" * 300, "", "a\0b"]
NO_NEW_CLASSES = [*NO_CLASSES, "26S proteasome", "a'b", 'a"b', "a#b", "$a$", "../x"]


@pytest.mark.parametrize("name", NO_CLASSES)
@pytest.mark.parametrize("command", READING)
def test_classes_that_no_command_takes(command, name):
    with pytest.raises(ConfigError, match="--diameter: the name"):
        configure(command, tomogram=["TS_1.mrc", "TS_2.mrc"], diameter={name: 100.0})
    with pytest.raises(ConfigError, match="--diameter: the name"):
        configure_evaluate(["a.csv"], ["a.csv"], diameter={name: 100.0})


@pytest.mark.parametrize("name", NO_NEW_CLASSES)
def test_classes_that_nothing_is_taught(name):
    with pytest.raises(ConfigError, match="--diameter: the name"):
        configure("train", tomogram=["TS_1.mrc", "TS_2.mrc"], diameter={name: 100.0})
    for command in ("compare", "validate"):
        with pytest.raises(ConfigError, match="--picks: the name"):
            configure(command, tomogram=["TS_1.mrc"], picks={"A": "a", name: "b"})
    with pytest.raises(ConfigError, match=r"--name: the name|expected text"):
        configure("simulate", name=name, out="out")


def test_classes_that_are_only_read_may_have_blanks():
    for command in READING:
        configure(
            command,
            tomogram=["TS_1.mrc", "TS_2.mrc"],
            diameter={"26S proteasome": 100.0},
        )
    configure_evaluate(["a.csv"], ["a.csv"], diameter={"$\\frac{a}$": 100.0})


def test_density_maps_become_classes():
    with pytest.raises(ConfigError, match=r"--density: .*for example my_map"):
        configure("simulate", density=["maps/my map.mrc"], out="out")


def test_exit_code_and_nothing_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = "pick --model m --tomogram A/rec.mrc B/rec.mrc --out out".split()

    assert main(words) == 2
    assert list(tmp_path.iterdir()) == []
