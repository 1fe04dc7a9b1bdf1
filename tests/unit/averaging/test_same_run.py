"""An average of the same boxes is kept; of others it is refused; a cut one redone."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from etpicker_plugin.engine.averaging import average as module
from etpicker_plugin.engine.averaging.classify import read_classes
from etpicker_plugin.engine.config.average import AverageConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.json_checks import parse
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.relion.find import Relion
from etpicker_plugin.engine.subtomograms.star import (
    BoxSet,
    Optics,
    write_particles_star,
)


class BegunError(Exception):
    """Stands for RELION's first step."""


def write_table(folder, shift=0.0):
    images = [f"boxes/{n}.mrc" for n in range(3)]
    (folder / "boxes").mkdir(exist_ok=True)
    for name in (*images, "wedge.mrc"):
        (folder / name).write_bytes(b"box")
    particles = make_particles("TS_a", np.arange(9.0).reshape(3, 3) + shift)
    boxes = BoxSet(
        particles=particles, images=images, wedge="wedge.mrc", voxel_size=10.0
    )
    optics = Optics(box=12, voxel_size=20.0)
    write_particles_star([boxes], folder / "particles.star", optics=optics)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Boxes, and a RELION that is found and does nothing."""

    def begin(*_arguments, **_keywords):
        raise BegunError

    relion = Relion(folder=Path("nowhere"), version="5.0")
    monkeypatch.setattr(module, "find_relion", lambda: relion)
    monkeypatch.setattr(module, "make_reference", begin)
    write_table(tmp_path)
    (tmp_path / "out").mkdir()
    return tmp_path


def average(folder, **changes):
    values = {
        "particles": str(folder / "particles.star"),
        "out": str(folder / "out"),
        "task": "classify",
        "diameter": 150.0,
        **changes,
    }
    return module.average(
        AverageConfig(**values), folder / "out", on_progress=ignore_progress
    )


def finish(folder):
    (folder / "out/aligned.star").write_text("aligned")
    files = module.hash_results(folder / "out", ["aligned.star"])
    record = {"task": "classify", "files": files}
    (folder / "out/average.json").write_text(json.dumps(record))
    return record


def test_a_finished_one_is_kept_and_a_stopped_one_goes_on(folder):
    for threads in (1, 2):
        with pytest.raises(BegunError):
            average(folder, threads=threads)
    record = finish(folder)
    assert average(folder) == record


MODEL = """
data_model_general

_rlnNrClasses 2

data_model_classes

loop_
_rlnReferenceImage #1
_rlnClassDistribution #2
_rlnEstimatedResolution #3
run_it010_class001.mrc 1.000000 45.714286
run_it010_class002.mrc 0.000000 inf
"""


def test_a_class_without_a_resolution_leaves_the_record_json(folder, monkeypatch):
    """RELION divides by nothing there; JSON knows no Infinity."""
    (folder / "model.star").write_text(MODEL)
    found = [asdict(c) for c in read_classes(folder / "model.star")]
    monkeypatch.setattr(module, "make_reference", lambda *_, **__: "reference.mrc")
    monkeypatch.setattr(
        module, "_run", lambda *_, **__: {"table": "", "classes": found}
    )
    monkeypatch.setattr(module, "write_aligned", lambda *_: 3)
    (folder / "out/aligned.star").write_text("aligned")

    average(folder)

    record = parse((folder / "out/average.json").read_text())
    assert record["classes"] == [
        {"number": 1, "file": "class001.mrc", "share": 1, "resolution_ang": 45.714286},
        {"number": 2, "file": "class002.mrc", "share": 0, "resolution_ang": None},
    ]


@pytest.mark.parametrize("finished", [True, False])
def test_an_edited_table_is_another_average(folder, finished):
    with pytest.raises(BegunError):
        average(folder)
    if finished:
        finish(folder)
    write_table(folder, shift=1.0)
    with pytest.raises(ConfigError, match="table of boxes has changed"):
        average(folder)


def test_aligned_particles_that_were_cut_short_are_made_again(folder, caplog):
    with pytest.raises(BegunError):
        average(folder)
    finish(folder)
    (folder / "out/aligned.star").write_text("align")
    with pytest.raises(BegunError):
        average(folder)
    assert (folder / "out/aligned.star.old-1").read_text() == "align"
    assert "aligned.star is not as it was written" in caplog.text
