"""A validation of edited picks, another tomogram or reference is another one."""

import shutil

import pytest

from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.relion.find import Relion
from etpicker_plugin.engine.verdict import validate as module
from etpicker_plugin.tests.support.phantoms import make_phantom


class BegunError(Exception):
    """Stands for the boxes that are cut next."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """One tomogram, one set of picks, and a RELION that is never run."""

    def begin(*_arguments, **_keywords):
        raise BegunError

    relion = Relion(folder=tmp_path, version="5.0")
    monkeypatch.setattr(module, "find_relion", lambda: relion)
    monkeypatch.setattr(module, "mpi_words", lambda _words: ["mpirun"])
    monkeypatch.setattr(module, "check_mpi", lambda *_words, **_ranks: None)
    monkeypatch.setattr(module, "write_boxes", begin)
    (tmp_path / "ours").mkdir()
    (tmp_path / "out").mkdir()
    make_phantom(tmp_path / "TS_a.mrc", (63, 95, 115), {"large": 14}, seed=3)
    (tmp_path / "TS_a.csv").rename(tmp_path / "ours/TS_a.csv")
    return tmp_path


def validate(folder, **changes):
    values = {
        "picks": {"ours": str(folder / "ours")},
        "tomogram": (str(folder / "TS_a.mrc"),),
        "diameter": {"large": 140.0},
        "tilt_range": (-60.0, 60.0),
        "out": str(folder / "out"),
        **changes,
    }
    return module.validate(
        ValidateConfig(**values), folder / "out", on_progress=ignore_progress
    )


def edit_picks(folder):
    lines = (folder / "ours/TS_a.csv").read_text().splitlines()
    (folder / "ours/TS_a.csv").write_text("\n".join(lines[:-1]) + "\n")


def edit_tomogram(folder):
    make_phantom(folder / "TS_a.mrc", (63, 95, 115), {"large": 14}, seed=4)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (edit_picks, "picks ours of TS_a has changed"),
        (edit_tomogram, "tomogram TS_a has changed"),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_edited_inputs_are_noticed(folder, edit, message, finished):
    with pytest.raises(BegunError):
        validate(folder)
    if finished:
        (folder / "out/verdict.json").write_text("{}")
    edit(folder)
    with pytest.raises(ConfigError, match=message):
        validate(folder)


def test_the_same_goes_on_from_elsewhere_with_other_threads(folder):
    with pytest.raises(BegunError):
        validate(folder)
    (folder / "moved").mkdir()
    shutil.move(folder / "TS_a.mrc", folder / "moved/TS_a.mrc")
    with pytest.raises(BegunError):
        validate(folder, tomogram=(str(folder / "moved/TS_a.mrc"),), threads=2)
    with pytest.raises(ConfigError, match="--seed was 0, is 5"):
        validate(folder, tomogram=(str(folder / "moved/TS_a.mrc"),), seed=5)
