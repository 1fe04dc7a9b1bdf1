"""Micrographs in a project: learnt from, updated, judged, compared; what is refused."""

import dataclasses
import os
from pathlib import Path
from unittest import mock

from etpicker_plugin.protocols import (
    ProtEtPickerCompare,
    ProtEtPickerEvaluate,
    ProtEtPickerTrain,
    ProtEtPickerUpdate,
    ProtEtPickerValidate,
    checks,
)
from etpicker_plugin.protocols.classes import BY_GROUP
from etpicker_plugin.protocols.diameters import suggest_diameters
from tomo.objects import SetOfCoordinates3D, SetOfTomograms

from etpicker_plugin.tests.support.micrograph_project import (
    BOX,
    DISCS,
    SHAPES_YX,
    WORDS,
    MicrographProject,
    places_in,
    places_of,
)
from etpicker_plugin.tests.support.micrographs import PIXEL_SIZE

SMALL = {"patchSize": 48, "batchSize": 4, "validationFraction": 0.3}
MOVED_XY = (3, -2)
MISSED = 4


class TestMicrographs(MicrographProject):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.marks = cls.import_places(cls.micrographs, cls.truth, label="disc")
        cls.trained = cls.run_protocol(
            ProtEtPickerTrain,
            inputTomograms=cls.micrographs,
            inputCoordinates=[cls.marks],
            diameter=WORDS,
            fromScratch=True,
            steps=40,
            **SMALL,
        )
        # Another picker: it misses some of one micrograph, and is off, more along x.
        moved = {
            name: [(x + MOVED_XY[0], y + MOVED_XY[1]) for x, y in places]
            for name, places in cls.truth.items()
        }
        cls.found = {**moved, "mic_b": moved["mic_b"][MISSED:]}
        cls.picks = cls.import_places(cls.micrographs, cls.found, label="disc")

    def test_a_model_of_micrographs_is_learnt_from_mrc_and_tiff(self):
        model = self.trained.model
        card = model.getCard()
        self.assertTrue(card.is_flat)
        names = sorted({one.tomogram_id for one in card.tomograms})
        self.assertEqual(names, sorted(DISCS))
        # Of places turned over, or exchanged, nothing would be found again.
        self.assertGreater(card.classes[0].metrics["f1"], 0.9)
        # The engine counts TIFF's rows from the last one, Scipion from the first.
        last = SHAPES_YX["mic_c"][0] - 1
        learnt = Path(self.trained._getExtraPath("coordinates", "mic_c.csv"))
        self.assertEqual(
            sorted(places_in(learnt)),
            sorted((round(x), last - round(y)) for x, y in self.truth["mic_c"]),
        )
        summary = " ".join(self.trained.summary())
        self.assertIn(f"{sum(DISCS.values())} centres in 3 micrograph(s)", summary)
        self.assertIn("3 micrograph(s) with", " ".join(self.trained.methods()))
        children = {c.strId() for c in self.proj.getSourceChilds(self.micrographs)}
        self.assertIn(model.strId(), children)

    def test_an_update_learns_more_of_them(self):
        updated = self.run_protocol(
            ProtEtPickerUpdate,
            inputModel=self.trained.model,
            inputTomograms=self.micrographs,
            inputCoordinates=[self.marks],
            steps=4,
            **SMALL,
        )
        card = updated.updatedModel.getCard()
        self.assertEqual((card.is_flat, card.round), (True, 1))
        self.assertEqual(card.parent_sha256, self.trained.model.getSha256())
        self.assertGreater(updated.getForgetting()["classes"]["disc"]["f1_after"], 0.8)

    def test_picks_are_judged_where_there_is_truth(self):
        values = {"inputPicks": [self.picks], "inputTruth": [self.marks]}
        judged = self.run_protocol(ProtEtPickerEvaluate, **values, diameter=WORDS)
        metrics = judged.getMetrics()["disc"]
        total = sum(DISCS.values())
        self.assertEqual(metrics["n_truth"], total)
        self.assertEqual(metrics["precision"], 1.0)
        self.assertAlmostEqual(metrics["recall"], 1 - MISSED / total)
        self.assertEqual(metrics["mean_offset_voxels_xyz"], [*MOVED_XY, 0.0])

    def test_pickers_are_compared_and_their_subsets_keep_whole_pixels(self):
        compared = self.run_protocol(
            ProtEtPickerCompare,
            inputSets=[self.marks, self.picks],
            setNames="human other",
            diameter=WORDS,
        )
        outputs = compared.getOutputs()
        sizes = {name: item.getSize() for name, item in outputs.items()}
        both = "outputCoordinates_human_and_other"
        alone = "outputCoordinates_human_only"
        total = sum(DISCS.values())
        self.assertEqual(sizes, {both: total - MISSED, alone: MISSED})
        missed = [
            ("mic_b.mrc", round(x), round(y)) for x, y in self.truth["mic_b"][:MISSED]
        ]
        self.assertEqual(places_of(outputs[alone]), sorted(missed))
        self.assertEqual(outputs[alone].getBoxSize(), BOX)
        ids = {m.getMicName(): m.getObjId() for m in self.micrographs}
        for item in outputs[alone].iterCoordinates():
            self.assertEqual(item.getMicId(), ids[item.getMicName()])
        summary = " ".join(compared.summary())
        self.assertRegex(summary, r"\+3\.\d ± .* along x")

    def test_picks_are_validated_where_there_is_no_relion(self):
        values = {
            "inputSets": [self.marks, self.picks],
            "setNames": "human other",
            "diameter": WORDS,
            "resamples": 200,
        }
        self.assertIn(
            "Tilt range: it is of tomograms",
            self.errors_of(ProtEtPickerValidate, **values, tiltRange="-60 60"),
        )
        nowhere = {"ETPICKER_RELION_HOME": str(self.folder)}
        with mock.patch.dict(os.environ, nowhere):
            asked = self.newProtocol(ProtEtPickerValidate, **values)
            self.assertIn("not by 2D classes", " ".join(asked.warnings()))
            judged = self.run_protocol(ProtEtPickerValidate, **values)
        verdict = judged.getVerdict()
        self.assertEqual(verdict["ranked_by"], "profiles")
        self.assertEqual(verdict["ranking"], ["human", "other", "control"])
        self.assertEqual(verdict["sets"]["human"]["n"], sum(DISCS.values()))
        self.assertIn("+3.", " ".join(verdict["alarms"]))
        self.assertIn("rotational means", " ".join(judged.methods()))
        self.assertTrue(Path(judged.getReportFile()).is_file())

    def test_the_wand_knows_the_diameter_of_a_box(self):
        words = suggest_diameters(self.trained.inputCoordinates, by_group=False)
        self.assertEqual(words, f"disc={BOX * PIXEL_SIZE:g}")

    def test_scipion_offers_micrographs_and_their_coordinates(self):
        import pyworkflow.gui.project  # noqa: F401  # first: they import one another
        from pyworkflow.gui.form import SubclassesTreeProvider

        self.proj.getRuns(refresh=True)
        training = self.newProtocol(ProtEtPickerTrain)
        for name, wanted in (
            ("inputTomograms", self.micrographs),
            ("inputCoordinates", self.marks),
        ):
            provider = SubclassesTreeProvider(training, training.getParam(name))
            offered = [pointer.get().strId() for pointer in provider.getObjects()]
            self.assertIn(wanted.strId(), offered)

    def test_two_kinds_are_never_mixed(self):
        tomograms, coordinates = SetOfTomograms(), SetOfCoordinates3D()
        self.assertIn(
            "These are micrographs, but the coordinates 'other' are of tomograms",
            self.refused(inputCoordinates=[self.marks, labelled(coordinates, "other")]),
        )
        self.assertIn(
            "These are tomograms, but the coordinates 'disc' are of micrographs",
            self.refused(inputTomograms=tomograms),
        )
        self.assertIn(
            "the negatives 'no' are of tomograms",
            self.refused(inputNegatives=[labelled(coordinates, "no")]),
        )
        for protocol, names in (
            (ProtEtPickerEvaluate, ("inputPicks", "inputTruth")),
            (ProtEtPickerCompare, ("inputSets", "inputSets")),
        ):
            sets = [self.marks, labelled(coordinates, "other")]
            values = {names[0]: sets[:1], names[1]: sets[1:]}
            if names[0] == names[1]:
                values = {names[0]: sets}
            self.assertIn(
                "are of tomograms", self.errors_of(protocol, **values, diameter=WORDS)
            )

    def test_what_does_not_fit_is_refused(self):
        self.assertIn("Choose 'one class per set'", self.refused(classesFrom=BY_GROUP))
        self.assertIn("less than that side", self.refused(diameter="disc=5000"))
        binned = self.import_micrographs(self.folder, pixel_size=2 * PIXEL_SIZE)
        said = self.refused(inputTomograms=binned)
        self.assertIn("have 10 Å per voxel, the coordinates 'disc' 5 Å", said)
        self.assertIn("mic_a: Tomogram", said)
        self.assertNotIn("mic_c", said)  # TIFF says nothing of it.

    def test_a_model_of_the_other_kind_is_refused(self):
        card = dataclasses.replace(self.trained.model.getCard(), network="fast")
        (said,) = checks.check_model_kind(card, self.micrographs)
        self.assertIn("learnt from tomograms, and these are micrographs", said)
        card = self.trained.model.getCard()
        self.assertEqual(checks.check_model_kind(card, self.micrographs), [])

    def refused(self, **values):
        known = {
            "inputTomograms": self.micrographs,
            "inputCoordinates": [self.marks],
            "diameter": WORDS,
        }
        return self.errors_of(ProtEtPickerTrain, **{**known, **values})


def labelled(item, label):
    """Return a set with that label."""
    item.setObjLabel(label)
    return item
