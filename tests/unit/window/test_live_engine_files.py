"""The live picker's files: its configuration, its last words, where models go."""

import json
from pathlib import Path

import numpy as np
import pytest

from etpicker_plugin.engine.config.live import PRETRAINED, LiveConfig
from etpicker_plugin.engine.config.options import config_from_values
from etpicker_plugin.engine.config.refine import RefineConfig
from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.tests.support.phantoms import write_tomogram
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.live.engine import (
    FOLDER,
    ModelFile,
    last_words,
    prepare,
    prepare_refining,
)
from etpicker_plugin.window.live.refined import MODEL_FILE, RefinedModels


@pytest.mark.parametrize("masks", [(), (1,), (1, 2)], ids=["none", "one", "all"])
def test_the_engine_understands_what_the_window_writes(tmp_path, masks):
    """A mask of one tomogram alone is left out: the command takes one for each."""
    for name in ("TS_1", "TS_2", "TS_1_mask", "TS_2_mask"):
        write_tomogram(tmp_path / f"{name}.mrc", np.ones((11, 21, 31), np.float32))
    (tmp_path / "out").mkdir()
    paths = tuple(str(tmp_path / f"TS_{i}.mrc") for i in (1, 2))
    config = ViewConfig(
        tomogram=paths,
        mask=tuple(str(tmp_path / f"TS_{i}_mask.mrc") for i in masks),
        voxel_size=7.5,
        trust_voxel_size=True,
        diameter={"a": 90.0},
    )
    session = Session(config, tmp_path / "out")
    command = prepare(session, RefinedModels(tmp_path / "out" / FOLDER))
    assert command[-2] == "--config"
    with open(command[-1]) as file:
        values = json.load(file)
    live = LiveConfig(
        **{k: v if isinstance(v, str) else tuple(v) for k, v in values.items()}
    )
    assert (live.tomogram, live.names()) == (paths, ("TS_1", "TS_2"))
    assert live.voxel_size == (7.5, 7.5)
    assert live.mask == (config.mask if len(masks) == 2 else ())
    assert (live.out, live.model) == (str(tmp_path / "out" / FOLDER), PRETRAINED)


def test_refine_is_told_of_what_is_marked_and_of_the_model_in_use(tmp_path):
    write_tomogram(tmp_path / "TS_1.mrc", np.ones((11, 21, 31), np.float32))
    (tmp_path / "out").mkdir()
    config = ViewConfig(tomogram=(str(tmp_path / "TS_1.mrc"),), diameter={"a": 90.0})
    session = Session(config, tmp_path / "out")
    models = RefinedModels(tmp_path / "out" / FOLDER)
    for number in (1, 2):
        folder = models.begin()
        command = prepare_refining(session, models, {"do": "solve"}, folder)
        assert command[-3] == "refine"
        values = json.loads(Path(command[-1]).read_text())
        refine = config_from_values(RefineConfig, values)
        assert refine.out == str(folder)
        assert json.loads(Path(refine.marks).read_text()) == {"do": "solve"}
        used = tmp_path / "out" / FOLDER / "refined_1"
        assert refine.features == str(models.folder if number == 1 else used)
        assert refine.model == (PRETRAINED if number == 1 else str(used / MODEL_FILE))
        models.offer(folder)
        models.use_offered()


def write(model, text):
    path = model.make_room()
    path.parent.mkdir(exist_ok=True)
    assert not path.exists()
    path.write_text(text)
    return model.take()


def test_a_window_replaces_its_own_model_and_no_other(tmp_path):
    first = ModelFile(tmp_path)
    assert write(first, "one") == write(first, "two") == first.path
    second = ModelFile(tmp_path)
    assert write(second, "three").name == "live_model_2.safetensors"
    assert (tmp_path / "live_model.safetensors").read_text() == "two"
    assert write(ModelFile(tmp_path), "four").name == "live_model_3.safetensors"


def test_a_model_that_was_not_written_is_told(tmp_path):
    with pytest.raises(ResourceError, match="live_model"):
        ModelFile(tmp_path).take()


def test_the_last_line_of_the_log_is_what_it_said(tmp_path):
    log = tmp_path / "log.txt"
    assert last_words(log) == ""
    log.write_text("starting\nno memory is left\n\n")
    assert last_words(log) == "no memory is left"
    log.write_text("12:40:08 ERROR There is no GPU 3. Give another.\n")
    assert last_words(log) == "There is no GPU 3. Give another"
