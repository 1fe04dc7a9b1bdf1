"""The developer guide's recipe: one file and one line make a format, everywhere.

The file is taken from the guide. Processes of their own add the line, since choices and
help are made when the engine is imported.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "developer.md"
THE_LINE = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from etpicker_plugin.engine.formats import catalogue
from sticks import STICKS
catalogue.IN_TOMOGRAMS = (*catalogue.IN_TOMOGRAMS, STICKS)
catalogue.CATALOGUE = (*catalogue.IN_TOMOGRAMS, *catalogue.IN_MICROGRAPHS)
"""
ENGINE = THE_LINE + "from etpicker_plugin.engine.cli import main\nsys.exit(main())\n"
FORMS = (
    THE_LINE
    + """
import json
from pathlib import Path
import pyworkflow
pyworkflow.Config.getDomain().getProtocols()
from etpicker_plugin.protocols import ProtEtPickerExportCoordinates as Export
from etpicker_plugin.protocols import ProtEtPickerImportCoordinates as Import
from etpicker_plugin.protocols.coordinate_files import CoordinateFiles
from etpicker_plugin.engine.config.convert import FORMATS
def choices(protocol, name):
    return protocol().getParam(name).choices
folder = Path(sys.argv[1])
files = CoordinateFiles(path=folder, pattern="", kind="sticks", ts_ids=("TS_01",))
files.link(folder / "links")
export = Export()
export.outputFormat.set(FORMATS.index("sticks"))
export.exportDir.set(str(folder))
found = {
    "import": choices(Import, "inputFormat")[-2:],
    "export": choices(Export, "outputFormat")[-2:],
    "files": [file.name for file in files.find()],
    "links": sorted(p.name for p in (folder / "links").iterdir()),
    "jobs": list(files.jobs()),
    "exported": [file.name for file in export.getExportedFiles()],
}
print("FOUND" + json.dumps(found))
"""
)
CSV = (
    "class,x,y,z,score,rot,tilt,psi\n"
    "ring,12.250,50.000,7.000,0.75,10.0000,20.0000,30.0000\n"
    "ribosome,30.000,3.000,20.000,,,,\n"
)
OFFERED = [
    "relion5-filaments: RELION 5 filaments, as its picker draws them (.star)",
    "sticks: Sticks list (.stk)",
]
FRAME = ("--dimensions", "41", "57", "33", "--voxel-size", "10")


@pytest.fixture
def module(tmp_path):
    """Write the guide's module; return its folder."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    (text,) = (block for block in blocks if "= Format(" in block)
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "sticks.py").write_text(text, encoding="utf-8")
    return folder


def run(code, module, *words):
    return subprocess.run(
        [sys.executable, "-c", code, str(module), *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def convert(module, path, source, target, out):
    words = ("--input", path, "--input-format", source, "--output-format", target)
    done = run(ENGINE, module, "convert", *words, "--out", out, *FRAME)
    assert done.returncode == 0, done.stderr
    return done.stderr


def sticks_file(module, tmp_path):
    source = tmp_path / "TS_01.csv"
    source.write_text(CSV)
    told = convert(module, source, "csv", "sticks", tmp_path / "there")
    return tmp_path / "there" / "TS_01.stk", told


def test_it_is_a_choice_and_told_of(module):
    done = run(ENGINE, module, "convert", "--help")

    for flag in ("--input-format", "--output-format"):
        assert re.search(
            rf"{flag}\s+{{[^}}]*,relion5-filaments,sticks,relion-coordinates,[^}}]*}}",
            done.stdout,
        )
    assert "NAME.stk" in done.stdout
    assert " ".join(OFFERED[1].split()) in " ".join(done.stdout.split())


def test_there_and_back_with_what_it_cannot_hold(module, tmp_path):
    path, told = sticks_file(module, tmp_path)
    convert(module, path, "sticks", "csv", tmp_path / "back")

    assert path.read_text() == "8.000 51.000 13.250 2\n21.000 4.000 31.000 1\n"
    assert "does not hold: class names, scores, orientations" in told
    sidecar = json.loads(path.with_name("TS_01.stk.json").read_text("utf-8"))
    assert sidecar["positions"] == "z y x, voxels from 1"
    assert sidecar["not_held"] == ["class names", "scores", "orientations"]
    assert (tmp_path / "back" / "TS_01.csv").read_text() == CSV


def test_without_its_sidecar_the_file_alone_is_read(module, tmp_path):
    path, _ = sticks_file(module, tmp_path)
    path.with_name("TS_01.stk.json").unlink()

    convert(module, path, "sticks", "csv", tmp_path / "back")

    assert (tmp_path / "back" / "TS_01.csv").read_text() == (
        "class,x,y,z,score\nclass_2,12.250,50.000,7.000,\nparticle,30.000,3.000,20.000,\n"
    )


def test_the_forms_offer_it_and_find_its_files(module, tmp_path):
    pytest.importorskip("pyworkflow", reason="the forms are Scipion's")
    path, _ = sticks_file(module, tmp_path)
    (path.parent / "notes.txt").write_text("mine")

    done = run(FORMS, module, path.parent)

    assert "FOUND" in done.stdout, done.stderr
    assert json.loads(done.stdout.split("FOUND")[1]) == {
        "import": OFFERED,
        "export": OFFERED,
        "files": ["TS_01.stk"],
        "links": ["TS_01.stk", "TS_01.stk.json"],
        "jobs": [],
        "exported": ["TS_01.stk"],
    }
