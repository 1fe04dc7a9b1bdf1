"""Parameters from flags, from JSON and from both; and everything that is refused."""

import argparse
import dataclasses
import json
from pathlib import Path

import pytest

from etpicker_plugin.engine.config.assignments import parse_assignments
from etpicker_plugin.engine.config.average import AverageConfig
from etpicker_plugin.engine.config.compare import CompareConfig
from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.config.extract import ExtractConfig
from etpicker_plugin.engine.config.options import (
    REQUIRED,
    config_digest,
    config_from_values,
    config_to_values,
    counting,
    option,
    option_of,
)
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.flags import add_flags, config_from_arguments

COMMANDS = (
    TrainConfig,
    PickConfig,
    EvaluateConfig,
    CompareConfig,
    ConvertConfig,
    SimulateConfig,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """One parameter of every type."""

    names: tuple[str, ...] = option(REQUIRED, "Some names.")
    sizes: dict[str, float] = option(REQUIRED, "A size each.", unit="Å")
    spots: dict[str, float] = option({}, "Optional.")
    folders: dict[str, str] = option({}, "A folder each.")
    shape: tuple[int, ...] = option((), "A shape.")
    count: int = option(3, "50 % of something.")
    share: float | None = option(None, "A share.")
    kind: str = option("a", "A kind.", choices=("a", "b"))
    program: str = option(
        "c", "A program.", choices=("c", "d"), titles=("c: Cat (.c)", "d: Dog (.d)")
    )
    write_map: bool = option(False, "Write it.")


BASE = {"names": ["x"], "sizes": {"ring": 80}}


def from_flags(words, config_class=Sample):
    parser = argparse.ArgumentParser()
    add_flags(parser, config_class)
    return config_from_arguments(config_class, parser.parse_args(words))


# flags ----------------------------------------------------------------------------


def test_every_type_from_flags():
    config = from_flags(
        "--names x y --sizes ring=80 ribosome=2.5e2 --shape 7 5 3 --count 4 "
        "--share 0.25 --kind b --write-map --folders a=x=1 b=7".split()
    )

    assert config == Sample(
        names=("x", "y"),
        sizes={"ring": 80.0, "ribosome": 250.0},
        folders={"a": "x=1", "b": "7"},
        shape=(7, 5, 3),
        count=4,
        share=0.25,
        kind="b",
        write_map=True,
    )


def test_defaults_and_a_flag_to_switch_off():
    config = from_flags("--names x --sizes ring=80 --no-write-map".split())

    assert config == Sample(names=("x",), sizes={"ring": 80.0})
    assert (config.spots, config.shape, config.share) == ({}, (), None)


@pytest.mark.parametrize(
    "words", ["--kind c", "--count 2.5", "--share much", "--nothing 1", "--names"]
)
def test_flags_that_argparse_refuses_end_with_2(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        from_flags(f"--sizes ring=80 {words}".split())

    assert stopped.value.code == 2
    assert words.split()[0] in capsys.readouterr().err


def test_help_shows_units_defaults_and_percent_signs(capsys):
    with pytest.raises(SystemExit):
        from_flags(["--help"])

    text = " ".join(capsys.readouterr().out.split())
    assert "A size each. [Å]" in text
    assert "50 % of something. (default: 3)" in text
    assert "A kind. (default: a)" in text
    assert "A program. c: Cat (.c); d: Dog (.d). (default: c)" in text
    assert "MISSING" not in text


@pytest.mark.parametrize("config_class", COMMANDS)
def test_every_parameter_of_every_command_has_a_flag(config_class):
    parser = argparse.ArgumentParser()
    add_flags(parser, config_class)

    flags = {flag for action in parser._actions for flag in action.option_strings}

    for field in dataclasses.fields(config_class):
        assert "--" + field.name.replace("_", "-") in flags


# the file -------------------------------------------------------------------------


def test_flags_win_over_the_file(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**BASE, "count": 5, "share": 0.5, "shape": [1, 2]}))

    config = from_flags(["--config", str(path), "--count", "7", "--sizes", "ring=90"])

    assert (config.count, config.share, config.shape) == (7, 0.5, (1, 2))
    assert config.names == ("x",)
    assert config.sizes == {"ring": 90.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"Cannot read the parameter file .*a\.json"),
        ("{", r"Cannot read the parameter file .*a\.json"),
        ("[1, 2]", "expected one JSON object of parameters, got list"),
        ("[" * 100_000, "nested too deeply"),
        ('{"share": NaN}', "holds NaN"),
        ('{"share": 0.1, "share": 0.2}', "'share' stands twice"),
    ],
)
def test_a_bad_file(tmp_path, text, message):
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text)

    with pytest.raises(ConfigError, match=message):
        from_flags(["--config", str(path)])


