"""Tomograms picked while they arrive: failures, kills, and the model's version."""

import json
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

import mrcfile
import numpy as np
import psutil
from etpicker_plugin.protocols import (
    ProtEtPickerImportModel,
    ProtEtPickerPick,
    checks,
)
from etpicker_plugin.protocols.arriving_input import none_arrived
from etpicker_plugin.protocols.class_sets import ONE_SET
from etpicker_plugin.protocols.protocol_base import EngineError
from pyworkflow.protocol import MODE_RESUME
from pyworkflow.protocol.executor import StepExecutor
from pyworkflow.tests import setupTestProject
from tomo.protocols import ProtImportTomograms, ProtImportTomomasks
from tomo.tests.test_base_centralized_layer import TestBaseCentralizedLayer

from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.tests.support.mrc_headers import stored_in, write_mrc
from etpicker_plugin.tests.support.phantoms import VOXEL_SIZE, write_tomogram
from etpicker_plugin.tests.support.scipion_project import (
    make_in_engine,
    positions_of,
    stop_hard,
)
from etpicker_plugin.tests.support.stream_producer import Producer
from etpicker_plugin.tests.support.untrained import (
    MOST_PICKS,
    TINY_ZYX,
    break_tomogram,
    make_tiny_tomograms,
    make_untrained_model,
)

DEADLINE_S = 420


class StreamingProject(TestBaseCentralizedLayer):
    """A project with a model and tiny tomograms that a producer sends."""

    @classmethod
    def setUpClass(cls):
        setupTestProject(cls)
        cls.home = Path(tempfile.mkdtemp(prefix="etpicker_stream_"))
        cls.addClassCleanup(shutil.rmtree, cls.home, ignore_errors=True)
        cls.model = cls.import_model(seed=0)

    @classmethod
    def import_model(cls, *, seed):
        path = cls.home / f"{seed}.safetensors"
        file = make_in_engine(make_untrained_model, path, seed=seed)
        imported = cls.newProtocol(ProtEtPickerImportModel, modelFile=str(file))
        cls.launchProtocol(imported)
        return imported.model

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(dir=self.home))
        self.running = []

    def tearDown(self):
        for protocol in self.running:
            stop_hard(self.proj, protocol)

    def make_producer(self, first, **values):
        """Import the first tomogram and open the set it is in."""
        imported = self.newProtocol(
            ProtImportTomograms,
            filesPath=str(first.parent),
            filesPattern=first.name,
            samplingRate=VOXEL_SIZE,
        )
        self.launchProtocol(imported)
        self.source = imported
        return Producer(self.proj, imported, **values)

    def make_pick(self, **values):
        given = {
            "inputModel": self.model,
            "maxPicks": MOST_PICKS,
            "streamingSleepOnWait": 1,
            "binThreads": 1,
        }
        protocol = self.newProtocol(ProtEtPickerPick, **{**given, **values})
        protocol.inputTomograms.set(self.source)
        protocol.inputTomograms.setExtended("Tomograms")
        return protocol

    def start(self, protocol):
        self.assertEqual(protocol.validate(), [])
        self.proj.launchProtocol(protocol, wait=False)
        self.running.append(protocol)

    def go_on(self, protocol, **changes):
        """Continue, with changes to the form."""
        self.proj._updateProtocol(protocol)
        for name, value in changes.items():
            getattr(protocol, name).set(value)
        protocol.runMode.set(MODE_RESUME)
        self.proj.launchProtocol(protocol, wait=False)

    def wait_until(self, condition, what, *, seconds=DEADLINE_S):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                self.fail(f"not within {seconds} s: {what}")
            time.sleep(0.2)

    def wait_for_end(self, protocol):
        def ended():
            self.proj._updateProtocol(protocol)
            return not protocol.isActive()

        self.wait_until(ended, "the protocol's end")
        # Scipion takes for dead a run that ends between its two looks at it.
        self.proj._updateProtocol(protocol)

    def picked(self, protocol):
        return {p.stem for p in Path(protocol._getExtraPath("picks")).glob("*.json")}

    def counts(self, protocol, output="Coordinates3D"):
        """Return the number of picks of each tomogram in an output."""
        coordinates = getattr(protocol, output)
        coordinates.load()
        return Counter(c.getTomoId() for c in coordinates.iterItems())


