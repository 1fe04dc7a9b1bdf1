"""A model learns a second species in a project, and picks both."""

from pathlib import Path

from etpicker_plugin.protocols import (
    ProtEtPickerPick,
    ProtEtPickerTrain,
    ProtEtPickerUpdate,
)

from etpicker_plugin.tests.support.phantoms import DIAMETERS
from etpicker_plugin.tests.support.scipion_project import PhantomProject

SMALL = {"steps": 60, "patchSize": 32}


class TestUpdate(PhantomProject):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.large = cls.coordinates.Coordinates3D
        cls.small = cls.coordinates.Coordinates3D2
        cls.trained = cls.run_protocol(
            ProtEtPickerTrain,
            inputTomograms=cls.tomograms,
            inputCoordinates=[cls.large],
            diameter="large=140",
            workingVoxelSize=10.0,
            **SMALL,
        )
        cls.updated = cls.run_protocol(
            ProtEtPickerUpdate,
            inputModel=cls.trained.model,
            inputTomograms=cls.tomograms,
            inputCoordinates=[cls.small],
            diameter="small=90",
            **SMALL,
        )

    def test_both_models_are_there_and_know_their_lineage(self):
        model = self.updated.updatedModel
        self.assertEqual(model.getClassNames(), ["large", "small"])
        self.assertEqual(model.getCard().round, 1)
        self.assertEqual(model.getCard().parent_sha256, self.trained.model.getSha256())
        self.assertTrue(self.trained.model.isUnchanged())

    def test_the_recommendation_follows_the_verdict(self):
        forgetting = self.updated.getForgetting()
        self.assertEqual(sorted(forgetting["classes"]), ["large", "small"])
        promoted = forgetting["verdict"] == "promoted"
        wanted = self.updated.updatedModel if promoted else self.trained.model
        self.assertEqual(self.updated.recommendedModel.getSha256(), wanted.getSha256())
        summary = "\n".join(self.updated.summary())
        self.assertIn("Promoted" if promoted else "Kept old", summary)
        self.assertIn("small (new)", summary)
        self.assertTrue(Path(self.updated.getReportFile()).is_file())

    def test_the_graph_joins_the_model_to_its_parent(self):
        children = self.proj.getSourceChilds(self.trained.model)
        names = {child.strId() for child in children}
        self.assertIn(self.updated.updatedModel.strId(), names)

    def test_both_species_are_picked(self):
        picked = self.run_protocol(
            ProtEtPickerPick,
            inputTomograms=self.tomograms,
            inputModel=self.updated.updatedModel,
        )
        for output, name in (("Coordinates3D", "large"), ("Coordinates3D2", "small")):
            picks = getattr(picked, output)
            self.assertEqual(picks.getObjLabel(), name)
            truth = sum((rows["class"] == name).sum() for rows in self.truth.values())
            self.assertGreater(picks.getSize(), truth / 2)

    def test_another_diameter_for_a_known_class_is_refused(self):
        errors = self.errors_of(
            ProtEtPickerUpdate,
            inputModel=self.trained.model,
            inputTomograms=self.tomograms,
            inputCoordinates=[self.large],
            diameter=f"large={DIAMETERS['large'] + 50:g}",
        )
        self.assertIn("knows large with 140", errors)