def test_values_come_back_from_json():
    config = Sample(
        names=("x", "Å"), sizes={"ring": 80.0}, shape=(7, 5, 3), share=0.25, kind="b"
    )

    text = json.dumps(config_to_values(config))

    assert config_from_values(Sample, json.loads(text)) == config


# values ---------------------------------------------------------------------------


def test_unknown_parameters_are_listed():
    with pytest.raises(ConfigError, match=r"Unknown parameter\(s\) colour, size\."):
        config_from_values(Sample, {**BASE, "size": 1, "colour": 2})


@pytest.mark.parametrize("empty", [None, [], ()])
def test_missing_parameters_are_listed_as_flags(empty):
    with pytest.raises(ConfigError, match=r"Missing parameter\(s\): --names, --sizes"):
        config_from_values(Sample, {"names": empty})


def test_null_takes_the_default():
    config = config_from_values(Sample, {**BASE, "count": None, "spots": None})

    assert (config.count, config.spots) == (3, {})


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("names", "TS_01.mrc", "tuple"),
        ("names", 5, "tuple"),
        ("names", [["x"]], "str"),
        ("names", [None], "str"),
        ("sizes", ["ring"], "dict"),
        ("sizes", {"ring": "wide"}, "float"),
        ("shape", [7, 5.5, 3], "int"),
        ("count", 2.5, "int"),
        ("count", "many", "int"),
        ("count", True, "int"),
        ("count", float("inf"), "int"),
        ("share", "much", "float"),
        ("share", [0.5], "float"),
        ("kind", ["a"], "str"),
        ("kind", 5, "str"),
        ("names", [5], "str"),
        ("count", 10**400, "int"),
        ("share", 10**400, "float"),
        ("write_map", "yes", "bool"),
        ("write_map", 1, "bool"),
    ],
)
def test_wrong_types(name, value, wanted):
    with pytest.raises(ConfigError, match=f"{name}: got .*of type {wanted}"):
        config_from_values(Sample, {**BASE, name: value})


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_what_no_file_can_be_called(value):
    with pytest.raises(ConfigError, match="text that a file's name can"):
        config_from_values(Sample, {**BASE, "names": [value]})


def test_a_whole_float_is_an_int():
    count = config_from_values(Sample, {**BASE, "count": 4.0}).count

    assert (count, type(count)) == (4, int)


def test_no_choice():
    with pytest.raises(ConfigError, match="kind: got 'c', expected one of: a, b"):
        config_from_values(Sample, {**BASE, "kind": "c"})


# NAME=VALUE -----------------------------------------------------------------------


def test_assignments():
    assert parse_assignments(["a=1", "b-c=2.5e2"], flag="--d") == {
        "a": 1.0,
        "b-c": 250.0,
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ring"], "--diameter: got 'ring', expected NAME=VALUE"),
        (["=80"], "--diameter: got '=80', expected NAME=VALUE"),
        (["a=1", "a=2"], "--diameter: 'a' is given twice"),
        (["a=wide"], "--diameter: got 'wide' for 'a', expected a number"),
        (["a="], "--diameter: got '' for 'a', expected a number"),
    ],
)
def test_bad_assignments(words, message):
    with pytest.raises(ConfigError, match=message):
        parse_assignments(words, flag="--diameter")


