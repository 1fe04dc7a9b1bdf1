"""The command in a report gives the run's own parameters back."""

import dataclasses
import shlex

from etpicker_plugin.engine.cli import build_parser
from etpicker_plugin.engine.config.command_line import command_line
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.flags import config_from_arguments

CONFIG = ValidateConfig(
    picks={"ours": "my picks", "theirs": "b"},
    tomogram=("T 1.mrc", "T2.mrc"),
    diameter={"5mrc": 370.0},
    tilt_range=(-60.0, 57.123456789),
    out="out",
)


def test_defaults_are_left_out():
    assert command_line("validate", CONFIG) == (
        "etpicker validate --picks 'ours=my picks' theirs=b --tomogram 'T 1.mrc' "
        "T2.mrc --diameter 5mrc=370 --tilt-range -60 57.123456789 --out out"
    )


def test_the_command_s_parameters_are_those_of_the_run():
    config = dataclasses.replace(
        CONFIG, tilt_axis="x", invert=False, seeds=3, match_distance=33.5, threads=2
    )

    _, command, *words = shlex.split(command_line("validate", config))
    arguments = build_parser().parse_args([command, *words])
    del arguments.command

    assert config_from_arguments(ValidateConfig, arguments) == config