class TestStreaming(StreamingProject):
    def test_tomograms_are_picked_as_they_arrive(self):
        first, second, third, broken = make_tiny_tomograms(
            self.folder / "tomograms", ["TS_a", "TS_b", "TS_c", "TS_x"]
        )
        break_tomogram(broken, 0)
        producer = self.make_producer(first)
        protocol = self.make_pick()
        self.start(protocol)

        self.wait_until(lambda: "TS_a" in self.picked(protocol), "TS_a")
        producer.send([("TS_b", second), ("TS_x", broken)])
        self.wait_until(lambda: "TS_b" in self.picked(protocol), "TS_b")
        self.wait_until(lambda: self.has_output(protocol, "TS_b"), "TS_b in the output")
        self.assertTrue(protocol.isActive())
        self.assertTrue(protocol.Coordinates3D.isStreamOpen())
        producer.send([("TS_c", third)])
        producer.close()
        self.wait_for_end(protocol)

        self.assertTrue(protocol.isFinished(), protocol.getErrorMessage())
        expected = dict.fromkeys(("TS_a", "TS_b", "TS_c"), MOST_PICKS)
        for output in ("Coordinates3D", "Coordinates3D2"):
            self.assertEqual(self.counts(protocol, output), expected)
            self.assertTrue(getattr(protocol, output).isStreamClosed())
        self.assertEqual(protocol.FailedTomograms.getTSIds(), ["TS_x"])
        self.assertIn("Failed: TS_x", " ".join(protocol.summary()))

    def test_one_that_arrives_with_its_axes_in_another_order_is_left_out(self):
        first, turned, third = make_tiny_tomograms(
            self.folder / "tomograms", ["TS_a", "TS_t", "TS_c"]
        )
        data = mrcfile.read(turned)
        turned.unlink()
        write_mrc(turned, stored_in(data, (1, 3, 2)), axes=(1, 3, 2))
        producer = self.make_producer(first)
        protocol = self.make_pick()
        self.start(protocol)
        self.wait_until(lambda: "TS_a" in self.picked(protocol), "TS_a")
        producer.send([("TS_t", turned), ("TS_c", third)])
        producer.close()
        self.wait_for_end(protocol)

        self.assertTrue(protocol.isFinished(), protocol.getErrorMessage())
        expected = dict.fromkeys(("TS_a", "TS_c"), MOST_PICKS)
        self.assertEqual(self.counts(protocol), expected)
        self.assertEqual(protocol.FailedTomograms.getTSIds(), ["TS_t"])
        self.assertEqual(protocol.getFailures(), {"TS_t": checks.TURNED})
        self.assertIn("axes in another order", " ".join(protocol.summary()))
        # It is known, and no reason not to continue; a new run is told of it at once.
        self.assertEqual(protocol.validate(), [])
        (error,) = self.make_pick().validate()
        self.assertEqual(error, f"TS_t: {checks.TURNED}")

    def test_a_note_of_the_run_that_cannot_be_read(self):
        (first,) = make_tiny_tomograms(self.folder / "tomograms", ["TS_a"])
        self.make_producer(first).close()
        protocol = self.make_pick()
        self.start(protocol)
        self.wait_for_end(protocol)
        note = Path(protocol._getExtraPath("run.json"))
        for text in ("[1]", '{"model": 3}', "{", '{"model": "a", "picking": "b"}'):
            note.write_text(text)
            with self.assertRaisesRegex(EngineError, "run.json .*: restart it"):
                protocol._begin()
        for done in protocol.getPicksFolder().glob("*.json"):
            done.unlink()
        protocol._begin()
        self.assertEqual(json.loads(note.read_text())["outputs"], [None, 0])

    def has_output(self, protocol, ts_id):
        self.proj._updateProtocol(protocol)
        output = getattr(protocol, "Coordinates3D", None)
        return output is not None and ts_id in self.counts(protocol)

    def test_an_input_closed_while_it_is_empty_ends_the_run(self):
        (first,) = make_tiny_tomograms(self.folder / "tomograms", ["TS_a"])
        producer = self.make_producer(first, empty=True)
        protocol = self.make_pick()
        self.start(protocol)
        self.wait_until(lambda: self.watches(protocol), "the input is watched")
        producer.close()
        self.wait_for_end(protocol)
        self.assertTrue(protocol.isFailed())
        self.assertIn(none_arrived("tomogram"), protocol.getErrorMessage())

        self.assertEqual(self.make_pick().validate(), [none_arrived("tomogram")])

        producer.send([("TS_a", first)])
        self.go_on(protocol)
        self.wait_for_end(protocol)
        self.assertTrue(protocol.isFinished(), protocol.getErrorMessage())
        self.assertEqual(self.counts(protocol), {"TS_a": MOST_PICKS})

    def watches(self, protocol):
        log = Path(protocol.getLogPaths()[0])
        return log.is_file() and "resumableStepGeneratorStep" in log.read_text()

    def test_a_tomogram_waits_for_its_region_mask(self):
        names = ["TS_a", "TS_b", "TS_c"]
        tomograms = dict(
            zip_strict(names, make_tiny_tomograms(self.folder / "t", names))
        )
        low_x, high_z = self.make_masks()
        producer = self.make_producer(tomograms["TS_a"])
        masks = self.import_mask(low_x)
        mask_producer = Producer(self.proj, masks, "tomomasks", empty=True)
        # A list of GPUs that are not used is no matter.
        protocol = self.make_pick(
            inputMasks=masks.tomomasks, gpuList="0 1", useGpu=False
        )
        self.start(protocol)
        self.wait_until(lambda: self.watches(protocol), "the input is watched")

        mask_producer.send([("TS_b", high_z)])
        producer.send([(name, tomograms[name]) for name in ("TS_b", "TS_c")])
        producer.close()
        self.wait_until(lambda: "TS_b" in self.picked(protocol), "TS_b")
        self.assertEqual(self.picked(protocol), {"TS_b"})
        mask_producer.send([("TS_a", low_x)])
        self.wait_until(lambda: "TS_a" in self.picked(protocol), "TS_a")
        mask_producer.close()
        self.wait_for_end(protocol)

        self.assertTrue(protocol.isFinished(), protocol.getErrorMessage())
        self.assertEqual(set(self.counts(protocol)), {"TS_a", "TS_b"})
        found = positions_of(protocol.Coordinates3D)
        self.assertLess(max(x for ts_id, x, _, _ in found if ts_id == "TS_a"), 17.5)
        self.assertGreater(min(z for ts_id, *_, z in found if ts_id == "TS_b"), 11.5)
        failures = protocol.getFailures()
        self.assertEqual(list(failures), ["TS_c"])
        self.assertIn("has no region mask", failures["TS_c"])

    def make_masks(self):
        """Write masks that are 1 where x < 18, and where z > 11."""
        masks = np.zeros((2, *TINY_ZYX), np.float32)
        masks[0, :, :, :18] = 1
        masks[1, 12:] = 1
        paths = [self.folder / name / "TS_a.mrc" for name in ("low_x", "high_z")]
        for path, mask in zip_strict(paths, masks):
            path.parent.mkdir()
            write_tomogram(path, mask)
        return paths

    def import_mask(self, path):
        imported = self.newProtocol(
            ProtImportTomomasks,
            inputTomos=self.source.Tomograms,
            filesPath=str(path.parent),
            filesPattern=path.name,
        )
        self.launchProtocol(imported)
        return imported

    def test_gpus_that_are_not_there(self):
        if checks.gpu_present():
            self.skipTest("this machine has a GPU")
        (first,) = make_tiny_tomograms(self.folder / "tomograms", ["TS_a"])
        producer = self.make_producer(first)
        protocol = self.make_pick(useGpu=True, gpuList="0 1", numberOfThreads=4)
        (error,) = protocol.validate()
        self.assertIn("this machine has no GPU", error)
        producer.close()

        # Where the machine has one that torch cannot use, the engine says so, at once.
        self.proj._setupProtocol(protocol)
        protocol.makePathsAndClean()
        host = self.proj.getHostConfig("localhost")
        protocol.setStepsExecutor(StepExecutor(host, gpuList=[0]))
        protocol._begin()
        with self.assertRaisesRegex(EngineError, "torch finds no usable GPU"):
            protocol.pickStep(["TS_a"], "now")
        self.assertEqual(protocol.getFailures(), {})

    def test_another_model_in_the_file_stops_it_and_says_so(self):
        first, second = make_tiny_tomograms(self.folder / "tomograms", ["TS_a", "TS_b"])
        producer = self.make_producer(first)
        model = self.import_model(seed=1)
        protocol = self.make_pick(inputModel=model)
        self.start(protocol)
        self.wait_until(lambda: "TS_a" in self.picked(protocol), "TS_a")

        other = self.home / "other.safetensors"
        make_in_engine(make_untrained_model, other, seed=2)
        path = Path(model.getPath())
        path.unlink()
        shutil.move(other, path)
        producer.send([("TS_b", second)])
        self.wait_for_end(protocol)

        self.assertTrue(protocol.isFailed())
        self.assertIn(
            "not the one that this run began with", protocol.getErrorMessage()
        )
        self.assertEqual(set(self.counts(protocol)), {"TS_a"})
        producer.close()

    def test_two_threads_are_too_few_for_an_open_set(self):
        (first,) = make_tiny_tomograms(self.folder / "tomograms", ["TS_a"])
        producer = self.make_producer(first)
        (error,) = self.make_pick(numberOfThreads=2).validate()
        self.assertIn("at least 3 threads", error)
        producer.close()
        self.assertEqual(self.make_pick(numberOfThreads=2).validate(), [])

    def test_continue_picks_with_the_same_parameters_only(self):
        (first,) = make_tiny_tomograms(self.folder / "tomograms", ["TS_a"])
        self.make_producer(first).close()
        protocol = self.make_pick()
        self.start(protocol)
        self.wait_for_end(protocol)
        self.assertTrue(protocol.isFinished(), protocol.getErrorMessage())

        self.go_on(protocol, outputSets=ONE_SET)
        self.wait_for_end(protocol)
        self.assertTrue(protocol.isFinished(), protocol.getErrorMessage())
        self.assertEqual(self.counts(protocol), {"TS_a": 2 * MOST_PICKS})

        self.go_on(protocol, maxPicks=MOST_PICKS + 1)
        self.wait_for_end(protocol)
        self.assertTrue(protocol.isFailed())
        self.assertIn("other parameters", protocol.getErrorMessage())


