"""What the project tests share: phantoms, imports, a small trained model."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import psutil
from etpicker_plugin.protocols import ProtEtPickerImportCoordinates
from pyworkflow.tests import setupTestProject
from tomo.constants import BOTTOM_LEFT_CORNER
from tomo.protocols import ProtImportTomograms
from tomo.tests.test_base_centralized_layer import TestBaseCentralizedLayer

from etpicker_plugin import Plugin
from etpicker_plugin.tests.support.phantoms import DIAMETERS, VOXEL_SIZE, make_phantoms

DIAMETER_WORDS = " ".join(f"{k}={v:g}" for k, v in DIAMETERS.items())


class RunsProtocols:
    """What the tests of a project run, whatever is in it."""

    @classmethod
    def run_protocol(cls, protocol_class, **values):
        """Run a protocol to its end; refuse one that does not validate."""
        protocol = cls.newProtocol(protocol_class, **values)
        errors = protocol.validate()
        if errors:
            raise AssertionError(f"{protocol_class.__name__}: {errors}")
        return cls.launchProtocol(protocol)

    @classmethod
    def errors_of(cls, protocol_class, **values):
        """Return what a protocol's validation says, as one text."""
        return "\n".join(cls.newProtocol(protocol_class, **values).validate())


class PhantomProject(RunsProtocols, TestBaseCentralizedLayer):
    """A project with three phantom tomograms and their true centres."""

    @classmethod
    def setUpClass(cls):
        setupTestProject(cls)
        cls.folder = Path(tempfile.mkdtemp(prefix="etpicker_phantoms_"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.truth = make_phantoms(cls.folder)
        cls.tomograms = cls.import_tomograms(cls.folder)
        cls.coordinates = cls.import_coordinates(cls.tomograms, cls.folder)

    @classmethod
    def import_tomograms(cls, folder, *, voxel_size=VOXEL_SIZE, pattern="*.mrc"):
        protocol = cls.run_protocol(
            ProtImportTomograms,
            filesPath=str(folder),
            filesPattern=pattern,
            samplingRate=voxel_size,
        )
        return protocol.Tomograms

    @classmethod
    def import_coordinates(cls, tomograms, folder, **values):
        return cls.run_protocol(
            ProtEtPickerImportCoordinates,
            inputTomograms=tomograms,
            filesPath=str(folder),
            **{"filesPattern": "*.csv", "diameter": DIAMETER_WORDS, **values},
        )

    @classmethod
    def train_model_file(cls, *, steps):
        """Train on the phantoms with the command line; return the model file."""
        return train_model(
            cls.folder,
            diameter=DIAMETER_WORDS,
            working_voxel_size=15.0,
            steps=steps,
        )


def make_in_engine(function, path, **values):
    """Call a function of tests/support in the engine's Python; return the path.

    It simulates or knows torch, which Scipion's own Python need not.
    """
    module, name = function.__module__, function.__name__
    code = (
        f"import json, pathlib, sys; from {module} import {name}; "
        f"{name}(pathlib.Path(sys.argv[1]), **json.loads(sys.argv[2]))"
    )
    words = Plugin.getEngine().words("-c", code, str(path), json.dumps(values))
    subprocess.run(words, check=True, env=Plugin.getEnviron())
    return path


def train_model(folder, *, diameter, working_voxel_size, steps):
    """Train on a folder's TS_*.mrc and .csv with the command line; return the model."""
    names = sorted(path.stem for path in folder.glob("TS_*.csv"))
    command = [
        *("-m", "etpicker_plugin.engine", "train"),
        *("--tomogram", *(str(folder / f"{n}.mrc") for n in names)),
        *("--coordinates", *(str(folder / f"{n}.csv") for n in names)),
        *("--diameter", *diameter.split(), "--steps", str(steps)),
        *("--working-voxel-size", f"{working_voxel_size:g}", "--patch-size", "32"),
        *("--batch-size", "2", "--device", "cpu", "--out", str(folder / "model")),
    ]
    words = Plugin.getEngine().words(*command)
    subprocess.run(words, check=True, env=Plugin.getEnviron())
    return folder / "model" / "model.safetensors"


def stop_hard(project, protocol):
    """Kill a protocol and its jobs, as a power cut would."""
    project._updateProtocol(protocol)
    if not protocol.getPid() or not psutil.pid_exists(protocol.getPid()):
        return
    process = psutil.Process(protocol.getPid())
    for victim in [*process.children(recursive=True), process]:
        victim.kill()
    psutil.wait_procs([process], timeout=10)


def positions_of(coordinates):
    """Return (tsId, x, y, z) of every coordinate, sorted, in 0-based voxels."""
    return sorted(
        (c.getTomoId(), *c.getPosition(BOTTOM_LEFT_CORNER))
        for c in coordinates.iterCoordinates()
    )
