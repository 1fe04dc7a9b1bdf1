"""Micrographs picked while they arrive, through a kill; and whom the picks suit."""

from collections import Counter

import mrcfile
import numpy as np
import tifffile
from etpicker_plugin.protocols import (
    ProtEtPickerImportModel,
    ProtEtPickerPick,
    ProtEtPickerPickMicrographs,
)
from pwem.protocols import ProtImportMicrographs

from etpicker_plugin.convert import told_diameters
from etpicker_plugin.convert_kinds import told_kind
from etpicker_plugin.convert_micrographs import (
    SCORE,
    micrographs_by_name,
    turned_over,
)
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.objects import EtPickerModel
from etpicker_plugin.tests.support.micrographs import (
    DIAMETER,
    PIXEL_SIZE,
    make_instant_model,
    make_micrograph,
    write_micrograph,
)
from etpicker_plugin.tests.support.scipion_project import make_in_engine, stop_hard
from etpicker_plugin.tests.support.stream_producer import Producer
from etpicker_plugin.tests.support.untrained import make_untrained_model
from etpicker_plugin.tests.test_protocols_streaming import StreamingProject

SIZES_YX = {"mic_a": (301, 389), "mic_b": (263, 351), "mic_c": (307, 269)}
BOX = 18
"""A disc's diameter in pixels, an even number already."""


