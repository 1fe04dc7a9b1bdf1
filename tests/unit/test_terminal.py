"""What reaches a terminal: names neither move its cursor nor forge lines of a log."""

import logging

import pytest

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.config.models import ModelsConfig
from etpicker_plugin.engine.lineage.models import models
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.model.model_file import load_model, save_model
from etpicker_plugin.engine.progress import BarProgress, ProgressEvent, ignore_progress
from etpicker_plugin.engine.terminal import PlainFormatter
from etpicker_plugin.tests.support.untrained import make_untrained_model

ESCAPE = "\x1b[2J\x1b]0;owned\x07"


def formatted(message, *values):
    record = logging.LogRecord("x", logging.INFO, "x", 1, message, values, None)
    return PlainFormatter().format(record).split(" ", 1)[1]


def test_control_characters_are_spelled_out():
    assert formatted("%s", f"a{ESCAPE}b") == r"INFO a\x1b[2J\x1b]0;owned\x07b"
    assert formatted("%s", "a\rb\u202eb") == r"INFO a\rb\u202eb"
    assert formatted("é Å · 核") == "INFO é Å · 核"


def test_a_second_line_is_no_line_of_its_own():
    assert formatted("%s", "a\n12:00:00 ERROR gone") == "INFO a\n  12:00:00 ERROR gone"


def test_progress_bars(capsys):
    bar = BarProgress()
    bar(ProgressEvent(f"picking {ESCAPE}", 1, 2, {f"f1:{ESCAPE}": 0.5}))
    bar.close()

    shown = capsys.readouterr().err
    assert ESCAPE not in shown
    assert "\x1b]0" not in shown
    assert r"picking \x1b[2J" in shown


def test_flags_that_are_not_known(capsys):
    with pytest.raises(SystemExit):
        main(["models", "folder", f"--x{ESCAPE}"])

    assert ESCAPE not in capsys.readouterr().err


def test_the_list_of_models(tmp_path, capsys):
    model = make_untrained_model(tmp_path / "m.safetensors")
    network, card = load_model(model)
    (tmp_path / "._m.safetensors").write_bytes(model.read_bytes())
    save_model(tmp_path / f"{ESCAPE}.safetensors", network, card)

    found = models(
        ModelsConfig(folder=str(tmp_path)), tmp_path, on_progress=ignore_progress
    )

    shown = capsys.readouterr().out
    assert len(found) == 2
    assert read_card(model).classes[0].name in shown
    assert "\x1b" not in shown
