"""Filaments and vesicles in a project: learnt, picked, cut and averaged as they lie."""

import json
import os
import shutil
import tempfile
import unittest
from collections import Counter
from pathlib import Path
from unittest import mock

import mrcfile
import numpy as np
from etpicker_plugin.protocols import (
    ProtEtPickerEvaluate,
    ProtEtPickerExportCoordinates,
    ProtEtPickerPick,
    ProtEtPickerTrain,
    ProtEtPickerValidate,
)
from etpicker_plugin.protocols.annotation import prepare_window, register_annotation
from etpicker_plugin.protocols.checks import check_relion
from pyworkflow.tests import setupTestProject
from scipy.spatial import cKDTree
from tomo.constants import BOTTOM_LEFT_CORNER

from etpicker_plugin import relion_tomo, run_template
from etpicker_plugin.convert_kinds import told_kind
from etpicker_plugin.convert_subtomograms import write_boxes
from etpicker_plugin.engine.config.average import TASKS
from etpicker_plugin.engine.config.convert import FORMATS
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.orientation import from_relion_angles
from etpicker_plugin.engine.relion.read import read_particles
from etpicker_plugin.tests.support.clicked import mark, pixels_of
from etpicker_plugin.tests.support.clicks import a_user
from etpicker_plugin.tests.support.curved import (
    COUNT,
    DIAMETERS,
    KINDS,
    VOXEL_SIZE,
    make_curved,
)
from etpicker_plugin.tests.support.scipion_project import PhantomProject, make_in_engine
from etpicker_plugin.tests.support.screen import lasting_screen
from etpicker_plugin.tests.test_protocols_average import needs_relion
from etpicker_plugin.window.document.session import Session

CLASSES = " ".join(f"{name}={ang:g}" for name, ang in DIAMETERS.items())
TILTS = "-60 60"
QUICK = {
    "ProtEtPickerTrain": {
        "kind": "",  # the sets say it
        "instant": True,
        "workingVoxelSize": VOXEL_SIZE,
    },
    "ProtEtPickerPick": {"instanceMasks": True},
    "ProtEtPickerAverage": {
        "task": TASKS.index("classify"),
        "iterations": 2,
        "angularStep": 0,
        "offsetRange": VOXEL_SIZE,
    },
}
"""What a test changes in the templates' forms: little work."""