class TestPickMicrographs(StreamingProject):
    @classmethod
    def import_model(cls, *, seed):
        """Learn from the first micrograph, at once."""
        cls.truth = {
            name: make_micrograph(cls.home / f"{name}.mrc", size, 30, seed=i)
            for i, (name, size) in enumerate(SIZES_YX.items())
        }
        file = make_in_engine(make_instant_model, cls.home / "mic_a.mrc")
        model = file.parent / "model" / "model.safetensors"
        imported = cls.newProtocol(ProtEtPickerImportModel, modelFile=str(model))
        cls.launchProtocol(imported)
        return imported.model

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = cls.newProtocol(
            ProtImportMicrographs,
            filesPath=str(cls.home),
            filesPattern="mic_a.mrc",
            samplingRate=PIXEL_SIZE,
        )
        cls.launchProtocol(cls.source)

    def make_producer(self):
        return Producer(self.proj, self.source, "outputMicrographs")

    def make_pick(self, **values):
        given = {"inputModel": self.model, "streamingSleepOnWait": 1, "binThreads": 1}
        protocol = self.newProtocol(ProtEtPickerPickMicrographs, **{**given, **values})
        protocol.inputMicrographs.set(self.source)
        protocol.inputMicrographs.setExtended("outputMicrographs")
        return protocol

    def counts(self, protocol, output="outputCoordinates"):
        coordinates = getattr(protocol, output)
        coordinates.load()
        return Counter(c.getMicName() for c in coordinates.iterItems())

    def test_micrographs_are_picked_as_they_arrive_and_after_a_kill(self):
        as_tiff = self.folder / "mic_b.tif"
        tifffile.imwrite(as_tiff, mrcfile.read(self.home / "mic_b.mrc"))
        empty, broken = (self.folder / f"{name}.mrc" for name in ("empty", "broken"))
        make_micrograph(empty, (263, 351), 0, seed=7)
        write_micrograph(broken, np.full((99, 120), 3.0), pixel_size=PIXEL_SIZE)
        producer = self.make_producer()
        protocol = self.make_pick()
        self.start(protocol)

        self.wait_until(lambda: self.picked(protocol) == {"mic_a"}, "mic_a")
        # A name as motion correction leaves it, of the movie.
        producer.send([("mic_b.eer", as_tiff), ("empty.mrc", empty)])
        self.wait_until(lambda: "mic_b" in self.picked(protocol), "mic_b")
        stop_hard(self.proj, protocol)
        producer.send([("broken.mrc", broken), ("mic_c.mrc", self.home / "mic_c.mrc")])
        self.go_on(protocol)
        self.wait_until(lambda: "mic_c" in self.picked(protocol), "mic_c")
        self.wait_until(lambda: self.is_registered(protocol, "mic_c.mrc"), "its picks")
        self.assertTrue(protocol.isActive())
        self.assertTrue(protocol.outputCoordinates.isStreamOpen())
        producer.close()
        self.wait_for_end(protocol)

        self.assertTrue(protocol.isFinished(), protocol.getErrorMessage())
        names = {"mic_a": "mic_a.mrc", "mic_b": "mic_b.eer", "mic_c": "mic_c.mrc"}
        self.assertEqual(self.picked(protocol), {*names, "empty"})
        failed = [item.getMicName() for item in protocol.FailedMicrographs.iterItems()]
        self.assertEqual(failed, ["broken.mrc"])
        self.assertIn("Failed: broken", " ".join(protocol.summary()))
        self.check_coordinates(protocol, names)
        self.check_another_box(self.proj.getProtocol(protocol.getObjId()))

    def check_another_box(self, protocol):
        """Continued with it, nothing is picked again: the outputs are made anew."""
        before = self.counts(protocol)
        protocol.boxSize.set(2 * BOX)
        protocol._begin()
        self.assertEqual(protocol.boxsize.get(), 2 * BOX)
        self.assertEqual(protocol.outputCoordinates.getBoxSize(), 2 * BOX)
        self.assertEqual(self.counts(protocol), before)

    def is_registered(self, protocol, name):
        self.proj._updateProtocol(protocol)
        output = getattr(protocol, "outputCoordinates", None)
        return output is not None and name in self.counts(protocol)

    def check_coordinates(self, protocol, names):
        """Compare the set with the discs, and with the engine's own files."""
        coordinates = self.proj.getProtocol(protocol.getObjId()).outputCoordinates
        self.assertTrue(coordinates.isStreamClosed())
        self.assertEqual(coordinates.getObjLabel(), "disc")
        self.assertEqual(
            (told_kind(coordinates), told_diameters(coordinates)),
            ("particle", {"disc": DIAMETER}),
        )
        self.assertEqual((coordinates.getBoxSize(), protocol.boxsize.get()), (BOX, BOX))
        micrographs = self.source.outputMicrographs
        self.assertEqual(
            coordinates.getMicrographs().getObjId(), micrographs.getObjId()
        )
        found = {name: [] for name in names.values()}
        images = micrographs_by_name(micrographs)
        ids = {item.getMicName(): item.getObjId() for item in images.values()}
        for item in coordinates.iterCoordinates():
            self.assertEqual(item.getMicId(), ids[item.getMicName()])
            score = getattr(item, SCORE).get()
            found[item.getMicName()].append((item.getY(), item.getX(), score))
        for name, mic_name in names.items():
            rows = np.array(found[mic_name])
            away = self.truth[name][:, None] - rows[:, :2]
            distances = np.linalg.norm(away, axis=2)
            self.assertGreater((distances.min(axis=1) < 2.5).mean(), 0.9)
            self.assertLess(len(rows), 33)
            nearest = away[np.arange(len(away)), distances.argmin(axis=1)]
            self.assertLess(np.abs(nearest.mean(axis=0)).max(), 0.3)
            picks = read_csv(protocol.getPicksFile(name), tomogram_id=name, flat=True)
            picks = turned_over(picks, images[name])
            off = rows[:, :2] - picks.positions_zyx[:, 1:]
            self.assertLessEqual(np.abs(off).max(), 0.5)
            np.testing.assert_allclose(rows[:, 2], picks.scores, atol=1e-6)

    def test_a_model_of_the_other_kind_is_refused_in_words(self):
        file = make_in_engine(make_untrained_model, self.home / "3d.safetensors")
        thick = EtPickerModel.fromFile(file)
        (error,) = self.make_pick(inputModel=thick).validate()
        self.assertIn("learnt from tomograms, and these are micrographs", error)

        tomogram = self.newProtocol(ProtEtPickerPick, inputModel=self.model)
        (error,) = tomogram._checkModel()
        self.assertIn("learnt from micrographs, and these are tomograms", error)

    def test_two_threads_are_too_few_for_an_open_set(self):
        producer = self.make_producer()
        (error,) = self.make_pick(numberOfThreads=2).validate()
        self.assertIn("micrographs are still arriving", error)
        producer.close()
        self.assertEqual(self.make_pick(numberOfThreads=2).validate(), [])
