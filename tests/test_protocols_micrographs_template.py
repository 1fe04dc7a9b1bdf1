"""The template of micrographs, from import to picks; then RELION cuts boxes there."""

import json
import os
import shutil
import tempfile
import unittest.mock
from pathlib import Path

import mrcfile
import numpy as np
import tifffile
from pwem import Domain
from pwem.objects import Coordinate, SetOfCoordinates
from pwem.protocols import ProtImportCoordinates
from pyworkflow.object import Pointer
from pyworkflow.tests import BaseTest, setupTestProject

from etpicker_plugin import run_template
from etpicker_plugin.convert import tomograms_by_id
from etpicker_plugin.convert_micrographs import turned_over
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.tests.support.micrograph_project import as_tiff, places_of
from etpicker_plugin.tests.support.micrographs import (
    DIAMETER,
    PIXEL_SIZE,
    make_micrograph,
)
from etpicker_plugin.tests.test_protocols_average import needs_relion
from etpicker_plugin.viewers import edit_window
from etpicker_plugin.viewers.viewers import (
    EtPickerPicksViewer,
    open_picks,
    scores_by_class,
)

SHAPES_YX = {"mic_a.mrc": (181, 259), "mic_b.tif": (263, 201)}
DISCS = 16
BOX = 36
QUICK = {
    "ProtEtPickerTrain": {"instant": True},
    "ProtEtPickerPickMicrographs": {"boxSize": BOX},
}
"""What a test changes in the template's forms: little work, and room for a disc."""


