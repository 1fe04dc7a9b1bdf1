"""Parts of a list: whole, disjoint, and named by a cluster's array."""

import pytest

from etpicker_plugin.engine.config.part import Part, read_part
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.errors import ConfigError


def array(*, task, least, greatest, step, count):
    keys = ("ID", "MIN", "MAX", "STEP", "COUNT")
    values = (task, least, greatest, step, count)
    return {
        f"SLURM_ARRAY_TASK_{key}": str(value)
        for key, value in zip(keys, values, strict=True)
    }


def test_a_part_takes_every_nth():
    assert Part(2, 3).take("abcdefgh") == ("b", "e", "h")
    assert Part(3, 3).take("ab") == ()


@pytest.mark.parametrize("total", [1, 2, 7, 12])
def test_all_parts_together_are_the_list_once(total):
    items = [f"TS_{i}" for i in range(9)]

    taken = [x for k in range(total) for x in Part(k + 1, total).take(items)]

    assert sorted(taken) == items


def test_nothing_given_is_all():
    assert read_part("") == Part(1, 1)
    assert read_part("3/8") == Part(3, 8)


@pytest.mark.parametrize("text", ["0/4", "5/4", "2", "1/0", "a/b", "-1/4", "1/4 "])
def test_what_is_no_part_is_refused(text):
    with pytest.raises(ConfigError, match="--part"):
        read_part(text)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (array(task=0, least=0, greatest=7, step=1, count=8), Part(1, 8)),
        (array(task=8, least=1, greatest=8, step=1, count=8), Part(8, 8)),
        (array(task=6, least=2, greatest=10, step=4, count=3), Part(2, 3)),
        (array(task=5, least=5, greatest=5, step=0, count=1), Part(1, 1)),
    ],
)
def test_a_slurm_task_knows_its_part(environment, expected):
    assert read_part("slurm", environment) == expected


def test_an_array_with_gaps_is_refused_in_every_task():
    for task in (1, 3, 7):
        environment = array(task=task, least=1, greatest=7, step=1, count=3)
        with pytest.raises(ConfigError, match="gaps"):
            read_part("slurm", environment)


def test_outside_of_an_array_slurm_is_refused():
    with pytest.raises(ConfigError, match="sbatch --array"):
        read_part("slurm", {"SLURM_JOB_ID": "12"})


def test_each_part_has_records_of_its_own():
    given = {"model": "m", "tomogram": ("a.mrc",), "out": "out"}
    folders = [
        PickConfig(**given, part="2/3").records_folder(),
        PickConfig(**given).records_folder(),
        PickConfig(**given, part="2/3", records="x").records_folder(),
    ]
    assert [str(f) for f in folders] == ["out/part_2_of_3", "out/records", "x"]
