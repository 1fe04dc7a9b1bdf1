"""The engine's messages as a form says it: labels of parameters, names of protocols."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from functools import lru_cache

from etpicker_plugin.protocols.form import form_parameter

from etpicker_plugin.engine.config.average import AverageConfig
from etpicker_plugin.engine.config.compare import CompareConfig
from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.config.extract import ExtractConfig
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.config.view import ViewConfig

PROTOCOLS = {
    "train": "train model",
    "update": "update model",
    "pick": "pick particles",
    "evaluate": "evaluate picks",
    "compare": "compare pickers",
    "validate": "validate picks",
    "extract": "extract subtomograms",
    "average": "average subtomograms (RELION)",
    "convert": "import coordinates",
    "view": "annotate particles",
}
"""The protocol that runs a command, as Scipion's tree names it."""

CONFIGS = (
    *(TrainConfig, UpdateConfig, PickConfig, EvaluateConfig, CompareConfig),
    *(ValidateConfig, ExtractConfig, AverageConfig, ConvertConfig, ViewConfig),
)
COMMAND = re.compile(rf"'etpicker ({'|'.join(PROTOCOLS)})'")
FLAG = re.compile(r"--([a-z][a-z-]*[a-z])")


def in_form_words(message: object, config_class: type | None = None) -> str:
    """Return a message with the form's labels where it names the command's flags.

    Parameters
    ----------
    config_class
        The command whose label is taken where commands name a parameter differently.
    """
    labels = {**_all_labels(), **(_labels(config_class) if config_class else {})}

    def label(found: re.Match[str]) -> str:
        name = labels.get(found[1])
        return f"'{name}'" if name else found[0]

    text = COMMAND.sub(lambda found: f"'{PROTOCOLS[found[1]]}'", str(message))
    return FLAG.sub(label, text)


@lru_cache
def _all_labels() -> dict[str, str]:
    labels: dict[str, str] = {}
    for config_class in reversed(CONFIGS):
        labels.update(_labels(config_class))
    return labels


@lru_cache
def _labels(config_class: type) -> Mapping[str, str]:
    """Return each flag, without its dashes, and its label, without its unit."""
    labels = {
        field.name: form_parameter(config_class, field.name).label
        for field in dataclasses.fields(config_class)
    }
    return {
        name.replace("_", "-"): label.partition(" [")[0]
        for name, label in labels.items()
    }
