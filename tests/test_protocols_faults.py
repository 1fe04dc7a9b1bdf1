"""What goes wrong: found before the run, listed and left out, or gone on from."""

import json
import shutil
import time
from pathlib import Path
from unittest import mock

import mrcfile
from etpicker_plugin.protocols import (
    ProtEtPickerEvaluate,
    ProtEtPickerExportCoordinates,
    ProtEtPickerImportCoordinates,
    ProtEtPickerImportModel,
    ProtEtPickerPick,
    ProtEtPickerTrain,
    checks,
)
from etpicker_plugin.protocols.protocol_base import read_engine_error
from pyworkflow.protocol import MODE_RESUME
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from etpicker_plugin import Plugin
from etpicker_plugin.constants import STATE_FILE
from etpicker_plugin.engine.config.convert import FORMATS
from etpicker_plugin.engine.model.card import CARD_KEY
from etpicker_plugin.engine.records import FINISH_FILE
from etpicker_plugin.objects import EtPickerModel
from etpicker_plugin.tests.support.mrc_headers import stored_in, write_mrc
from etpicker_plugin.tests.support.phantoms import DIAMETERS, write_tomogram
from etpicker_plugin.tests.support.scipion_project import (
    DIAMETER_WORDS,
    PhantomProject,
    stop_hard,
    train_model,
)
from etpicker_plugin.viewers.model_viewers import EtPickerTrainViewer


