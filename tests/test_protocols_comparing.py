"""Compare pickers in a project: subsets as sets, alarms, and what is refused."""

import numpy as np
from etpicker_plugin.protocols import ProtEtPickerCompare
from pyworkflow.viewer import MessageView

from etpicker_plugin.tests.support.phantoms import PARTICLES, SHAPES_ZYX
from etpicker_plugin.tests.support.scipion_project import PhantomProject, positions_of
from etpicker_plugin.viewers.reports import open_report

LARGE = "large=140"
ALL = len(SHAPES_ZYX) * PARTICLES["large"]


class TestComparePickers(PhantomProject):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls.coordinates.Coordinates3D
        cls.second = cls.import_moved(cls.first, [0.0, 2.0, 0.0])

    @classmethod
    def import_moved(cls, coordinates, shift_xyz):
        """Import the coordinates moved, those of two tomograms only in part."""
        folder = cls.folder / "moved"
        folder.mkdir()
        rows = positions_of(coordinates)
        for number, ts_id in enumerate(SHAPES_ZYX):
            places = [np.add(r[1:], shift_xyz) for r in rows if r[0] == ts_id]
            kept = places[number:]
            lines = [f"large,{x:.3f},{y:.3f},{z:.3f}" for x, y, z in kept]
            text = "\n".join(["class,x,y,z", *lines]) + "\n"
            (folder / f"{ts_id}.csv").write_text(text, encoding="utf-8")
        protocol = cls.import_coordinates(cls.tomograms, folder, diameter=LARGE)
        return protocol.Coordinates3D

    def test_subsets_alarm_scores_and_report(self):
        compared = self.run_protocol(
            ProtEtPickerCompare,
            inputSets=[self.first, self.second],
            inputTruth=self.first,
            setNames="ours theirs",
            diameter=LARGE,
        )
        outputs = compared.getOutputs()
        self.assertEqual(
            {name: s.getSize() for name, s in outputs.items()},
            {
                "Coordinates3D_ours_only": 3,
                "Coordinates3D_ours_and_theirs": ALL - 3,
            },
        )
        alone = positions_of(outputs["Coordinates3D_ours_only"])
        rows = positions_of(self.first)
        names = list(SHAPES_ZYX)
        expected = [
            row
            for number, name in enumerate(names)
            for row in [r for r in rows if r[0] == name][:number]
        ]
        self.assertEqual([r[0] for r in alone], [r[0] for r in expected])
        np.testing.assert_allclose(
            [r[1:] for r in alone], [r[1:] for r in expected], atol=1e-3
        )
        both = outputs["Coordinates3D_ours_and_theirs"]
        self.assertEqual(both.getObjLabel(), "ours∩theirs")
        self.assertEqual(both.getBoxSize(), self.first.getBoxSize())
        summary = " ".join(compared.summary())
        self.assertIn("+2.0 ± 0.0 voxels along y of ours", summary)
        self.assertIn("ours: precision 1.000, recall 1.000", summary)
        with open(compared.getReportFile(), encoding="utf-8") as page:
            self.assertIn("along y of ours", page.read())

    def test_no_report_yet_is_said(self):
        protocol = self.newProtocol(ProtEtPickerCompare)
        views = open_report(self.folder / "none.html", None)
        self.assertIsInstance(views[0], MessageView)
        self.assertEqual(protocol.summary(), ["The sets are not compared yet."])

    def test_what_is_refused(self):
        values = {"inputSets": [self.first, self.second], "diameter": LARGE}
        self.assertIn(
            "for 2 set(s)",
            self.errors_of(ProtEtPickerCompare, **values, setNames="ours"),
        )
        self.assertIn(
            "got 2 classes, expected one",
            self.errors_of(ProtEtPickerCompare, **{**values, "diameter": "a=90 b=80"}),
        )