class TestMicrographsTemplate(BaseTest):
    @classmethod
    def setUpClass(cls):
        setupTestProject(cls)
        cls.folder = Path(tempfile.mkdtemp(prefix="etpicker_template_"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.truth = {
            name: make_micrograph(
                cls.folder / f"{name[:-4]}.mrc", shape, DISCS, seed=seed
            )[:, ::-1]
            for seed, (name, shape) in enumerate(SHAPES_YX.items())
        }
        as_tiff(cls.folder / "mic_b.mrc")
        cls.exit_code = run_template.run_workflow(cls.proj, cls.fill_template())
        cls.steps = {run.getClassName(): run for run in cls.proj.getRuns()}

    @classmethod
    def fill_template(cls):
        """Return the template's workflow, its marks read from a file."""
        fields = {
            "micrographs_path": str(cls.folder),
            "micrographs_pattern": "*.[mt][ri][cf]",
            "sampling_rate": f"{PIXEL_SIZE:g}",
            "diameter": f"disc:{DIAMETER:g}",
            "annotation": "0",
        }
        template = run_template.find_template("micrographs")
        path = Path(run_template.fill_template(template, fields))
        workflow = json.loads(path.read_text(encoding="utf-8"))
        for step in workflow:
            if step["object.className"] == "ProtEtPickerAnnotate":
                step.clear()
                step.update(cls.marked_by_a_file())
            step.update(QUICK.get(step["object.className"], {}))
        path.write_text(json.dumps(workflow), encoding="utf-8")
        return path

    @classmethod
    def marked_by_a_file(cls):
        """Return a step that imports the discs, in place of the window."""
        marks = SetOfCoordinates.create(str(cls.folder))
        for number, (name, places) in enumerate(cls.truth.items(), 1):
            for x, y in places:
                mark = Coordinate(x=round(x), y=round(y))
                mark.setMicId(number)
                mark.setMicName(name)
                marks.append(mark)
        marks.write()
        marks.close()
        return {
            "object.className": "ProtImportCoordinates",
            "object.id": "3",
            "object.label": "import marks",
            "inputMicrographs": "2.outputMicrographs",
            "importFrom": ProtImportCoordinates.IMPORT_FROM_SCIPION,
            "filesPath": marks.getFileName(),
            "boxSize": BOX,
        }

    def test_it_runs_to_picks_of_all_that_is_there(self):
        self.assertEqual(self.exit_code, 0)
        picked = self.steps["ProtEtPickerPickMicrographs"]
        found = {name: [] for name in self.truth}
        for item in picked.outputCoordinates.iterItems():
            found[item.getMicName()].append(item.getPosition())
        for name, places in self.truth.items():
            away = np.array(found[name])[:, None] - places
            nearest = np.linalg.norm(away, axis=2).min(axis=0)
            self.assertGreater((nearest < 2.5).mean(), 0.9)
            self.assertLessEqual(len(found[name]), DISCS + 2)
        summary = " ".join(picked.summary())
        self.assertIn("picks in 2 micrograph(s), at the nearest pixel", summary)
        self.assertIn("disc", " ".join(picked.methods()))
        scores = scores_by_class(picked)["disc"]
        self.assertEqual(len(scores), picked.outputCoordinates.getSize())
        self.assertGreater(min(scores), 0)

    def test_what_arrives_is_picked_while_the_import_waits_for_more(self):
        template = run_template.find_template("micrographs_streaming")
        fields = {
            "micrographs_path": str(self.folder),
            "micrographs_pattern": "*.mrc",
            "sampling_rate": f"{PIXEL_SIZE:g}",
            "model_file": self.steps["ProtEtPickerTrain"].model.getPath(),
            "timeout": "8s",
        }
        before = {run.getObjId() for run in self.proj.getRuns()}
        filled = run_template.fill_template(template, fields)

        self.assertEqual(run_template.run_workflow(self.proj, filled), 0)

        runs = [run for run in self.proj.getRuns() if run.getObjId() not in before]
        imported, model, picked = sorted(runs, key=lambda run: run.getObjId())
        # What follows the import began while that still waited.
        self.assertLess(model.initTime.datetime(), imported.endTime.datetime())
        arrived = {Path(m.getMicName()).stem for m in imported.outputMicrographs}
        self.assertEqual(set(picked.getPicked()), arrived)
        self.assertIn("mic_a", arrived)

    def test_analyze_results_opens_the_window_on_them(self):
        picked = self.steps["ProtEtPickerPickMicrographs"]
        self.assertIn(type(picked), EtPickerPicksViewer._targets)
        with unittest.mock.patch.object(edit_window, "follow_window") as follow:
            open_picks(None, picked)
        config = follow.call_args.args[1]
        names = [Path(path).name for path in config.tomogram]
        self.assertEqual(names, list(self.truth))
        self.assertEqual(config.diameter, {"disc": DIAMETER})
        self.assertEqual(config.threshold, picked.getThresholds())
        images = tomograms_by_id(picked.inputMicrographs.get()).values()
        shown = [
            (name, *position[:0:-1])
            for name, file, image in zip_strict(names, config.coordinates, images)
            for position in turned_over(
                read_csv(Path(file), tomogram_id="x"), image
            ).positions_zyx
        ]
        self.assertEqual(sorted(shown), places_of(picked.outputCoordinates))

    @needs_relion
    def test_relion_cuts_boxes_that_the_particles_are_the_middle_of(self):
        """By the plugin of RELION, its form pointing at our output of the box."""
        extraction = Domain.importFromPlugin(
            "relion.protocols", "ProtRelionExtractParticles"
        )
        if extraction is None:
            self.skipTest("scipion-em-relion is not installed")
        picked = self.steps["ProtEtPickerPickMicrographs"]
        extracted = self.newProtocol(
            extraction,
            doInvert=False,
            doNormalize=False,
            saveFloat16=False,  # RELION 3.1 knows none
            numberOfMpi=1,
        )
        extracted.inputCoordinates.set(picked)
        extracted.inputCoordinates.setExtended("outputCoordinates")
        extracted.boxSize.setPointer(Pointer(picked, extended="boxsize"))
        # The folder that its plugin takes for RELION, in this process and the run's.
        home = {"RELION_HOME": os.environ["RELIONTOMO_HOME"]}
        variables = Domain.importFromPlugin("relion").Plugin._vars
        there = unittest.mock.patch.dict(os.environ, home)
        here = unittest.mock.patch.dict(variables, home)
        with there, here:
            self.launchProtocol(extracted)

        images = {
            "mic_a.mrc": mrcfile.read(self.folder / "mic_a.mrc"),
            "mic_b.tif": tifffile.imread(self.folder / "mic_b.tif"),
        }
        half, boxes = BOX // 2, []
        for particle in extracted.outputParticles.iterItems():
            index, file = particle.getLocation()
            boxes.append(mrcfile.read(file)[index - 1])
            coordinate = particle.getCoordinate()
            x, y = coordinate.getPosition()
            # Beyond the edge of a micrograph RELION repeats its last pixels.
            image = np.pad(images[coordinate.getMicName()], half, "edge")
            own = image[y : y + BOX, x : x + BOX]
            np.testing.assert_allclose(boxes[-1], own, rtol=1e-4)
        self.assertEqual(len(boxes), picked.outputCoordinates.getSize())
        self.check_centre(np.median(boxes, axis=0))

    def check_centre(self, mean):
        """See the dark disc in the middle of the boxes, to half a pixel."""
        away = np.indices(mean.shape) - BOX // 2
        disc = np.hypot(*away) < 1.2 * DIAMETER / PIXEL_SIZE / 2
        plane = np.stack([np.ones_like(mean), *away], axis=-1)
        ice = plane @ np.linalg.lstsq(plane[~disc], mean[~disc], rcond=None)[0]
        dark = np.where(disc, ice - mean, 0)
        centre = (away * dark).sum(axis=(1, 2)) / dark.sum()
        np.testing.assert_allclose(centre, 0, atol=0.5)
