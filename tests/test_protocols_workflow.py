"""From import to averaging's door: train, pick, evaluate, export, and back."""

import json
from pathlib import Path

import mrcfile
import numpy as np
from etpicker_plugin.protocols import (
    ProtEtPickerEvaluate,
    ProtEtPickerExportCoordinates,
    ProtEtPickerImportModel,
    ProtEtPickerPick,
    ProtEtPickerTrain,
)
from etpicker_plugin.protocols.class_sets import ONE_SET
from etpicker_plugin.protocols.classes import BY_GROUP
from etpicker_plugin.protocols.diameters import suggest_diameters
from pyworkflow.protocol import MODE_RESUME
from tomo.protocols import (
    ProtImportTomograms,
    ProtImportTomomasks,
    ProtMaskCoordinates,
)

from etpicker_plugin.convert import DIAMETERS
from etpicker_plugin.engine.config.convert import FORMATS
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.tests.support.phantoms import PARTICLES, SHAPES_ZYX, VOXEL_SIZE
from etpicker_plugin.tests.support.scipion_project import (
    DIAMETER_WORDS,
    PhantomProject,
    positions_of,
)
from etpicker_plugin.viewers.model_viewers import describe_model
from etpicker_plugin.viewers.training_curves import read_curves
from etpicker_plugin.viewers.viewers import (
    class_diameters,
    class_groups,
    scores_by_class,
)

RELION5 = FORMATS.index("relion5")
BOXES = {"large": 14, "small": 10}


