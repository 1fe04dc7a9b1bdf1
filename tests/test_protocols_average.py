"""The template from picks to a verdict; then classify, hand over, and be refused."""

import csv
import json
import os
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
from etpicker_plugin.protocols import ProtEtPickerAverage, ProtEtPickerExtract
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from pwem.protocols import ProtImportVolumes
from pyworkflow.tests import setupTestProject
from tomo.constants import BOTTOM_LEFT_CORNER

from etpicker_plugin import relion_tomo, run_template
from etpicker_plugin.engine.config.average import TASKS
from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.relion.find import find_relion
from etpicker_plugin.tests.support.ribosomes import (
    BOX,
    DIAMETER,
    PARTICLES,
    TILT_RANGE,
    VOXEL_SIZE,
    make_ribosomes,
)
from etpicker_plugin.tests.support.scipion_project import (
    PhantomProject,
    make_in_engine,
    positions_of,
    train_model,
)
from etpicker_plugin.viewers.average_viewers import averages_of, some_boxes
from etpicker_plugin.viewers.averages import draw_fsc, draw_montage, draw_sections

REFINE, CLASSIFY = (TASKS.index(task) for task in ("refine", "classify"))
PARTICLE = f"ribosome={DIAMETER:g}"
QUICK = {
    "ProtEtPickerPick": {"maxPicks": PARTICLES},
    "ProtEtPickerExtract": {"boxSize": BOX},
    "ProtEtPickerAverage": {
        "angularStep": 0,
        "offsetRange": 2 * VOXEL_SIZE,
        "iterations": 2,
    },
    "ProtEtPickerValidate": {"iterations": 2, "resamples": 200},
}
"""What a test changes in the template's forms: small boxes and few rounds."""


def relion_is_missing():
    """Return why RELION cannot run here, if so."""
    try:
        find_relion()
    except ExternalProgramError as error:
        return str(error)
    return ""


def is_near(pick, centres):
    """Return whether a (tsId, x, y, z) is at most two voxels from another."""
    name, *place = pick
    return any(
        name == other and np.linalg.norm(np.subtract(place, centre)) <= 2
        for other, *centre in centres
    )


needs_relion = unittest.skipIf(relion_is_missing(), relion_is_missing())