class TestSoak(StreamingProject):
    """Many tomograms, broken ones among them, the engine and the protocol killed."""

    TOMOGRAMS = 300
    AT_ONCE = 50
    BROKEN_EVERY = 13
    MOST_GROWTH_MB = 30

    def test_nothing_is_lost_and_nothing_twice(self):
        names = [f"TS_{i:03d}" for i in range(self.TOMOGRAMS)]
        paths = make_tiny_tomograms(self.folder / "tomograms", names)
        broken = set(names[5 :: self.BROKEN_EVERY])
        for i, name in enumerate(sorted(broken)):
            break_tomogram(self.folder / "tomograms" / f"{name}.mrc", i)
        producer = self.make_producer(paths[0])
        protocol = self.make_pick(tomogramsPerJob=self.AT_ONCE)
        self.start(protocol)
        memory = []
        self.kills = 0

        sent = list(zip_strict(names, paths))[1:]
        parts = [sent[i : i + self.AT_ONCE] for i in range(0, len(sent), self.AT_ONCE)]
        for number, part in enumerate(parts):
            producer.send(part)
            self.wait_until(
                lambda part=part: self.picked(protocol) & {name for name, _ in part},
                f"a pick of part {number}",
            )
            memory.append(self.memory_of(protocol))
            if number in (1, 4):
                self.kill_engine(protocol)
            if number == 2:
                stop_hard(self.proj, protocol)
                self.go_on(protocol)
        producer.close()
        self.wait_for_end(protocol)

        self.assertTrue(protocol.isFinished(), protocol.getErrorMessage())
        registered = self.counts(protocol, "Coordinates3D")
        registered.update(self.counts(protocol, "Coordinates3D2"))
        picked = {
            name: len(read_csv(protocol.getPicksFile(name), tomogram_id=name))
            for name in names
            if name not in broken
        }
        self.assertGreater(min(picked.values()), 0)
        self.assertEqual(registered, picked)
        failed = protocol.FailedTomograms
        failed.load()
        self.assertEqual(
            sorted(i.getTsId() for i in failed.iterItems()), sorted(broken)
        )
        self.assertGreater(self.kills, 0)
        grown = max(memory[3:]) - memory[3]
        self.assertLess(grown, self.MOST_GROWTH_MB, memory)

    def kill_engine(self, protocol):
        """Kill the engine's processes, as the system does when memory is short."""
        for child in self.process_of(protocol).children(recursive=True):
            if "etpicker_plugin.engine" in child.cmdline():
                child.kill()
                self.kills += 1

    def process_of(self, protocol):
        self.proj._updateProtocol(protocol)
        return psutil.Process(protocol.getPid())

    def memory_of(self, protocol):
        """Return the MB that the protocol's process holds."""
        return self.process_of(protocol).memory_info().rss / 2**20
