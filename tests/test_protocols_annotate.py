"""The annotate protocol in a real project: the window opens, is clicked, is closed."""

import os
import tempfile
import time
import unittest
import unittest.mock
from pathlib import Path

import numpy as np
from etpicker_plugin.protocols import ProtEtPickerAnnotate, ProtEtPickerTrain
from etpicker_plugin.protocols.annotation import (
    ANNOTATION,
    register_annotation,
)
from etpicker_plugin.protocols.class_sets import ONE_SET
from etpicker_plugin.protocols.live_outputs import (
    register_live_model,
    register_live_picks,
)
from pyworkflow.gui import dialog
from pyworkflow.protocol import MODE_RESUME
from pyworkflow.protocol.constants import STATUS_INTERACTIVE

from etpicker_plugin.convert import tomograms_by_id
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.objects import EtPickerModel
from etpicker_plugin.tests.support.clicks import WAIT_S, a_user, can_click, use_window
from etpicker_plugin.tests.support.phantoms import SHAPES_ZYX
from etpicker_plugin.tests.support.scipion_project import (
    DIAMETER_WORDS,
    PhantomProject,
    make_in_engine,
    positions_of,
)
from etpicker_plugin.tests.support.screen import lasting_screen
from etpicker_plugin.tests.support.untrained import make_untrained_model
from etpicker_plugin.viewers.edit_window import edit_marks
from etpicker_plugin.viewers.model_viewers import find_maker
from etpicker_plugin.viewers.viewers import EtPickerPicksViewer
from etpicker_plugin.window.document.session import CLASSES_FILE, LIVE_PICKS
from etpicker_plugin.window.document.settings import Classes
from etpicker_plugin.wizards import thresholds_of

FIRST, SECOND, NOTHING = (500, 300), (640, 430), (430, 480)


