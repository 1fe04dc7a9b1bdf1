"""Validate picks in a project, with real RELION on planted particles."""

import os
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
from etpicker_plugin.protocols import (
    ProtEtPickerImportCoordinates,
    ProtEtPickerValidate,
)
from pwem.protocols import ProtImportVolumes
from pyworkflow.tests import setupTestProject

from etpicker_plugin.tests.support.planted import SHAPES, VOXEL_SIZE, make_planted
from etpicker_plugin.tests.support.scipion_project import (
    PhantomProject,
    make_in_engine,
)

PARTICLE = "ribosome=323"


@unittest.skipIf(
    shutil.which("relion_refine_mpi") is None or shutil.which("mpirun") is None,
    "RELION or MPI is not installed",
)
class TestValidatePicks(PhantomProject):
    @classmethod
    def setUpClass(cls):
        setupTestProject(cls)
        cls.folder = Path(tempfile.mkdtemp(prefix="etpicker_planted_"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        make_in_engine(make_planted, cls.folder)
        cls.tomograms = cls.import_tomograms(
            cls.folder, voxel_size=VOXEL_SIZE, pattern="TS_*.mrc"
        )
        cls.sets = [cls.import_set("ours"), cls.import_set("moved")]
        cls.reference = cls.run_protocol(
            ProtImportVolumes,
            filesPath=str(cls.folder / "reference.mrc"),
            samplingRate=VOXEL_SIZE,
        ).outputVolume

    @classmethod
    def import_set(cls, name):
        return cls.run_protocol(
            ProtEtPickerImportCoordinates,
            inputTomograms=cls.tomograms,
            filesPath=str(cls.folder / name),
            filesPattern="*.csv",
            diameter=PARTICLE,
        ).Coordinates3D

    def test_verdict_names_the_planted_origin(self):
        values = {
            "inputSets": self.sets,
            "setNames": "ours moved",
            "diameter": PARTICLE,
            "inputReference": self.reference,
            "iterations": 2,
            "resamples": 200,
        }
        self.assertIn(
            "expected the lowest and the highest tilt angle",
            self.errors_of(ProtEtPickerValidate, **values, tiltRange="60 -60"),
        )
        with mock.patch.dict(os.environ, {"PATH": "/nowhere"}):
            errors = self.errors_of(ProtEtPickerValidate, **values, tiltRange="-60 60")
        self.assertIn("RELION was not found", errors)
        judged = self.run_protocol(ProtEtPickerValidate, **values, tiltRange="-60 60")
        verdict = judged.getVerdict()
        self.assertEqual(verdict["ranking"][-1], "control")
        self.assertEqual(verdict["tomograms"], list(SHAPES))
        moved = verdict["sets"]["moved"]
        self.assertTrue(moved["origin_alarm"])
        np.testing.assert_allclose(moved["origin_shift_voxels"], [0, 2, 0], atol=0.6)
        self.assertFalse(verdict["sets"]["ours"]["origin_alarm"])
        self.assertIn("voxels along y of the particles", " ".join(judged.summary()))
        self.assertIn("RELION", judged.methods()[0])
        page = Path(judged.getReportFile()).read_text(encoding="utf-8")
        self.assertIn("What they average to", page)
