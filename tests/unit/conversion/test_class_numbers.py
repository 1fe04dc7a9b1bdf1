"""Class numbers: one for a class in all files of a run, and in those made of them."""

import json

import emtable
import pytest

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.conversion.convert import convert
from etpicker_plugin.engine.formats.names import number_classes
from etpicker_plugin.engine.progress import ignore_progress

FRAME = {"dimensions": (41, 57, 33), "voxel_size": 10.0}
ONLY_BETA = "class,x,y,z\nbeta,12,50,7\n"
BOTH = "class,x,y,z\nbeta,30,3,20\nalpha,1,2,3\n"
MODEL = {"class_numbers": {"zeta": 1, "beta": 2, "alpha": 3}}


def run(folder, sources, source_format, target, **parameters):
    out = folder / f"out_{len(list(folder.glob('out_*')))}"
    out.mkdir()
    config = ConvertConfig(
        input=tuple(map(str, sources)),
        input_format=source_format,
        output_format=target,
        out=str(out),
        **FRAME,
        **parameters,
    )
    return convert(config, out, on_progress=ignore_progress)


@pytest.fixture
def csvs(tmp_path):
    """Return the CSVs of two tomograms; the first lacks a class."""
    paths = [tmp_path / f"TS_{n}.csv" for n in (1, 2)]
    for path, text in zip(paths, (ONLY_BETA, BOTH), strict=True):
        path.write_text(text)
    return paths


def numbers(paths):
    return [[line.split()[0] for line in p.read_text().splitlines()] for p in paths]


def test_one_number_for_a_class_in_all_files_of_one_call(tmp_path, csvs):
    assert numbers(run(tmp_path, csvs, "csv", "deepetpicker")) == [["2"], ["2", "1"]]


def test_the_order_that_is_given_counts_where_none_of_it_is_found_too(tmp_path, csvs):
    order = ("gamma", "alpha", "beta")
    for csv, wanted in zip(csvs, (["3"], ["3", "2"]), strict=True):
        (path,) = run(tmp_path, [csv], "csv", "deepetpicker", class_name=order)
        assert numbers([path]) == [wanted]
    (path,) = run(tmp_path, csvs[:1], "csv", "deepetpicker", class_name=("gamma",))
    assert numbers([path]) == [["2"]]


def test_pick_s_json_says_the_model_s_order_one_call_after_the_other(tmp_path, csvs):
    for csv, wanted in zip(csvs, (["2"], ["2", "3"]), strict=True):
        csv.with_suffix(".json").write_text(json.dumps(MODEL))
        (path,) = run(tmp_path, [csv], "csv", "deepetpicker")
        assert numbers([path]) == [wanted]
        (star,) = run(tmp_path, [csv], "csv", "relion5")
        (again,) = run(tmp_path, [star], "relion5", "deepetpicker")
        assert numbers([again]) == [wanted]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "no JSON",
        "[" * 100_000,
        '{"class_numbers": 3}',
        '{"class_numbers": {"beta": "two"}}',
        '{"class_numbers": {"beta": [2]}}',
        '{"class_numbers": {"beta": 2, "alpha": 2}}',
        '{"class_numbers": {"beta": 0}}',
        '{"class_numbers": {"beta": 1e12}}',
    ],
)
def test_another_program_s_json_says_nothing(tmp_path, csvs, text):
    csvs[0].with_suffix(".json").write_text(text)

    assert numbers(run(tmp_path, csvs[:1], "csv", "deepetpicker")) == [["1"]]


def test_models_that_number_differently_leave_it_to_the_alphabet(tmp_path, csvs):
    other = {"class_numbers": {"beta": 1, "alpha": 2}}
    for csv, record in zip(csvs, (MODEL, other), strict=True):
        csv.with_suffix(".json").write_text(json.dumps(record))

    assert numbers(run(tmp_path, csvs, "csv", "deepetpicker")) == [["2"], ["2", "1"]]


def test_numbers_without_names_stay_what_they_are(tmp_path):
    source = tmp_path / "TS_1.coords"
    source.write_text("12 1 2 3\n1 30 3 20\n2 12 50 7\n")

    (csv,) = run(tmp_path, [source], "deepetpicker", "csv")
    (star,) = run(tmp_path, [csv], "csv", "relion5")
    (back,) = run(tmp_path, [star], "relion5", "deepetpicker")

    assert numbers([back]) == [["12", "1", "2"]]
    rows = emtable.Table.iterRows(f"particles@{star}")
    assert [row.rlnClassNumber for row in rows] == [12, 1, 2]


def test_classes_are_numbered_around_those_that_have_a_number():
    names = ["ring", "class_3", "class_x", "class_1", "class_03", "arc"]

    assert number_classes(names, order=("ribosome",)) == {
        "ribosome": 1,
        "class_3": 3,
        "arc": 2,
        "class_03": 4,
        "class_1": 5,
        "class_x": 6,
        "ring": 7,
    }
