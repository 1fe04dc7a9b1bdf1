"""What a person opens in Scipion's window: every form, and Analyze Results."""

import json
import os
import shutil
import subprocess
import sys
import time
import unittest
from unittest import mock

import pyworkflow as pw
import pyworkflow.gui.project  # first: they import one another
from etpicker_plugin.protocols.annotation import start_window
from pyworkflow.gui.form import FormWindow

from etpicker_plugin import Plugin, run_template
from etpicker_plugin.tests.support import results_probe
from etpicker_plugin.tests.support.phantoms import VOXEL_SIZE
from etpicker_plugin.tests.support.scipion_project import PhantomProject
from etpicker_plugin.tests.support.screen import lasting_screen
from etpicker_plugin.viewers import edit_window
from etpicker_plugin.viewers.viewers import EtPickerPicksViewer

DIAMETERS = "large:200 small:120"
PLOTS = ("showCurves", "showScores", "showMetrics")
SHOWN = {
    "ProtEtPickerTrain": {"showCurves": 1},
    "ProtEtPickerPick": {"showScores": 1},
    "ProtEtPickerEvaluate": {"showMetrics": 1},
}
"""Protocol -> its plots, each in a window."""
WINDOW_S = 60


@unittest.skipIf(shutil.which("Xvfb") is None, "there is no Xvfb")
class TestWindows(PhantomProject):
    """The template from tomograms to an evaluation, and what there is to see of it."""

    @classmethod
    def setUpClass(cls):
        patch = mock.patch.dict(os.environ, DISPLAY=lasting_screen())
        patch.start()
        cls.addClassCleanup(patch.stop)
        super().setUpClass()
        words = {
            "train_path": str(cls.folder),
            "train_pattern": "TS_*.mrc",
            "train_coordinates": "TS_*.csv",
            "new_path": str(cls.folder),
            "new_pattern": "TS_*.mrc",
            "new_coordinates": "TS_*.csv",
            "voxel_size": f"{VOXEL_SIZE:g}",
            "diameter": DIAMETERS,
            "steps": "40",
            "patch_size": "32",
        }
        template = run_template.find_template("train_pick_evaluate")
        workflow = run_template.fill_template(template, words)
        cls.exit_code = run_template.run_workflow(cls.proj, workflow)
        cls.runs = {run.getClassName(): run for run in cls.proj.getRuns(refresh=True)}

    def test_the_template_trains_picks_and_evaluates(self):
        self.assertEqual(self.exit_code, 0)
        self.assertTrue(set(SHOWN) <= set(self.runs))
        picks = self.runs["ProtEtPickerPick"]
        sizes = [o.getSize() for _, o in picks.iterOutputAttributes()]
        self.assertGreater(sum(sizes), 0)
        self.assertIn("F1", " ".join(self.runs["ProtEtPickerEvaluate"].summary()))

    def test_every_form_opens(self):
        protocols = pw.Config.getDomain().getProtocols()
        ours = {name: p for name, p in protocols.items() if "EtPicker" in name}
        self.assertEqual(len(ours), 13)
        for name, protocol_class in ours.items():
            with self.subTest(name):
                protocol = self.newProtocol(protocol_class)
                form = FormWindow(name, protocol, callback=None)
                form.root.update()
                shown = set(form.widgetDict)
                form.root.destroy()
                own = {p for p, _ in protocol.iterDefinitionAttributes()}
                self.assertGreater(len(own & shown), 1)

    def test_analyze_results_opens(self):
        numbers = {name: str(self.runs[name].getObjId()) for name in SHOWN}
        words = [str(self.proj.path), *PLOTS, "--", *numbers.values()]
        done = subprocess.run(
            [sys.executable, "-m", results_probe.__name__, *words],
            capture_output=True,
            encoding="utf-8",
            timeout=WINDOW_S,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout.splitlines()[-1])
        shown = {name: found[number] for name, number in numbers.items()}
        self.assertEqual(shown, SHOWN, done.stderr)

    def test_picks_open_in_the_engine_s_window(self):
        picks = self.runs["ProtEtPickerPick"]
        viewer = EtPickerPicksViewer(project=self.proj, protocol=picks)
        viewer.setProtocol(picks)
        with mock.patch.object(edit_window, "follow_window") as follow:
            self.assertEqual(viewer._showWindow(), [])
        _, config, folder, _ = follow.call_args.args
        process = start_window(config, folder)
        try:
            self.wait_window(process)
        finally:
            process.terminate()
            process.wait()
        self.assertEqual(process.args[0], Plugin.getEngine().python)

    def wait_window(self, process):
        """Wait until a process shows a window."""
        end = time.monotonic() + WINDOW_S
        search = ["xdotool", "search", "--onlyvisible", "--pid", str(process.pid)]
        while subprocess.run(search, capture_output=True).returncode != 0:
            self.assertIsNone(process.poll(), "the window has ended")
            self.assertLess(time.monotonic(), end, "there is no window")
            time.sleep(0.2)