@needs_relion
@unittest.skipUnless(
    shutil.which("Xvfb") and shutil.which("xdotool"), "Xvfb or xdotool is not installed"
)
class ClickedProject(PhantomProject):
    """A project that a template makes, while somebody marks TS_01 in the window."""

    template = ""
    surface_step = "liposome=200"

    @classmethod
    def setUpClass(cls):
        patch = mock.patch.dict(os.environ, DISPLAY=lasting_screen())
        patch.start()
        cls.addClassCleanup(patch.stop)
        setupTestProject(cls)
        cls.folder = Path(tempfile.mkdtemp(prefix="etpicker_curved_"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        make_in_engine(make_curved, cls.folder)
        cls.truth = {
            name: read_csv(cls.folder / f"{name}.csv", tomogram_id=name)
            for name in ("TS_01", "TS_02")
        }
        with a_user(mark, "TS_01", *cls.strokes_and_pixels()):
            cls.exit_code = run_template.run_workflow(cls.proj, cls.fill_template())
        cls.steps = {run.getClassName(): run for run in cls.proj.getRuns()}
        cls.annotated = cls.steps["ProtEtPickerAnnotate"]
        cls.picked = cls.steps["ProtEtPickerPick"]

    @classmethod
    def strokes_and_pixels(cls):
        """Return what is drawn: each class's, with its key and the tool's before it."""
        strokes = cls.strokes()
        out = cls.folder / "pixels"
        out.mkdir()
        pixels = pixels_of(
            [place for _, _, places in strokes for place in places],
            tomogram=[str(cls.folder / f"{name}.mrc") for name in cls.truth],
            diameter={name: DIAMETERS[name] for name in cls.classes},
            kind={name: KINDS[name] for name in cls.classes},
            out=str(out),
        )
        return strokes, pixels

    @classmethod
    def fill_template(cls):
        """Return the template's workflow, quickened."""
        template = run_template.find_template(cls.template)
        fields = {
            "tomograms_path": str(cls.folder),
            "voxel_size": f"{VOXEL_SIZE:g}",
            "diameter": " ".join(f"{n}={DIAMETERS[n]:g}" for n in cls.classes),
            "kind": " ".join(f"{n}={KINDS[n]}" for n in cls.classes),
            "tilt_range": TILTS,
        }
        path = Path(run_template.fill_template(template, fields))
        workflow = json.loads(path.read_text(encoding="utf-8"))
        for step in workflow:
            step.update(QUICK.get(step["object.className"], {}))
            if step["object.className"] == "ProtEtPickerTrain":
                step["inputCoordinates"] = list(cls.marked)
            if step["object.className"] == "ProtEtPickerPick":
                step["surfaceStep"] = cls.surface_step
        path.write_text(json.dumps(workflow), encoding="utf-8")
        return path

    @classmethod
    def course(cls, name):
        """Return the slice of a true filament, which is level, and places along it."""
        truth = cls.truth["TS_01"]
        points = truth.positions_zyx[truth.optional["filament"] == name]
        inner = points[4:-4]
        chosen = inner[np.linspace(0, len(inner) - 1, 5).astype(int)]
        return round(float(points[:, 0].mean())), chosen[:, ::-1][:, :2].tolist()

    @classmethod
    def rim(cls):
        """Return the slice of a true vesicle's centre, and places on its membrane.

        A face cuts it on its right.
        """
        vesicles = cls.truth["TS_01"].of_class("liposome")
        (z, y, x), radius = vesicles.positions_zyx[0], vesicles.optional["radius"][0]
        radius /= VOXEL_SIZE
        around = [(x, y - radius), (x - radius, y), (x, y + radius)]
        return round(float(z)), around


class TestCurved(ClickedProject):
    """Filaments and vesicles beside them, to the average of the filaments."""

    template = "filaments"
    classes = ("mt", "liposome")
    marked = ("3.Coordinates3D", "3.Coordinates3D2")

    @classmethod
    def strokes(cls):
        return [
            (("1",), *cls.course("mt_1")),
            ((), *cls.course("mt_2")),
            (("2", "o"), *cls.rim()),
        ]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.imported = cls.import_coordinates(
            cls.annotated.inputTomograms.get(),
            cls.folder,
            diameter=CLASSES,
            kind="liposome=vesicle",  # the file names filaments
        )

    def picks(self, ts_id, name):
        csv = self.picked.getPicksFile(ts_id)
        return read_csv(csv, tomogram_id=ts_id).of_class(name)

    # what the sets say ------------------------------------------------------------

    def test_the_template_runs_to_the_average(self):
        self.assertEqual(self.exit_code, 0)
        filaments, vesicles = (
            self.annotated.Coordinates3D,
            self.annotated.Coordinates3D2,
        )
        groups = [c.getGroupId() for c in filaments.iterCoordinates()]
        self.assertEqual(groups, [1] * 5 + [2] * 5)
        truth = self.truth["TS_01"]
        found = [c.getPosition(BOTTOM_LEFT_CORNER) for c in filaments.iterCoordinates()]
        distances, _ = cKDTree(truth.of_class("mt").positions_zyx).query(
            np.array(found)[:, ::-1]
        )
        self.assertLess(distances.max(), 2.0)
        (vesicle,) = [c.clone() for c in vesicles.iterCoordinates()]
        true = truth.of_class("liposome")
        np.testing.assert_allclose(
            vesicle.getPosition(BOTTOM_LEFT_CORNER)[::-1], true.positions_zyx[0], atol=1
        )
        card = self.steps["ProtEtPickerTrain"].model.getCard()
        kinds = {one.name: one.kind for one in card.classes}
        self.assertEqual(kinds, {"mt": "filament", "liposome": "vesicle"})

    def test_each_class_has_a_set_that_says_what_it_holds(self):
        for protocol in (self.imported, self.picked):
            again = self.proj.getProtocol(protocol.getObjId())
            for output, name, kind in (
                ("Coordinates3D", "mt", "filament"),
                ("Coordinates3D2", "liposome", "vesicle"),
            ):
                coordinates = getattr(again, output)
                self.assertEqual(coordinates.getObjLabel(), name)
                self.assertEqual(told_kind(coordinates), kind)
        marked = Counter(
            (c.getTomoId(), c.getGroupId())
            for c in self.imported.Coordinates3D.iterCoordinates()
        )
        wanted = [(t, n) for t in ("TS_01", "TS_02") for n in range(1, COUNT + 1)]
        self.assertEqual(sorted(marked), wanted)

    def test_group_ids_are_the_filaments_that_were_picked(self):
        found = {}
        for item in self.picked.Coordinates3D.iterCoordinates():
            found.setdefault(item.getTomoId(), []).append(f"mt_{item.getGroupId()}")
        self.assertEqual(sorted(found), ["TS_01", "TS_02"])
        for ts_id, ids in found.items():
            written = self.picks(ts_id, "mt").optional["filament"].tolist()
            self.assertEqual(ids, written)

    def test_truth_and_picks_are_judged_as_what_they_are(self):
        judged = self.newProtocol(
            ProtEtPickerEvaluate,
            inputPicks=[self.picked.Coordinates3D, self.picked.Coordinates3D2],
            inputTruth=[self.imported.Coordinates3D, self.imported.Coordinates3D2],
            diameter=CLASSES,
        )
        self.assertEqual(judged.validate(), [])
        kinds = {"mt": "filament", "liposome": "vesicle"}
        self.assertEqual(judged._buildConfig().kind, kinds)
        truth = judged._readTruth()["TS_01"]
        mt = set(truth.of_class("mt").optional["filament"])
        self.assertEqual(mt, {"mt_1", "mt_2"})
        vesicles = truth.of_class("liposome")
        self.assertTrue((vesicles.optional["radius"] > 100).all())

    def test_a_verdict_takes_filaments_vesicles_and_their_membranes(self):
        for output, name, kind, column in (
            ("Coordinates3D", "mt", "filament", "filament"),
            ("Coordinates3D2", "liposome", "vesicle", "radius"),
            ("Meshes", "liposome", "vesicle", "vesicle"),
        ):
            judged = self.newProtocol(
                ProtEtPickerValidate,
                inputSets=[getattr(self.picked, output)],
                setNames="ours",
                diameter=f"{name}={DIAMETERS[name]:g}",
                tiltRange=TILTS,
            )
            self.assertEqual(judged._findErrors(), check_relion(judged))
            config = judged._buildConfig()
            self.assertEqual(config.kind, {name: kind})
            judged.makePathsAndClean()
            judged._writeSets(name, kinds=config.kind)
            csv = Path(config.picks["ours"]) / "TS_01.csv"
            written = read_csv(csv, tomogram_id="TS_01")
            self.assertIn(column, written.optional)
            self.assertIn(
                "rotation" if column != "radius" else column, written.optional
            )
        errors = self.errors_of(
            ProtEtPickerValidate,
            inputSets=[self.picked.Coordinates3D],
            diameter="mt=250",
            kind="mt=vesicle",
            tiltRange=TILTS,
        )
        self.assertIn("say that they are of the kind 'filament'", errors)

    def test_what_contradicts_the_sets_is_refused(self):
        errors = self.errors_of(
            ProtEtPickerTrain,
            inputTomograms=self.imported.inputTomograms.get(),
            inputCoordinates=[self.imported.Coordinates3D2],
            diameter="liposome=700",
            kind="liposome=filament",
        )
        self.assertIn("say that they are of the kind 'vesicle'", errors)
        errors = self.errors_of(
            ProtEtPickerPick,
            inputTomograms=self.imported.inputTomograms.get(),
            inputModel=self.steps["ProtEtPickerTrain"].model,
            surfaceStep="mt=100",
        )
        self.assertIn("the model has no vesicles of the name mt", errors)

    def test_export_names_filaments_and_vesicles(self):
        exported = self.newProtocol(
            ProtEtPickerExportCoordinates,
            inputCoordinates=[self.picked.Coordinates3D2, self.picked.Coordinates3D],
        )
        self.assertEqual(exported.validate(), [])
        found = exported._readParticles()["TS_01"]
        ids = set(found.of_class("mt").optional["filament"])
        self.assertEqual(ids, set(self.picks("TS_01", "mt").optional["filament"]))
        names = found.of_class("liposome").optional["vesicle"].tolist()
        self.assertEqual(
            names, self.picks("TS_01", "liposome").optional["vesicle"].tolist()
        )

    # surfaces ---------------------------------------------------------------------

    def test_meshes_have_the_vesicle_s_number_and_its_normal(self):
        vesicles = {
            (item.getTomoId(), item.getGroupId()): item.getPosition(BOTTOM_LEFT_CORNER)
            for item in self.picked.Coordinates3D2.iterCoordinates()
        }
        meshes = self.picked.Meshes
        self.assertEqual(told_kind(meshes), "surface")
        self.assertEqual(meshes.getNumberOfMeshes(), len(vesicles))
        self.assertGreater(len(meshes), 50)
        outward = []
        for point in meshes.iterCoordinates():
            centre = vesicles[point.getTomoId(), point.getGroupId()]
            way = np.subtract(point.getPosition(BOTTOM_LEFT_CORNER), centre)
            # Scipion's matrix turns the tomogram's axes into the reference's.
            normal = np.linalg.inv(np.array(point.getMatrix())[:3, :3]) @ [0, 0, 1]
            outward.append(way @ normal / np.linalg.norm(way))
        self.assertGreater(min(outward), 0.9)  # vesicles are nearly round

    def test_masks_of_instances_are_numbered_as_the_vesicles(self):
        masks = self.picked.InstanceMasks
        self.assertEqual(sorted(masks.getTSIds()), ["TS_01", "TS_02"])
        mask = mrcfile.read(masks[{"_tsId": "TS_01"}].getFileName())
        for item in self.picked.Coordinates3D2.iterCoordinates():
            if item.getTomoId() == "TS_01":
                x, y, z = (round(v) for v in item.getPosition(BOTTOM_LEFT_CORNER))
                name = f"liposome_{item.getGroupId()}"
                rows = read_csv(
                    self.picked.getPicksFile("TS_01"), tomogram_id="TS_01"
                ).optional["vesicle"]
                vesicles = [n for n in rows.tolist() if n]
                self.assertEqual(mask[z, y, x], vesicles.index(name) + 1)

    def test_picks_that_are_changed_stay_what_they_are(self):
        folder = Path(self.picked._getExtraPath("window"))
        tomograms = self.picked._images()
        particles = {
            "TS_01": read_csv(self.picked.getPicksFile("TS_01"), tomogram_id="TS_01")
        }
        config = prepare_window(
            folder, tomograms, particles, diameters=self.picked.getDiameters()
        )
        Path(config.out).mkdir()
        session = Session(config, Path(config.out))
        document = session.documents[0]
        document.journal.apply(document.journal.annotation.deleting([0]))
        session.close()
        made = register_annotation(
            self.picked, folder, tomograms, known_groups=self.picked.getGroups()
        )
        kinds = {
            item.getObjLabel().split()[0]: told_kind(item) for item in made.values()
        }
        self.assertEqual(kinds, {"mt": "filament", "liposome": "vesicle"})
        self.assertEqual(sorted(made), ["Coordinates3D2_v2", "Coordinates3D_v2"])

    # boxes ------------------------------------------------------------------------

    def test_boxes_along_filaments_are_averaged_as_tubes(self):
        averaged = self.steps["ProtEtPickerAverage"]
        (command,) = [c for c in averaged.getRecord()["commands"] if "--K 1" in c]
        self.assertIn("--sigma_tilt 10 --sigma_psi 10 --helix", command)
        self.assertIn("--helical_outer_diameter 275", command)
        written, _ = read_particles(Path(averaged._getExtraPath("particles.star")))
        cut, _ = read_particles(self.steps["ProtEtPickerExtract"].getStarFile())
        self.assertEqual(len(written), len(cut))
        keys = ["rlnMicrographName", *(f"rlnCoordinate{a}" for a in "XYZ")]
        written, cut = (t.sort_values(keys).reset_index() for t in (written, cut))
        for same in ("rlnHelicalTubeID", "rlnHelicalTrackLengthAngst"):
            np.testing.assert_allclose(written[same], cut[same], atol=0.1)
        angles = ["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"]
        before, after = (from_relion_angles(t[angles]) for t in (cut, written))
        np.testing.assert_allclose(after, before, atol=1e-4)


class TestVesicles(ClickedProject):
    """The template of vesicles, to the average of what is on their membranes."""

    template = "vesicles"
    surface_step = "liposome=400"
    classes = ("liposome",)
    marked = ("3.Coordinates3D",)

    @classmethod
    def strokes(cls):
        return [(("1", "o"), *cls.rim())]

    def test_boxes_on_membranes_have_priors(self):
        extracted = self.steps["ProtEtPickerExtract"]
        cut, _ = read_particles(extracted.getStarFile())
        np.testing.assert_array_equal(cut["rlnAngleTiltPrior"], cut["rlnAngleTilt"])
        star = self.folder / "again.star"
        write_boxes(extracted.SubTomograms, star)
        again, _ = read_particles(star)
        self.assertEqual(len(again), len(cut))
        key = "rlnCoordinateX"
        np.testing.assert_allclose(
            again.sort_values(key)["rlnAngleTiltPrior"],
            cut.sort_values(key)["rlnAngleTiltPrior"],
            atol=1e-3,
        )
        if relion_tomo.is_installed():
            handed = extracted.PseudoSubtomograms.getFirstItem()
            first = self.first_row(cut, extracted.SubTomograms.getFirstItem())
            self.assertAlmostEqual(handed.getTiltPrior(), first.rlnAngleTilt, 2)

    def first_row(self, table, item):
        name = Path(item.getFileName()).name
        rows = [r for r in table.itertuples() if Path(r.rlnImageName).name == name]
        return next(r for r in rows if item.getVolName() in r.rlnMicrographName)

    def test_the_template_runs_to_the_average(self):
        self.assertEqual(self.exit_code, 0)
        self.assertGreater(self.picked.Coordinates3D.getSize(), 0)
        averaged = self.steps["ProtEtPickerAverage"]
        (command,) = [c for c in averaged.getRecord()["commands"] if "--K 1" in c]
        self.assertIn("--sigma_tilt 10 --sigma_psi 10", command)
        self.assertNotIn("--helix", command)
        written, _ = read_particles(Path(averaged._getExtraPath("particles.star")))
        cut, _ = read_particles(self.steps["ProtEtPickerExtract"].getStarFile())
        self.assertEqual(len(written), len(cut))

    def test_picked_vesicles_are_exported_with_their_form(self):
        exported = self.run_protocol(
            ProtEtPickerExportCoordinates,
            inputCoordinates=[self.picked.Coordinates3D],
            outputFormat=FORMATS.index("csv"),
        )
        found = [
            read_csv(Path(p), tomogram_id=Path(p).stem)
            for p in exported.getExportedFiles()
        ]
        self.assertEqual(sum(map(len, found)), self.picked.Coordinates3D.getSize())
        self.assertTrue(all((p.optional["half_axes"] > 100).all() for p in found))