class TestFaults(PhantomProject):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        trained = train_model(
            cls.folder, diameter=DIAMETER_WORDS, working_voxel_size=15.0, steps=2
        )
        cls.model = cls.run_protocol(
            ProtEtPickerImportModel, modelFile=str(trained)
        ).model
        cls.sets = [cls.coordinates.Coordinates3D, cls.coordinates.Coordinates3D2]

    # --------------------------- before the run -------------------------------
    def train_errors(self, **values):
        given = {
            "inputTomograms": self.tomograms,
            "inputCoordinates": self.sets,
            "diameter": DIAMETER_WORDS,
            **values,
        }
        return self.errors_of(ProtEtPickerTrain, **given)

    def test_valid_input_has_no_errors(self):
        self.assertEqual(self.train_errors(), "")

    def test_header_and_set_disagree(self):
        wrong = self.import_tomograms(self.folder, voxel_size=5.0)
        errors = self.train_errors(inputTomograms=wrong)
        self.assertIn("voxel size 10 Å in the header, 5 Å given", errors)
        self.assertIn("10 Å. Use sets of one sampling rate", errors)
        self.assertIn(
            "in the header",
            self.errors_of(
                ProtEtPickerPick, inputTomograms=wrong, inputModel=self.model
            ),
        )

    def test_the_set_s_sampling_rate_overrules_the_header_when_it_is_trusted(self):
        folder = self.folder / "resampled"
        folder.mkdir()
        data = mrcfile.read(self.folder / "TS_a.mrc")
        write_mrc(folder / "TS_a.mrc", data, cell=[5.0 * n for n in data.shape[::-1]])
        tomograms = self.import_tomograms(folder)
        given = {
            "inputTomograms": tomograms,
            "inputModel": self.model,
            "maxPicks": 5,
        }
        errors = self.errors_of(ProtEtPickerPick, **given)
        self.assertIn("5 Å in the header, 10 Å given", errors)
        self.assertIn("'Trust the sampling rate'", errors)
        picked = self.run_protocol(ProtEtPickerPick, trustVoxelSize=True, **given)
        record = json.loads((picked.getPicksFolder() / "TS_a.json").read_text())
        self.assertEqual(record["voxel_size_ang"], 10.0)
        self.assertEqual(picked.Coordinates3D.getSamplingRate(), 10.0)

    def test_a_header_of_one_angstrom_gives_way_to_the_set(self):
        folder = self.folder / "denoised"
        folder.mkdir()
        data = mrcfile.read(self.folder / "TS_a.mrc")
        write_mrc(folder / "TS_a.mrc", data, cell=data.shape[::-1])
        tomograms = self.import_tomograms(folder)
        self.assertEqual(
            self.errors_of(
                ProtEtPickerPick, inputTomograms=tomograms, inputModel=self.model
            ),
            "",
        )

    def test_axes_in_another_order_are_refused_as_scipion_does_not_heed_them(self):
        folder = self.folder / "axes"
        folder.mkdir()
        shutil.copy(self.folder / "TS_b.mrc", folder)
        data = mrcfile.read(self.folder / "TS_a.mrc")
        write_mrc(folder / "TS_a.mrc", stored_in(data, (1, 3, 2)), axes=(1, 3, 2))
        tomograms = self.import_tomograms(folder)
        errors = self.errors_of(
            ProtEtPickerPick, inputTomograms=tomograms, inputModel=self.model
        )
        self.assertIn("TS_a: its file holds the axes in another order", errors)
        self.assertNotIn("TS_b", errors)

    def test_names_that_do_not_match_are_listed(self):
        folder = self.folder / "other_names"
        folder.mkdir()
        shutil.copy(self.folder / "TS_a.mrc", folder / "TS_x.mrc")
        other = self.import_tomograms(folder)
        errors = self.train_errors(inputTomograms=other)
        self.assertIn("TS_x", errors)
        self.assertIn("TS_a, TS_b, TS_c", errors)

    def test_coordinates_outside_the_volume(self):
        folder = self.folder / "cropped"
        folder.mkdir()
        data = mrcfile.read(self.folder / "TS_a.mrc")[:25, :37, :51]
        write_tomogram(folder / "TS_a.mrc", data)
        cropped = self.import_tomograms(folder)
        errors = self.train_errors(inputTomograms=cropped)
        self.assertIn("coordinates lie outside the tomogram", errors)
        self.assertIn("(51, 37, 25)", errors)

    def test_tomograms_without_coordinates_are_warned_of_not_refused(self):
        pattern = "TS_[ab].csv"
        some = self.import_coordinates(
            self.tomograms, self.folder, filesPattern=pattern
        )
        protocol = self.newProtocol(
            ProtEtPickerTrain,
            inputTomograms=self.tomograms,
            inputCoordinates=[some.Coordinates3D, some.Coordinates3D2],
            diameter=DIAMETER_WORDS,
        )
        self.assertEqual(protocol.validate(), [])
        self.assertIn("Not used, without coordinates: TS_c.", protocol.warnings())
        protocol.diameter.set("small=90")
        self.assertEqual(protocol.validate(), [])
        self.assertIn("Left out, without a diameter: large.", protocol.warnings())

    def test_diameters(self):
        table = {
            "other=140": "2 coordinate set(s)",
            "large=140 small=twenty": "expected a number",
            "large=140 small=4": "10 to 5000 Å",
            "large=140 small=20": "2.0 voxels",
            "large=140 small=2000": "200.0 voxels",
        }
        self.assertEqual(self.train_errors(diameter=""), "")  # the sets were told
        for words, message in table.items():
            with self.subTest(words):
                self.assertIn(message, self.train_errors(diameter=words))

    def test_parameters_out_of_range_give_the_engine_s_message(self):
        self.assertIn("'Patch size': got 20", self.train_errors(patchSize=20))
        self.assertIn("TS_q", self.train_errors(validationNames="TS_q"))

    def test_gpu_asked_for_and_absent(self):
        if checks.gpu_present():
            self.skipTest("this machine has a GPU")
        self.assertIn("has no GPU", self.train_errors(useGpu=True))
        errors = self.errors_of(
            ProtEtPickerPick,
            inputTomograms=self.tomograms,
            inputModel=self.model,
            useGpu=True,
        )
        self.assertIn("has no GPU", errors)

    def test_an_engine_s_python_that_is_not_there(self):
        self.assertEqual(checks.check_engine(), [])
        with mock.patch.dict(Plugin.getVars(), ETPICKER_PYTHON="/nonexistent/python"):
            (message,) = checks.check_engine()
        self.assertIn("ETPICKER_PYTHON is /nonexistent/python", message)

    def test_more_gpus_than_tomograms_at_a_time(self):
        given = {"inputTomograms": self.tomograms, "inputModel": self.model}
        for gpus, threads, warned in (("0 1", 2, True), ("0 1", 3, False)):
            protocol = self.newProtocol(
                ProtEtPickerPick,
                useGpu=True,
                gpuList=gpus,
                numberOfThreads=threads,
                **given,
            )
            self.assertEqual("2 GPUs" in " ".join(protocol.warnings()), warned)

    def test_pick_refuses_unknown_classes_and_a_changed_model(self):
        given = {"inputTomograms": self.tomograms, "inputModel": self.model}
        errors = self.errors_of(ProtEtPickerPick, classes="huge", **given)
        self.assertIn("does not know: huge", errors)
        self.assertIn("large, small", errors)
        path = Path(self.model.getPath())
        saved = path.read_bytes()
        try:
            path.write_bytes(saved + b"\0")
            errors = self.errors_of(ProtEtPickerPick, **given)
            self.assertIn("not the one that was registered", errors)
        finally:
            path.write_bytes(saved)

    def test_import_of_what_is_no_model(self):
        errors = self.errors_of(
            ProtEtPickerImportModel, modelFile=str(self.folder / "TS_a.csv")
        )
        self.assertIn("not a readable safetensors file", errors)

    def test_a_model_that_normalised_otherwise(self):
        trained = self.model.getPath()
        with safe_open(trained, framework="numpy") as opened:
            card = json.loads(opened.metadata()[CARD_KEY])
        card["normalisation"] = "another"
        earlier = self.folder / "earlier.safetensors"
        save_file(load_file(trained), earlier, metadata={CARD_KEY: json.dumps(card)})
        errors = self.errors_of(ProtEtPickerImportModel, modelFile=str(earlier))
        self.assertIn("normalised by 'another'", errors)
        errors = self.errors_of(
            ProtEtPickerPick,
            inputTomograms=self.tomograms,
            inputModel=EtPickerModel.fromFile(earlier),
        )
        self.assertIn("normalised by 'another'", errors)

    def test_import_of_coordinates(self):
        given = {"inputTomograms": self.tomograms, "boxSize": 10}
        table = {
            "*.nothing": "No file '*.nothing'",
            "TS_*.mrc": "",
        }
        for pattern, message in table.items():
            errors = self.errors_of(
                ProtEtPickerImportCoordinates,
                filesPath=str(self.folder),
                filesPattern=pattern,
                **given,
            )
            self.assertIn(message, errors)
        relion4 = FORMATS.index("relion4")
        errors = self.errors_of(
            ProtEtPickerImportCoordinates,
            filesPath=str(self.folder / "TS_a.csv"),
            inputFormat=relion4,
            **given,
        )
        self.assertIn("binning", errors)

    def test_engine_s_message_is_the_protocol_s_error(self):
        protocol = self.newProtocol(
            ProtEtPickerImportCoordinates,
            inputTomograms=self.tomograms,
            filesPath=str(self.folder / "TS_a.csv"),
            inputFormat=FORMATS.index("relion5"),
            boxSize=10,
        )
        self.proj.launchProtocol(protocol, wait=True)
        self.assertTrue(protocol.isFailed())
        self.assertIn("TS_a.csv", protocol.getErrorMessage())
        self.assertNotIn("returned non-zero", protocol.getErrorMessage())

    def test_an_engine_that_left_no_message(self):
        error = read_engine_error(Path("/nonexistent"), -9)
        self.assertIn("exit code -9", str(error))

    def test_evaluation_and_export_without_common_tomograms(self):
        folder = self.folder / "single"
        folder.mkdir()
        for suffix in ("mrc", "csv"):
            shutil.copy(self.folder / f"TS_b.{suffix}", folder / f"TS_y.{suffix}")
        other = self.import_coordinates(self.import_tomograms(folder), folder)
        errors = self.errors_of(
            ProtEtPickerEvaluate,
            inputPicks=self.sets,
            inputTruth=[other.Coordinates3D, other.Coordinates3D2],
            diameter=DIAMETER_WORDS,
        )
        self.assertIn("TS_y", errors)
        errors = self.errors_of(
            ProtEtPickerExportCoordinates,
            inputCoordinates=self.sets,
            outputFormat=FORMATS.index("relion4"),
        )
        self.assertIn("binning", errors)

    # --------------------------- while running --------------------------------
    def test_a_broken_tomogram_is_listed_and_left_out(self):
        folder = self.folder / "broken"
        folder.mkdir()
        for name in ("TS_a", "TS_b"):
            shutil.copy(self.folder / f"{name}.mrc", folder / f"{name}.mrc")
        tomograms = self.import_tomograms(folder)
        with (folder / "TS_b.mrc").open("r+b") as stream:
            stream.truncate(5000)
        protocol = self.newProtocol(
            ProtEtPickerPick,
            inputTomograms=tomograms,
            inputModel=self.model,
            maxPicks=5,
        )
        self.assertEqual(protocol.validate(), [])
        self.assertIn("TS_b", " ".join(protocol.warnings()))
        self.launchProtocol(protocol)
        self.assertEqual(protocol.FailedTomograms.getTSIds(), ["TS_b"])
        self.assertEqual(list(protocol.getFailures()), ["TS_b"])
        self.assertIn("Failed: TS_b", " ".join(protocol.summary()))
        self.assertEqual(set(protocol.Coordinates3D.getTSIds()), {"TS_a"})

    def test_continue_after_a_kill_redoes_no_finished_tomogram(self):
        protocol = self.newProtocol(
            ProtEtPickerPick,
            inputTomograms=self.tomograms,
            inputModel=self.model,
            maxPicks=5,
            tomogramsPerJob=1,
        )
        self.proj.launchProtocol(protocol, wait=False)
        first = Path(protocol._getExtraPath("picks", "TS_a.json"))
        last = Path(protocol._getExtraPath("picks", "TS_c.json"))
        self.wait_for(first)
        stop_hard(self.proj, protocol)
        self.assertFalse(last.is_file())
        before = first.stat().st_mtime_ns
        self.proj._updateProtocol(protocol)
        protocol.runMode.set(MODE_RESUME)
        self.launchProtocol(protocol)
        self.assertTrue(last.is_file())
        self.assertEqual(first.stat().st_mtime_ns, before)
        names = set(protocol.Coordinates3D.getTSIds())
        self.assertEqual(names, {"TS_a", "TS_b", "TS_c"})

    def test_continue_after_a_kill_goes_on_with_the_training(self):
        protocol = self.new_training(steps=30)
        self.proj.launchProtocol(protocol, wait=False)
        self.wait_for(Path(protocol._getExtraPath(STATE_FILE)))
        stop_hard(self.proj, protocol)
        self.assertFalse(Path(protocol.getModelFile()).is_file())
        self.proj._updateProtocol(protocol)
        protocol.runMode.set(MODE_RESUME)
        self.launchProtocol(protocol)
        self.assertEqual(protocol.model.getClassNames(), sorted(DIAMETERS))
        steps = [
            record["done"]
            for record in map(json.loads, Path(protocol.getProgressFile()).open())
            if record["stage"] == "training"
        ]
        self.assertEqual(steps.count(1), 1)
        self.assertEqual(max(steps), 30)

    def test_a_training_finished_from_its_viewer_gives_its_best_model(self):
        protocol = self.new_training(steps=5000)
        self.proj.launchProtocol(protocol, wait=False)
        viewer = EtPickerTrainViewer(project=self.proj, protocol=protocol, parent=None)
        viewer.getTkRoot = lambda: None
        end = time.monotonic() + 240
        while "Training: " not in " ".join(protocol.summary()):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.2)
            self.proj._updateProtocol(protocol)
        viewer._finishNow()
        while protocol.isActive():
            self.assertLess(time.monotonic(), end)
            time.sleep(1)
            self.proj._updateProtocol(protocol)
        course = protocol.model.getCard().training
        self.assertEqual(course["stopped_by"], "asked")
        self.assertLess(course["steps"], 5000)
        self.assertIn("it was asked to finish", " ".join(protocol.summary()))
        self.assertFalse(Path(protocol._getExtraPath(FINISH_FILE)).exists())

    def new_training(self, *, steps):
        return self.newProtocol(
            ProtEtPickerTrain,
            inputTomograms=self.tomograms,
            inputCoordinates=self.sets,
            diameter=DIAMETER_WORDS,
            steps=steps,
            patchSize=32,
            batchSize=2,
            workingVoxelSize=15.0,
        )

    def wait_for(self, path, *, seconds=120):
        end = time.monotonic() + seconds
        while not path.is_file():
            if time.monotonic() > end:
                self.fail(f"{path} did not appear within {seconds} s")
            time.sleep(0.1)
