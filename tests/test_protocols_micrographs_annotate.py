"""Micrographs marked in the window from Scipion: whole pixels, negatives, live."""

import os
import unittest.mock

import numpy as np
from etpicker_plugin.protocols import ProtEtPickerAnnotate, ProtEtPickerTrain
from etpicker_plugin.protocols.annotation import ANNOTATION
from etpicker_plugin.protocols.class_sets import ONE_SET
from etpicker_plugin.protocols.live_outputs import register_live_picks
from pwem.objects import SetOfCoordinates

from etpicker_plugin.convert import tomograms_by_id
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.clicks import a_user, can_click, use_window
from etpicker_plugin.tests.support.micrograph_project import (
    BOX,
    DISCS,
    SHAPES_YX,
    WORDS,
    MicrographProject,
    places_of,
)
from etpicker_plugin.tests.support.screen import lasting_screen
from etpicker_plugin.viewers.viewers import class_diameters, class_groups
from etpicker_plugin.window.document.session import LIVE_PICKS

FIRST, SECOND, NOTHING = (500, 300), (640, 430), (430, 480)


@can_click
class TestAnnotateMicrographs(MicrographProject):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        patch = unittest.mock.patch.dict(os.environ, DISPLAY=lasting_screen())
        patch.start()
        cls.addClassCleanup(patch.stop)

    def test_marks_become_coordinates_in_whole_pixels(self):
        protocol = self.newProtocol(
            ProtEtPickerAnnotate,
            inputTomograms=self.micrographs,
            diameter=f"{WORDS} other=60",
            outputSets=ONE_SET,
        )
        self.assertEqual(protocol.validate(), [])
        self.assertEqual(
            dict(protocol.iterOutputAttributes(includePossible=True))["Negatives"],
            SetOfCoordinates,
        )
        acts = [("click", FIRST, 1), ("key", "2"), ("click", SECOND, 1)]
        acts += [("key", "0"), ("click", NOTHING, 1)]
        with a_user(use_window, "mic_a", acts):
            self.proj.launchProtocol(protocol, wait=True)
        self.assertFalse(protocol.isFailed(), protocol.getErrorMessage())
        self.check_coordinates(protocol)
        self.check_training(protocol)
        self.check_live_picks(protocol)

    def check_coordinates(self, protocol):
        """Each class has a set: coordinates of micrographs have no group ids."""
        disc, other = protocol.outputCoordinates, protocol.outputCoordinates2
        self.assertEqual([disc.getObjLabel(), other.getObjLabel()], ["disc", "other"])
        self.assertEqual([disc.getBoxSize(), other.getBoxSize()], [BOX, 12])
        ((name, x, y),) = places_of(disc)
        ((_, x2, y2),) = places_of(other)
        self.assertEqual(name, "mic_a.mrc")
        folder = protocol.getWindowFolder() / ANNOTATION
        rows = (folder / "mic_a.csv").read_text(encoding="utf-8").split()[1:]
        marked = {row.split(",")[0]: row.split(",")[1:3] for row in rows}
        for label, place in (("disc", (x, y)), ("other", (x2, y2))):
            exact = np.array(marked[label], float)
            self.assertLessEqual(np.abs(exact - place).max(), 0.5)
        # What is to the right on the screen has the larger x; y is the other axis.
        scale = (SECOND[0] - FIRST[0]) / (x2 - x)
        self.assertAlmostEqual(
            abs(SECOND[1] - FIRST[1]) / abs(y2 - y), scale, delta=0.2
        )
        self.assertEqual(protocol.Negatives.getSize(), 1)
        self.assertEqual(class_diameters(protocol), {"disc": 90.0, "other": 60.0})
        self.assertEqual(class_groups(protocol), {"disc": 1, "other": 2})
        self.assertIn("1 of disc in 1 micrograph(s)", " ".join(protocol._summary()))

    def check_training(self, annotated):
        """What was marked can be learnt from, negatives too."""
        training = self.newProtocol(
            ProtEtPickerTrain,
            inputTomograms=self.micrographs,
            inputCoordinates=[
                annotated.outputCoordinates,
                annotated.outputCoordinates2,
            ],
            inputNegatives=[annotated.Negatives],
            annotation=1,
        )
        self.assertEqual(training.validate(), [])
        self.assertEqual(training.getDiameters(), {"disc": 90.0, "other": 60.0})
        (found,) = training.getMarks().values()
        self.assertEqual(list(found.class_names), ["disc", "other", "negative"])

    def check_live_picks(self, protocol):
        """They are of all micrographs, and keep their scores."""
        folder, images = protocol.getWindowFolder(), tomograms_by_id(self.micrographs)
        live = folder / ANNOTATION / LIVE_PICKS
        live.mkdir()
        for number, name in enumerate(images):
            picks = make_particles(
                name,
                [[0, 20.4, 30.6], [0, 5.5, 100.2]],
                class_names=["disc", "disc"],
                scores=[0.5 + number / 10, np.nan],
            )
            write_csv(picks, live / f"{name}.csv", flat=True)
        for _ in range(2):  # Closed again, with nothing new in it.
            register_live_picks(
                protocol, folder, images, known_groups=protocol.getGroups()
            )
        found = protocol.LivePicks
        self.assertEqual(found.getSize(), 2 * len(DISCS))
        self.assertFalse(hasattr(protocol, "LivePicks_v2"))
        rows = [(c.getMicName(), c.getX(), c.getY()) for c in found.iterCoordinates()]
        self.assertEqual(rows[:2], [("mic_a.mrc", 31, 20), ("mic_a.mrc", 100, 6)])
        # The engine counts TIFF's rows from the last one, Scipion from the first.
        self.assertEqual(
            rows[4], ("mic_c.tif", 31, round(SHAPES_YX["mic_c"][0] - 21.4))
        )
        scores = [c._etpickerScore.get() for c in found.iterCoordinates()]
        np.testing.assert_allclose(scores[::2], [0.5, 0.6, 0.7], rtol=1e-6)
        self.assertEqual(scores[1::2], [None] * 3)