@pytest.mark.parametrize(
    "words",
    [
        ["a =1", "b= 2"],
        ["a", "=", "1", "b =", "2"],
        ["a=", "1", "b", "=2"],
        ["a = 1", "b=2"],
    ],
)
def test_blanks_about_the_sign_are_nothing(words):
    assert parse_assignments(words, flag="--d") == {"a": 1.0, "b": 2.0}


def test_a_number_alone_is_of_the_only_class_where_that_is_allowed():
    assert parse_assignments(["323"], flag="--d", alone=True) == {"*": 323.0}
    with pytest.raises(ConfigError, match="got '323', expected NAME=VALUE"):
        parse_assignments(["323"], flag="--d")
    with pytest.raises(ConfigError, match="got '323', expected NAME=VALUE"):
        parse_assignments(["323", "100"], flag="--d", alone=True)


def parse(config_class, *words):
    """Return the configuration that a command line gives."""
    parser = argparse.ArgumentParser()
    add_flags(parser, config_class)
    return config_from_arguments(config_class, parser.parse_args(words))


def train_words(tmp_path, *files):
    """Write coordinates of such classes, a file each; return a command line."""
    paths = []
    for i, names in enumerate(files):
        rows = "".join(f"{name},1,2,3\n" for name in names)
        paths.append(tmp_path / f"TS_{i}.csv")
        paths[-1].write_text("class,x,y,z\n" + rows)
    tomograms = [str(path.with_suffix(".mrc")) for path in paths]
    return (
        *("--tomogram", *tomograms, "--coordinates", *map(str, paths)),
        *("--out", str(tmp_path / "model"), "--diameter", "323"),
    )


def test_a_number_alone_goes_to_the_only_class_of_the_coordinates(tmp_path):
    words = train_words(tmp_path, ["ribosome", "negative"], ["ribosome"])
    assert parse(TrainConfig, *words).diameter == {"ribosome": 323.0}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            (["a", "b"], ["c"]),
            "--diameter: got 323 alone.* there are 3 .a, b, c.*NAME=VALUE, a=323 say",
        ),
        ((["negative"],), "there are 0 .none.*, NAME=323 say"),
    ],
)
def test_a_number_alone_for_several_classes_or_none_is_refused(
    tmp_path, files, message
):
    with pytest.raises(ConfigError, match=message):
        parse(TrainConfig, *train_words(tmp_path, *files))


@pytest.fixture
def folder(tmp_path):
    """Return what makes a folder of coordinates of such classes, a file each."""

    def make(name, *files):
        (tmp_path / name).mkdir()
        train_words(tmp_path / name, *files)
        return str(tmp_path / name)

    return make


@pytest.mark.parametrize("config_class", [CompareConfig, ValidateConfig])
def test_a_number_alone_goes_to_the_only_class_of_all_sets(folder, config_class):
    same, other = folder("a", ["ring", "negative"], []), folder("b", ["ring"])
    (Path(other) / "._TS_9.csv").write_text("no table")
    words = ("--tomogram", "TS_0.mrc", "--out", "out", "--diameter", "125.5")
    tilts = () if config_class is CompareConfig else ("--tilt-range", "-60", "60")

    config = parse(config_class, *words, *tilts, "--picks", f"A={same}", f"B={other}")

    assert config.diameter == {"ring": 125.5}
    third = folder("c", ["ribosome"])
    with pytest.raises(ConfigError, match=r"there are 2 \(ribosome, ring\)"):
        parse(config_class, *words, *tilts, "--picks", f"A={same}", f"C={third}")


def test_a_number_alone_goes_to_the_only_class_that_is_extracted(folder):
    words = ("--tomogram", "TS_0.mrc", "--out", "out", "--tilt-range", "-60", "60")
    words = (*words, "--diameter", "323", "--coordinates")
    one, two = folder("one", ["ring"], ["ring"]), folder("two", ["ring", "tube"])

    assert parse(ExtractConfig, *words, one).diameter == {"ring": 323.0}
    alone = str(Path(one) / "TS_1.csv")
    assert parse(ExtractConfig, *words, alone).diameter == {"ring": 323.0}
    with pytest.raises(ConfigError, match=r"there are 2 \(ring, tube\)"):
        parse(ExtractConfig, *words, one, two)
    empty = folder("empty")
    with pytest.raises(ConfigError, match="there are 0"):
        parse(ExtractConfig, *words, empty)