class TestTrainPickEvaluate(PhantomProject):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.trained = cls.run_protocol(
            ProtEtPickerTrain,
            inputTomograms=cls.tomograms,
            inputCoordinates=[
                cls.coordinates.Coordinates3D2,
                cls.coordinates.Coordinates3D,
            ],
            diameter=DIAMETER_WORDS,
            steps=80,
            patchSize=32,
            batchSize=4,
            workingVoxelSize=VOXEL_SIZE,
        )
        cls.picked = cls.run_protocol(
            ProtEtPickerPick,
            inputTomograms=cls.tomograms,
            inputModel=cls.trained.model,
            probabilityMap=True,
        )

    def test_imported_coordinates_are_the_file_s(self):
        for name, output in (("large", "Coordinates3D"), ("small", "Coordinates3D2")):
            imported = getattr(self.coordinates, output)
            self.assertEqual(imported.getObjLabel(), name)
            self.checkCoordinates(
                imported,
                expectedSetSize=len(SHAPES_ZYX) * PARTICLES[name],
                expectedBoxSize=BOXES[name],
                expectedSRate=VOXEL_SIZE,
            )
            expected = sorted(
                (ts_id, row["x"], row["y"], row["z"])
                for ts_id, rows in self.truth.items()
                for row in rows[rows["class"] == name]
            )
            self.check_positions(positions_of(imported), expected)

    def test_model(self):
        model = self.trained.model
        self.assertEqual(model.getClassNames(), ["large", "small"])
        self.assertTrue(model.isUnchanged())
        self.assertIn("140 Å", model.getInfo())
        self.assertEqual(model.getCard().classes[0].diameter_ang, 140.0)
        summary = " ".join(self.trained.summary())
        self.assertRegex(summary, r"large: threshold .*, F1 .* held-out particle")
        self.assertIn("Training ended after 80 steps", summary)
        self.assertIn("all its steps were taken", summary)
        self.assertIn("Nature Communications", " ".join(self.trained.citations()))

    def test_picks_have_class_score_box_and_precedents(self):
        for group, output in ((1, "Coordinates3D"), (2, "Coordinates3D2")):
            picks = getattr(self.picked, output)
            name = ("large", "small")[group - 1]
            self.assertEqual(picks.getObjLabel(), name)
            self.checkCoordinates(
                picks, expectedBoxSize=BOXES[name], expectedSRate=VOXEL_SIZE
            )
            scores = [c.getScore() for c in picks.iterCoordinates()]
            groups = {c.getGroupId() for c in picks.iterCoordinates()}
            self.assertTrue(all(0 < score <= 1 for score in scores))
            self.assertEqual(groups, {group})
        threshold = self.picked.getThresholds()["large"]
        self.assertGreaterEqual(
            min(c.getScore() for c in self.picked.Coordinates3D.iterCoordinates()),
            threshold - 1e-6,
        )

    def test_probability_maps(self):
        for output in ("ProbabilityMaps", "ProbabilityMaps2"):
            self.checkTomoMasks(
                getattr(self.picked, output),
                expectedSetSize=len(SHAPES_ZYX),
                expectedSRate=VOXEL_SIZE,
                expectedDimensions={k: list(s[::-1]) for k, s in SHAPES_ZYX.items()},
            )

    def test_picks_find_the_particles(self):
        evaluated = self.run_protocol(
            ProtEtPickerEvaluate,
            inputPicks=[self.picked.Coordinates3D, self.picked.Coordinates3D2],
            inputTruth=[
                self.coordinates.Coordinates3D,
                self.coordinates.Coordinates3D2,
            ],
            diameter=DIAMETER_WORDS,
        )
        metrics = evaluated.getMetrics()
        self.assertEqual(sorted(metrics), ["large", "small"])
        for name, values in metrics.items():
            self.assertGreater(values["f1"], 0.8, name)
        self.assertTrue(Path(evaluated.getReportFile()).is_file())

    def test_relion5_brings_the_same_positions_scores_and_classes_back(self):
        sets = [self.picked.Coordinates3D, self.picked.Coordinates3D2]
        exported = self.run_protocol(
            ProtEtPickerExportCoordinates, inputCoordinates=sets, outputFormat=RELION5
        )
        (star,) = exported.getExportedFiles()
        again = self.import_coordinates(
            self.tomograms, star.resolve(), inputFormat=RELION5, filesPattern=""
        )
        for before, output in zip_strict(sets, ("Coordinates3D", "Coordinates3D2")):
            after = getattr(again, output)
            self.assertEqual(after.getObjLabel(), before.getObjLabel())
            self.check_positions(positions_of(after), positions_of(before))
            np.testing.assert_allclose(
                sorted(c.getScore() for c in after.iterCoordinates()),
                sorted(c.getScore() for c in before.iterCoordinates()),
                rtol=1e-5,
            )

    def test_mask_protocol_of_tomo_and_region_mask_agree(self):
        masks = self.import_half_masks()
        masked = self.run_protocol(
            ProtMaskCoordinates,
            inputCoordinates=self.picked.Coordinates3D,
            inputSegmentations=masks,
        )
        every = positions_of(self.picked.Coordinates3D)
        kept = [row for row in every if round(row[1]) < 36]
        self.assertEqual(positions_of(masked.Coordinates), kept)
        self.assertTrue(0 < len(kept) < len(every))
        within = self.run_protocol(
            ProtEtPickerPick,
            inputTomograms=self.tomograms,
            inputModel=self.trained.model,
            inputMasks=masks,
            outputSets=ONE_SET,
            classes="large",
        )
        self.check_positions(positions_of(within.Coordinates3D), kept)
        judged = self.newProtocol(
            ProtEtPickerEvaluate,
            inputPicks=[within.Coordinates3D],
            inputTruth=[self.coordinates.Coordinates3D],
            classesFrom=BY_GROUP,
            diameter="large=140",
        )
        self.assertEqual(judged.validate(), [])

    def test_another_origin_of_the_tomograms_moves_no_coordinate(self):
        shifted = self.run_protocol(
            ProtImportTomograms,
            filesPath=str(self.folder),
            filesPattern="*.mrc",
            samplingRate=VOXEL_SIZE,
            setOrigCoord=True,
            x=111.0,
            y=-57.0,
            z=35.0,
        )
        again = self.import_coordinates(shifted.Tomograms, self.folder)
        self.check_positions(
            positions_of(again.Coordinates3D),
            positions_of(self.coordinates.Coordinates3D),
        )

    def test_viewers_show_the_picks_with_the_model_s_diameters(self):
        diameters = {"large": 140.0, "small": 90.0}
        self.assertEqual(class_diameters(self.picked), diameters)
        self.assertEqual(class_groups(self.picked), {"large": 1, "small": 2})
        sets = {"large": self.picked.Coordinates3D, "small": self.picked.Coordinates3D2}
        scores = scores_by_class(self.picked)
        counts = {name: len(values) for name, values in scores.items()}
        self.assertEqual(counts, {name: len(picks) for name, picks in sets.items()})
        text = describe_model(self.trained.model)
        self.assertIn("training TS_a: 6 large, 8 small", text)
        curves = read_curves(Path(self.trained.getProgressFile()))
        self.assertEqual(max(curves.loss), 80)
        self.assertEqual(sorted(curves.class_f1), ["large", "small"])

    def test_wizard_suggests_names_and_diameters_of_the_boxes(self):
        by_set = self.trained.inputCoordinates
        # Told at import: the box of 'small' is 10 voxels of 10 Å.
        self.assertEqual(
            suggest_diameters(by_set, by_group=False), "small=90 large=140"
        )
        for pointer in by_set:
            getattr(pointer.get(), DIAMETERS).set(None)
        self.assertEqual(
            suggest_diameters(by_set, by_group=False), "small=100 large=140"
        )

    def test_a_form_without_diameters_takes_those_that_were_told(self):
        words = self.trained.diameter.get()
        for typed, expected in (
            ("", {"small": 90.0, "large": 140.0}),
            ("large = 150 small=80", {"small": 80.0, "large": 150.0}),
        ):
            self.trained.diameter.set(typed)
            self.assertEqual(self.trained.getDiameters(), expected)
        self.trained.diameter.set("150")
        with self.assertRaisesRegex(ConfigError, "alone, which is .* there are 2"):
            self.trained.getDiameters()
        self.trained.diameter.set(words)

    def test_continue_says_first_what_it_would_discard(self):
        self.trained.runMode.set(MODE_RESUME)
        self.assertNotIn("discards", " ".join(self.trained.warnings()))
        minutes, seed = self.trained.maxMinutes.get(), self.trained.seed.get()
        self.trained.maxMinutes.set(7.5)
        self.assertNotIn("discards", " ".join(self.trained.warnings()))
        self.trained.seed.set(seed + 1)
        self.assertIn(
            f"'Seed' was {seed}, is {seed + 1}. That is another training: 'Continue' "
            "discards the present one",
            " ".join(self.trained.warnings()),
        )
        self.trained.maxMinutes.set(minutes)
        self.trained.seed.set(seed)

    def test_few_marks_taken_for_complete_are_warned_of(self):
        count = len(SHAPES_ZYX) * PARTICLES["large"]
        self.trained.annotation.set(0)
        self.addCleanup(self.trained.annotation.set, 1)
        self.assertIn(
            f"large: {count} centre(s) marked, and the annotation is 'complete'",
            " ".join(self.trained.warnings()),
        )

    def test_model_is_imported_with_its_classes(self):
        imported = self.run_protocol(
            ProtEtPickerImportModel,
            modelFile=str(Path(self.trained.model.getPath()).resolve()),
        )
        self.assertEqual(imported.model.getClassNames(), ["large", "small"])
        self.assertEqual(imported.model.getSha256(), self.trained.model.getSha256())

    def test_the_run_s_configuration_is_kept(self):
        path = Path(self.trained._getExtraPath("train.json"))
        config = json.loads(path.read_text(encoding="utf-8"))
        self.assertEqual(config["diameter"], {"large": 140.0, "small": 90.0})
        self.assertEqual(config["voxel_size"], VOXEL_SIZE)

    def import_half_masks(self):
        """Import masks that are 1 where x < 36."""
        folder = self.folder / "masks"
        folder.mkdir(exist_ok=True)
        for ts_id, shape in SHAPES_ZYX.items():
            mask = np.zeros(shape, dtype=np.int8)
            mask[:, :, :36] = 1
            with mrcfile.new(folder / f"{ts_id}.mrc", overwrite=True) as mrc:
                mrc.set_data(mask)
                mrc.voxel_size = VOXEL_SIZE
        imported = self.run_protocol(
            ProtImportTomomasks,
            inputTomos=self.tomograms,
            filesPath=str(folder),
            filesPattern="*.mrc",
        )
        return imported.tomomasks

    def check_positions(self, found, expected, *, tolerance_vox=0.01):
        self.assertEqual([row[0] for row in found], [row[0] for row in expected])
        np.testing.assert_allclose(
            [row[1:] for row in found],
            [row[1:] for row in expected],
            atol=tolerance_vox,
        )