class TestFromPicksToVerdict(PhantomProject):
    """A project that the template made, of simulated ribosomes and a small model."""

    @classmethod
    def setUpClass(cls):
        setupTestProject(cls)
        cls.folder = Path(tempfile.mkdtemp(prefix="etpicker_ribosomes_"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        make_in_engine(make_ribosomes, cls.folder)
        model = train_model(
            cls.folder, diameter=PARTICLE, working_voxel_size=VOXEL_SIZE, steps=60
        )
        cls.exit_code = run_template.run_workflow(cls.proj, cls.fill_template(model))
        cls.steps = {run.getClassName(): run for run in cls.proj.getRuns()}
        cls.coordinates = cls.steps["ProtEtPickerPick"].Coordinates3D
        cls.extracted = cls.steps["ProtEtPickerExtract"]
        cls.reference = cls.run_protocol(
            ProtImportVolumes,
            filesPath=str(cls.folder / "reference.mrc"),
            samplingRate=VOXEL_SIZE,
        ).outputVolume

    @classmethod
    def fill_template(cls, model):
        """Return the template's workflow, quickened."""
        fields = {
            "tomograms_path": str(cls.folder),
            "tomograms_pattern": "TS_*.mrc",
            "voxel_size": f"{VOXEL_SIZE:g}",
            "model": str(model),
            "class_name": "ribosome",
            "diameter": PARTICLE,
            "tilt_range": "-60 60",
            "name": "network",
        }
        template = run_template.find_template("pick_extract_average_validate")
        path = Path(run_template.fill_template(template, fields))
        workflow = json.loads(path.read_text(encoding="utf-8"))
        for step in workflow:
            step.update(QUICK.get(step["object.className"], {}))
        path.write_text(json.dumps(workflow), encoding="utf-8")
        return path

    # the template -----------------------------------------------------------------

    @needs_relion
    def test_the_template_runs_to_the_verdict(self):
        self.assertEqual(self.exit_code, 0)
        truth = self.import_coordinates(
            self.steps["ProtImportTomograms"].Tomograms,
            self.folder,
            filesPattern="TS_*.csv",
            diameter=PARTICLE,
        ).Coordinates3D
        centres = positions_of(truth)
        found = [is_near(pick, centres) for pick in positions_of(self.coordinates)]
        self.assertGreater(np.mean(found), 0.8)
        verdict = self.steps["ProtEtPickerValidate"].getVerdict()
        self.assertEqual(verdict["ranking"], ["network", "control"])
        self.assertEqual(verdict["sets"]["network"]["n"], len(self.coordinates))

    @classmethod
    def extraction(cls, **changes):
        return {
            "inputCoordinates": cls.coordinates,
            "diameter": PARTICLE,
            "boxSize": BOX,
            **changes,
        }

    # extracting -------------------------------------------------------------------

    def test_boxes_coordinates_and_wedge(self):
        boxes = self.extracted.SubTomograms
        left_out = Path(self.extracted._getExtraPath("subtomograms", "left_out.csv"))
        with left_out.open(encoding="utf-8") as stream:
            lost = len(list(csv.DictReader(stream)))
        self.assertEqual(len(boxes) + lost, len(self.coordinates))
        self.assertGreater(len(boxes), 15)
        self.assertGreater(lost, 0)
        self.assertEqual(boxes.getSamplingRate(), VOXEL_SIZE)
        self.assertEqual(boxes.getFirstItem().getDim(), (BOX,) * 3)
        acquisition = boxes.getAcquisition()
        angles = (acquisition.getAngleMin(), acquisition.getAngleMax())
        self.assertEqual(angles, TILT_RANGE)
        wanted = {
            (c.getTomoId(), *c.getPosition(BOTTOM_LEFT_CORNER))
            for c in self.coordinates.iterCoordinates()
        }
        for item in boxes.iterSubtomos():
            coordinate = item.getCoordinate3D()
            place = coordinate.getPosition(BOTTOM_LEFT_CORNER)
            self.assertIn((item.getVolName(), *place), wanted)
            self.assertTrue(Path(item.getFileName()).is_file())
            self.assertTrue(Path(item._wedge.get()).is_file())
            np.testing.assert_array_equal(item.getTransform().getMatrix(), np.eye(4))
        self.assertIn("left out", "\n".join(self.extracted.summary()))
        shown, names = some_boxes(self.extracted)
        self.assertEqual(len(shown), len(boxes))
        self.assertIn("TS_01 ", names[0])

    def test_a_changed_form_cuts_anew(self):
        changed = self.run_protocol(
            ProtEtPickerExtract, **self.extraction(tiltRange="-60 60")
        )
        changed.boxSize.set(BOX + 2)
        self.proj.launchProtocol(changed, wait=True)
        self.assertEqual(changed.getErrorMessage(), "")
        self.assertEqual(changed.SubTomograms.getFirstItem().getDim(), (BOX + 2,) * 3)

    def test_what_does_not_fit_is_told_before_the_run(self):
        for changes, message in (
            ({"tiltRange": "60"}, "lowest and the highest"),
            ({"tiltRange": "-60 60", "boxSize": 17}, "even number"),
            ({"tiltRange": "-60 60", "diameter": "ribosome=25"}, "1.0 voxels"),
        ):
            with self.subTest(message):
                errors = self.errors_of(
                    ProtEtPickerExtract, **self.extraction(**changes)
                )
                self.assertIn(message, errors)

    # averaging --------------------------------------------------------------------

    def averaging(self, **changes):
        return {
            "inputSubTomograms": self.extracted.SubTomograms,
            "inputReference": self.reference,
            "angularStep": 0,
            "offsetRange": 2 * VOXEL_SIZE,
            "iterations": 2,
            **changes,
        }

    @needs_relion
    def test_refinement(self):
        refined = self.steps["ProtEtPickerAverage"]

        average = refined.Average
        self.assertEqual(average.getDim(), (BOX,) * 3)
        self.assertEqual(average.getSamplingRate(), VOXEL_SIZE)
        for half in average.getHalfMaps(asList=True):
            self.assertTrue(Path(half).is_file())
        self.assertEqual(len(refined.FSCs), 4)
        aligned = refined.SubTomograms
        self.assertEqual(len(aligned), len(self.extracted.SubTomograms))
        self.assertTrue(aligned.hasAlignment3D())
        subsets = {item._rlnRandomSubset.get() for item in aligned.iterItems()}
        self.assertEqual(subsets, {1, 2})
        likelihoods = [i._rlnLogLikeliContribution.get() for i in aligned.iterItems()]
        self.assertGreater(np.std(likelihoods), 0)
        self.assertIn("Resolution", "\n".join(refined.summary()))
        self.assertEqual(averages_of(refined)["average"].shape, (BOX,) * 3)
        self.assertEqual(refined.LocalResolution.getDim(), (BOX,) * 3)
        again = self.run_protocol(
            ProtEtPickerAverage,
            **self.averaging(inputSubTomograms=aligned, task=CLASSIFY, classes=2),
        )
        self.assertEqual(len(again.Averages), 2)
        shares = [item._share.get() for item in again.Averages.iterItems()]
        self.assertAlmostEqual(sum(shares), 1, places=3)
        self.assertEqual(len(averages_of(again)), 2)
        classes = {item.getClassId() for item in again.SubTomograms.iterItems()}
        self.assertTrue(classes <= {1, 2})

    @needs_relion
    def test_what_relion_cannot_do_is_told_before_the_run(self):
        values = self.averaging()
        errors = self.errors_of(ProtEtPickerAverage, **{**values, "ranks": 2})
        self.assertIn("expected 3 or more", errors)
        errors = self.errors_of(ProtEtPickerAverage, **{**values, "iterations": 1})
        self.assertIn("expected 2 or more", errors)
        with mock.patch.dict(os.environ, {"PATH": "/nowhere"}):
            errors = self.errors_of(ProtEtPickerAverage, **values)
        self.assertIn("RELION was not found", errors)
        with mock.patch.dict(os.environ, {"RELION_HOME": "/nowhere"}):
            errors = self.errors_of(ProtEtPickerAverage, **values)
        self.assertIn("RELION_HOME is /nowhere", errors)

    @needs_relion
    @unittest.skipUnless(
        relion_tomo.is_installed(), "scipion-em-reliontomo is not installed"
    )
    def test_reliontomo_classifies_the_pseudo_subtomograms(self):
        from reliontomo.protocols import ProtRelion3DClassifySubtomograms

        boxes = self.extracted.PseudoSubtomograms
        self.assertEqual(len(boxes), len(self.extracted.SubTomograms))

        classified = self.run_protocol(
            ProtRelion3DClassifySubtomograms,
            inReParticles=boxes,
            referenceVolume=self.reference,
            maskDiameter=DIAMETER,
            initialLowPassFilterA=100,
            numberOfClasses=1,
            nIterations=2,
            doImageAlignment=True,
            angularSamplingDeg=0,
            offsetSearchRangePix=2,
            offsetSearchStepPix=1,
            doGpu=False,
            numberOfMpi=3,
            binThreads=1,
        )

        particles = classified.relionParticles
        self.assertEqual(len(particles), len(boxes))
        likelihoods = [p.getLogLikeliContribution() for p in particles.iterItems()]
        self.assertGreater(np.std(likelihoods), 0)
        self.assertEqual(len(classified.classes), 1)


class TestDrawing(unittest.TestCase):
    def setUp(self):
        self.figure = Figure()
        FigureCanvasAgg(self.figure)

    def test_fsc_in_angstrom(self):
        curve = {"frequency_per_ang": [0.0, 0.01, 0.02, 0.025]}
        for name in ("corrected", "masked", "unmasked", "randomised"):
            curve[name] = [1.0, 0.9, 0.1, None]
        draw_fsc(
            self.figure, {"curve": curve, "resolution_ang": 50.0, "at_nyquist": False}
        )
        (axes,) = self.figure.axes
        self.assertEqual(axes.get_title(), "50.0 Å at FSC 0.143")
        self.assertIn("50", [label.get_text() for label in axes.get_xticklabels()])
        self.assertEqual(len(axes.lines), 4 + 2)

    def test_sections_along_z_y_and_x(self):
        volume = np.zeros((12, 14, 16))
        volume[6, 3, 5] = 3.0
        draw_sections(self.figure, {"map": volume})
        along = [axes.images[0].get_array() for axes in self.figure.axes]
        self.assertEqual([a.shape for a in along], [(14, 16), (12, 16), (12, 14)])
        self.assertEqual(along[0][3, 5], 1.0)  # one of three slices
        self.assertEqual(along[1].max(), 0.0)

    def test_montage_draws_every_box(self):
        boxes = [np.full((8, 8, 8), n) + np.eye(8) for n in range(9)]
        draw_montage(self.figure, boxes, [f"TS {n}" for n in range(9)])
        drawn = [axes for axes in self.figure.axes if axes.images]
        self.assertEqual([axes.get_title() for axes in drawn][-1], "TS 8")
        self.assertEqual(len(drawn), 9)