def test_a_list_that_is_none_is_refused_before_its_class_is_looked_for(tmp_path):
    file = tmp_path / "train.json"
    file.write_text('{"coordinates": 3}')
    with pytest.raises(ConfigError, match="coordinates: got 3, expected"):
        parse(TrainConfig, "--config", str(file), "--diameter", "323")


def test_the_window_finds_the_class_of_a_number_alone_itself():
    config = parse(ViewConfig, "--tomogram", "T.mrc", "--diameter", "323")
    assert config.diameter == {"*": 323.0}


# digests --------------------------------------------------------------------------


def test_digests_tell_parameters_apart():
    config = Sample(names=("x",), sizes={"a": 1.0, "b": 2.0})
    same = Sample(names=("x",), sizes={"b": 2.0, "a": 1.0})
    other = dataclasses.replace(config, count=4)

    assert config_digest(config) == config_digest(same)
    assert config_digest(config) != config_digest(other)
    assert len(config_digest(config)) == 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Counted:
    """One parameter of each way to count."""

    speed: int = option(1, "Threads.", counts="no")
    picture: str = option("a.mrc", "A file.", counts="content")
    note: tuple[str, ...] = option((), "Files.", counts="content", of="picture")
    share: float = option(0.5, "A share.")


def test_a_digest_holds_what_the_result_depends_on():
    config = Counted()
    faster = Counted(speed=8)
    elsewhere = Counted(picture="b.mrc")

    assert config_digest(config) == config_digest(faster)
    assert config_digest(config) != config_digest(elsewhere)
    assert config_digest(config, files=False) == config_digest(elsewhere, files=False)
    assert config_digest(config, files=False) != config_digest(
        Counted(share=0.4), files=False
    )
    assert counting(config, "value") == {"share": 0.5}
    assert counting(config, "content") == {"picture": "a.mrc", "note": []}
    assert option_of(config, "note") == "picture"
    assert option_of(config, "share") == ""


def test_a_misspelt_way_to_count_is_refused():
    with pytest.raises(ValueError, match="counts: got 'never'"):
        option(1, "Threads.", counts="never")


TRUST = "trust_voxel_size"
"""It does not change the result: what is taken is the voxel size given, or none is."""


@pytest.mark.parametrize(
    ("config_class", "uncounted", "by_content"),
    [
        (
            TrainConfig,
            {"out", "device", "threads", "max_minutes", TRUST},
            {
                *("tomogram", "coordinates", "mask", "map"),
                *("validation_tomogram", "validation_coordinates"),
            },
        ),
        (
            UpdateConfig,
            {"out", "device", "threads", "max_minutes", TRUST},
            {
                *("model", "tomogram", "coordinates", "mask"),
                *("validation_tomogram", "validation_coordinates"),
            },
        ),
        (
            PickConfig,
            {
                *("out", "device", "threads", "part", "records", "model_sha256"),
                TRUST,
                # What they say of a tomogram counts, not the files.
                *("tomograms", "tilt_series_name", "tilt_series_table"),
            },
            {"model", "tomogram", "mask"},
        ),
        (
            AverageConfig,
            {"out", "threads", "ranks", "mpi_command"},
            {"particles", "reference", "mask"},
        ),
        (ExtractConfig, {"out", TRUST}, {"tomogram", "coordinates"}),
        (CompareConfig, {"out", TRUST}, {"picks", "tomogram", "truth"}),
        (
            ValidateConfig,
            {"out", "threads", "mpi_command", TRUST},
            {"picks", "tomogram", "reference"},
        ),
        (SimulateConfig, {"out", "tomograms", "micrographs"}, {"density"}),
    ],
)
def test_how_each_parameter_counts(config_class, uncounted, by_content):
    fields = dataclasses.fields(config_class)
    found = {
        how: {f.name for f in fields if f.metadata["counts"] == how}
        for how in ("no", "content")
    }
    assert found == {"no": uncounted, "content": by_content}