@can_click
class TestAnnotate(PhantomProject):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        patch = unittest.mock.patch.dict(os.environ, DISPLAY=lasting_screen())
        patch.start()
        cls.addClassCleanup(patch.stop)

    def run_window(self, protocol, *acts):
        with a_user(use_window, "TS_a", acts):
            self.proj.launchProtocol(protocol, wait=True)
        self.assertFalse(protocol.isFailed(), protocol.getErrorMessage())
        return protocol

    def test_marked_particles_become_coordinates_and_later_edits_new_ones(self):
        protocol = self.newProtocol(
            ProtEtPickerAnnotate,
            inputTomograms=self.tomograms,
            diameter=DIAMETER_WORDS,
        )
        self.assertEqual(protocol.validate(), [])
        self.run_window(
            protocol,
            ("click", FIRST, 1),
            ("key", "2"),
            ("click", SECOND, 1),
            ("key", "0"),
            ("click", NOTHING, 1),
        )
        self.assertEqual(protocol.getStatus(), STATUS_INTERACTIVE)
        large, small = protocol.Coordinates3D, protocol.Coordinates3D2
        self.assertEqual([large.getObjLabel(), small.getObjLabel()], ["large", "small"])
        self.assertEqual([large.getSize(), small.getSize()], [1, 1])
        self.assertEqual([large.getBoxSize(), small.getBoxSize()], [14, 10])
        self.assertEqual(large.getSamplingRate(), 10.0)
        ((name, x, y, z),) = positions_of(large)
        ((_, x2, y2, z2),) = positions_of(small)
        middle = SHAPES_ZYX["TS_a"][0] // 2
        self.assertEqual((name, z, z2), ("TS_a", middle, middle))
        # Both clicks are in the xy view: their distance tells its scale.
        scale = (SECOND[0] - FIRST[0]) / (x2 - x)
        self.assertAlmostEqual((SECOND[1] - FIRST[1]) / (y - y2), scale, delta=0.05)
        self.assertEqual(protocol.Negatives.getSize(), 1)
        self.check_training_input(protocol)

        protocol.runMode.set(MODE_RESUME)
        self.run_window(protocol, ("click", FIRST, 3))
        self.assertEqual([large.getSize(), small.getSize()], [1, 1])
        self.assertEqual(positions_of(protocol.Coordinates3D), [(name, x, y, z)])
        np.testing.assert_allclose(
            positions_of(protocol.Coordinates3D_v2)[0][1:], (x2, y2, z2), atol=1e-3
        )
        self.assertEqual(protocol.Coordinates3D_v2.getObjLabel(), "small [v2: edited]")
        self.assertFalse(hasattr(protocol, "Coordinates3D2_v2"))

    def test_what_live_has_learnt_is_a_model_and_stays_what_it_was(self):
        protocol = self.newProtocol(
            ProtEtPickerAnnotate,
            inputTomograms=self.tomograms,
            diameter=DIAMETER_WORDS,
            outputSets=ONE_SET,
        )
        self.run_window(protocol, ("click", FIRST, 1))
        self.assertFalse(hasattr(protocol, "model"))
        self.check_live_picks(protocol)

        folder = protocol.getWindowFolder() / ANNOTATION
        shas = []
        for seed, name in enumerate(("live_model", "live_model_2")):
            path = folder / f"{name}.safetensors"
            file = make_in_engine(make_untrained_model, path, seed=seed)
            shas.append(file_sha256(file))
            for _ in range(2):  # The window is closed again, with nothing new in it.
                register_live_model(protocol, protocol.getWindowFolder())

        models = dict(protocol.iterOutputAttributes(EtPickerModel))
        self.assertEqual(list(models), ["model", "model_v2"])
        self.assertEqual([m.getSha256() for m in models.values()], shas)
        self.assertTrue(all(m.isUnchanged() for m in models.values()))
        self.assertIn("model_v2", " ".join(protocol._summary()))

    def check_live_picks(self, protocol):
        """They are a set of all tomograms, to go on with, and stay what they were."""
        self.assertFalse(hasattr(protocol, "LivePicks"))
        folder = protocol.getWindowFolder()
        tomograms = tomograms_by_id(self.tomograms)
        live = folder / ANNOTATION / LIVE_PICKS
        live.mkdir()
        for version, score in (("", 0.75), ("_v2", 0.5)):
            for place, name in enumerate(tomograms, 3):
                positions = [[place, 7.5, 9.0], [4.0, 5.0, 6.0]]
                picks = make_particles(
                    name,
                    positions,
                    class_names=["small", "large"],
                    scores=[np.nan, score],
                )
                write_csv(picks, live / f"{name}.csv")
            for _ in range(2):  # Closed again, with nothing new in it.
                register_live_picks(
                    protocol, folder, tomograms, known_groups=protocol.getGroups()
                )
            found = getattr(protocol, f"LivePicks{version}")
            self.assertEqual(found.getSize(), 2 * len(tomograms))
            self.assertEqual(sorted(found.getTSIds()), sorted(tomograms))
            self.assertIn("as found on Live", found.getObjLabel())
            first = {c.getGroupId(): c for c in found.iterCoordinates(tomograms[name])}
            self.assertEqual(sorted(first), sorted(protocol.getGroups().values()))
            self.assertAlmostEqual(
                first[protocol.getGroups()["large"]].getScore(), score, places=5
            )
        self.assertFalse(hasattr(protocol, "LivePicks_v3"))
        self.assertIn("LivePicks_v2: 6", " ".join(protocol._summary()))

    def check_training_input(self, annotated):
        """Particles and negatives stand in one file, each with its class."""
        training = self.newProtocol(
            ProtEtPickerTrain,
            inputTomograms=self.tomograms,
            inputCoordinates=[annotated.Coordinates3D, annotated.Coordinates3D2],
            inputNegatives=[annotated.Negatives],
            diameter=DIAMETER_WORDS,
            annotation=1,
        )
        self.assertEqual(training.validate(), [])
        self.proj.saveProtocol(training)
        training.makePathsAndClean()
        training.convertInputStep("digest")
        csv = Path(training._getExtraPath("coordinates", "TS_a.csv"))
        rows = [line.split(",")[:4] for line in csv.read_text().splitlines()[1:]]
        sets = (annotated.Coordinates3D, annotated.Coordinates3D2, annotated.Negatives)
        self.assertEqual([row[0] for row in rows], ["large", "small", "negative"])
        np.testing.assert_allclose(
            np.array([row[1:] for row in rows], float),
            [positions_of(item)[0][1:] for item in sets],
            atol=1e-3,
        )

    def follow(self, start, *acts):
        """Start the window from Scipion's, use it, and say yes to what is asked."""
        import tkinter

        root = tkinter.Tk()
        root.withdraw()
        asked = []
        answering = unittest.mock.patch.object(
            dialog, "askYesNo", lambda title, *_: asked.append(title) or True
        )
        with a_user(use_window, "TS_a", acts), answering:
            start(root)
            end = time.monotonic() + WAIT_S
            while not asked and time.monotonic() < end:
                root.update()
                time.sleep(0.05)
        root.destroy()
        self.assertEqual(asked, ["Save picks"])

    def test_edits_from_the_viewer_are_a_new_output_and_the_old_stays(self):
        protocol = self.coordinates
        before = positions_of(protocol.Coordinates3D)
        viewer = EtPickerPicksViewer(project=self.proj, protocol=protocol, parent=None)

        def start(root):
            viewer.getTkRoot = lambda: root
            self.assertEqual(viewer._showWindow(), [])

        self.follow(start, ("click", FIRST, 1))
        self.assertEqual(positions_of(protocol.Coordinates3D), before)
        edited = positions_of(protocol.Coordinates3D_v2)
        self.assertEqual(len(edited), len(before) + 1)
        self.assertEqual(protocol.Coordinates3D.getObjLabel(), "large")
        self.assertEqual(protocol.Coordinates3D_v2.getObjLabel(), "large [v2: edited]")
        self.assertEqual(
            protocol.Coordinates3D2_v2.getObjLabel(), "small [v2: unchanged]"
        )
        np.testing.assert_allclose(
            [row[1:] for row in edited if row in before],
            [row[1:] for row in before],
            atol=1e-3,
        )
        reloaded = self.proj.getProtocol(protocol.getObjId())
        self.assertEqual(reloaded.Coordinates3D_v2.getSize(), len(edited))
        self.assertIn("large [v2: edited]", self.choosable_coordinates())

    def choosable_coordinates(self):
        """Return what Scipion's list of objects shows for coordinates."""
        import pyworkflow.gui.project  # noqa: F401  # first: they import one another
        from pyworkflow.gui.form import SubclassesTreeProvider

        self.proj.getRuns(refresh=True)
        training = self.newProtocol(ProtEtPickerTrain)
        provider = SubclassesTreeProvider(
            training, training.getParam("inputCoordinates")
        )
        return [provider.getObjectInfo(o)["text"] for o in provider.getObjects()]

    def test_a_saved_set_says_what_was_done_and_is_known_by_its_class(self):
        protocol = self.newProtocol(
            ProtEtPickerAnnotate,
            inputTomograms=self.tomograms,
            diameter=DIAMETER_WORDS,
        )
        self.proj.saveProtocol(protocol)
        protocol.makePathsAndClean()
        folder = Path(protocol._getExtraPath())
        (folder / ANNOTATION).mkdir()
        first = make_particles(
            "TS_a",
            [(9, 10, 11), (9, 10, 31), (9, 30, 11), (9, 30, 31)],
            class_names=["large", "large", "large", "small"],
            scores=[0.2, 0.5, 0.8, 0.4],
        )
        moved = first.select(np.array([1, 2, 3]))
        moved.positions_zyx[2] += (1, 0, 0)
        write_csv(first, folder / ANNOTATION / "TS_a.start.csv")
        classes = Classes(
            folder / ANNOTATION / CLASSES_FILE, {"large": 140.0, "small": 90.0}
        )
        classes.change("large", threshold=0.31234)
        tomograms = tomograms_by_id(self.tomograms)

        def save(particles):
            write_csv(particles, folder / ANNOTATION / "TS_a.csv")
            outputs = register_annotation(
                protocol, folder, tomograms, known_groups=protocol.getGroups()
            )
            return [item.getObjLabel() for item in outputs.values()]

        self.assertEqual(
            save(moved), ["large [v1: score ≥ 0.312]", "small [v1: edited]"]
        )
        self.assertEqual(
            save(first.select(np.array([2, 3]))),
            ["large [v2: edited, score ≥ 0.312]", "small [v2: unchanged]"],
        )
        protocol.outputSets.set(ONE_SET)
        self.assertEqual(save(moved), ["large, small [v3: edited, large ≥ 0.312]"])
        training = self.newProtocol(
            ProtEtPickerTrain,
            inputTomograms=self.tomograms,
            inputCoordinates=[protocol.Coordinates3D2_v2, protocol.Coordinates3D_v2],
            diameter=DIAMETER_WORDS,
        )
        sources = training._classSources(training.inputCoordinates, ["large", "small"])
        self.assertEqual([class_of(1) for _, class_of in sources], ["small", "large"])

    def test_what_a_model_learnt_from_opens_and_can_be_mended(self):
        training = self.newProtocol(
            ProtEtPickerTrain,
            inputTomograms=self.tomograms,
            inputCoordinates=[self.coordinates.Coordinates3D2],
            diameter="small=90",
        )
        self.proj.saveProtocol(training)
        training.makePathsAndClean()
        model = EtPickerModel(path=training.getModelFile())
        maker = find_maker(self.proj, model)
        self.assertEqual(maker.getObjId(), training.getObjId())
        elsewhere = EtPickerModel(path="Runs/1/extra/model.safetensors")
        self.assertIsNone(find_maker(self.proj, elsewhere))

        self.follow(lambda root: edit_marks(root, training), ("click", FIRST, 1))

        before = positions_of(self.coordinates.Coordinates3D2)
        mended = positions_of(training.Coordinates3D)
        self.assertEqual(training.Coordinates3D.getObjLabel(), "small [v1: edited]")
        self.assertEqual(len(mended), len(before) + 1)
        # What it learnt from is in the form still; the mended marks are for the next.
        self.assertEqual(len(training.inputCoordinates[0].get()), len(before))

    def test_the_cut_offs_of_the_window_become_thresholds(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / ANNOTATION).mkdir()
            classes = Classes(
                folder / ANNOTATION / CLASSES_FILE, {"large": 140.0, "small": 90.0}
            )
            self.assertEqual(thresholds_of(folder), "")
            classes.change("small", threshold=0.4321)
            self.assertEqual(thresholds_of(folder), "small=0.4321")

    def test_a_window_without_a_screen_is_refused_before_it_starts(self):
        display = os.environ.pop("DISPLAY")
        try:
            errors = self.errors_of(
                ProtEtPickerAnnotate,
                inputTomograms=self.tomograms,
                diameter=DIAMETER_WORDS,
            )
        finally:
            os.environ["DISPLAY"] = display
        self.assertIn("ssh -X", errors)

    def test_classes_need_diameters(self):
        errors = self.errors_of(
            ProtEtPickerAnnotate, inputTomograms=self.tomograms, diameter=""
        )
        self.assertIn("Give each class to mark", errors)

    def test_kinds_go_to_the_window_and_a_wrong_one_is_refused(self):
        protocol = self.newProtocol(
            ProtEtPickerAnnotate,
            inputTomograms=self.tomograms,
            diameter="mt=250",
            kind="mt=filament",
        )
        with tempfile.TemporaryDirectory() as folder:
            config = protocol._buildConfig(Path(folder))
        self.assertEqual(config.kind, {"mt": "filament"})
        errors = self.errors_of(
            ProtEtPickerAnnotate,
            inputTomograms=self.tomograms,
            diameter="mt=250",
            kind="mt=tube",
        )
        self.assertIn("expected particle, filament or vesicle", errors)

    def test_points_that_name_no_filament_do_not_open_as_filaments(self):
        outputs = self.coordinates.iterOutputAttributes()
        errors = self.errors_of(
            ProtEtPickerAnnotate,
            inputTomograms=self.tomograms,
            inputCoordinates=[item for _, item in outputs],
            diameter=DIAMETER_WORDS,
            kind="large=filament",
        )
        self.assertIn("'large' do not say which filament each lies on", errors)
