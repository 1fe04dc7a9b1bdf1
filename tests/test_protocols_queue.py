"""Scipion's queue on a real SLURM: whole protocols and single jobs, and their ends."""

import json
import os
import subprocess
import sys
import time
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
from etpicker_plugin.protocols import ProtEtPickerPick, ProtEtPickerTrain

from etpicker_plugin.tests.support.phantoms import SHAPES_ZYX, write_tomogram
from etpicker_plugin.tests.support.scipion_project import DIAMETER_WORDS, PhantomProject
from etpicker_plugin.tests.support.slurm_local import LocalSlurm, missing_packages

HOSTS = """\
NAME = SLURM
MANDATORY = False
SUBMIT_COMMAND = sbatch %_(JOB_SCRIPT)s
CANCEL_COMMAND = scancel %_(JOB_ID)s
CHECK_COMMAND = squeue -h -j %_(JOB_ID)s 2>&1 | grep -v "Invalid job id"
SUBMIT_TEMPLATE = #!/bin/bash
    #SBATCH --job-name=%_(JOB_NAME)s
    #SBATCH --partition=%_(JOB_QUEUE)s
    #SBATCH --ntasks=1
    #SBATCH --cpus-per-task=%_(JOB_CPUS)s
    #SBATCH --time=%_(JOB_TIME)s
    #SBATCH --output=%_(JOB_LOGS)s.out
    #SBATCH --error=%_(JOB_LOGS)s.err
    %_(JOB_COMMAND)s
QUEUES = {
    "cpu": [["JOB_TIME", "60", "Time [min]", "Most minutes that a job takes"],
            ["JOB_CPUS", "1", "Cores", "Cores of a job"],
            ["QUEUE_FOR_JOBS", "N", "Single jobs", "Y: only the engine's jobs"]]}
"""
DEADLINE_S = 300


@unittest.skipIf(
    missing_packages(), f"without Debian's packages {', '.join(missing_packages())}"
)
class TestQueue(PhantomProject):
    @classmethod
    def setUpClass(cls):
        cls.slurm = cls.enterClassContext(LocalSlurm())
        cls.enterClassContext(mock.patch.dict(os.environ, cls.slurm.environment))
        hosts = Path(os.environ["SCIPION_HOSTS"])
        cls.addClassCleanup(hosts.write_text, hosts.read_text())
        hosts.write_text(hosts.read_text() + HOSTS)
        super().setUpClass()
        cls.sets = [cls.coordinates.Coordinates3D, cls.coordinates.Coordinates3D2]

    # --------------------------- what runs ------------------------------------
    def test_train_and_pick_as_whole_protocols(self):
        self.train_and_pick("N", jobs=2)

    def test_train_and_pick_with_jobs_alone_in_the_queue(self):
        self.train_and_pick("Y", jobs=2)

    def train_and_pick(self, single_jobs, *, jobs):
        before = len(self.slurm.ended_jobs())
        trained = self.queued(self.make_train(), single_jobs)
        self.wait_for_end(trained)
        self.assertTrue(trained.isFinished(), trained.getErrorMessage())
        picked = self.queued(
            self.newProtocol(
                ProtEtPickerPick,
                inputTomograms=self.tomograms,
                inputModel=trained.model,
                maxPicks=3,
            ),
            single_jobs,
        )
        self.wait_for_end(picked)
        self.assertTrue(picked.isFinished(), picked.getErrorMessage())
        self.assertEqual(set(picked.Coordinates3D.getTSIds()), set(SHAPES_ZYX))
        # A job ends a moment after the protocol that it is.
        self.wait_until(lambda: len(self.slurm.ended_jobs()) >= before + jobs, picked)
        self.assertEqual(self.slurm.ended_jobs()[before:], ["COMPLETED"] * jobs)

    # --------------------------- what fails -----------------------------------
    def test_an_engine_s_error_is_the_protocol_s_though_the_queue_hides_it(self):
        folder = self.folder / "empty"
        folder.mkdir()
        for name, shape in SHAPES_ZYX.items():
            write_tomogram(folder / f"{name}.mrc", np.full(shape, np.nan, np.float32))
        empty = self.import_tomograms(folder)
        trained = self.queued(self.make_train(inputTomograms=empty), "Y")
        self.wait_for_end(trained)
        self.assertTrue(trained.isFailed())
        self.assertIn("NaN", trained.getErrorMessage())

    def test_a_job_cancelled_from_outside_is_a_failure(self):
        trained = self.queued(self.make_train(steps=5000), "Y")
        self.wait_until(
            lambda: self.slurm.ask("squeue", "-h", "-o", "%T") == "RUNNING", trained
        )
        self.slurm.ask("scancel", self.slurm.ask("squeue", "-h", "-o", "%i"))
        self.wait_for_end(trained)
        self.assertTrue(trained.isFailed())
        self.assertIn("The engine stopped before its end", trained.getErrorMessage())

    # --------------------------- arrays ---------------------------------------
    def test_tasks_of_an_array_share_a_list(self):
        model = self.train_model_file(steps=2)
        out = self.folder / "array"
        engine = f"{sys.executable} -m etpicker_plugin.engine pick"
        tomograms = " ".join(str(self.folder / f"{n}.mrc") for n in SHAPES_ZYX)
        command = (
            f"{engine} --part slurm --model {model} --tomogram {tomograms} "
            f"--max-picks 3 --threads 1 --out {out}"
        )
        array = ["--wait", "--array=1-2", f"--chdir={self.folder}"]
        submitted = subprocess.run(
            ["sbatch", *array, f"--wrap={command}"],
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        self.assertEqual(submitted.returncode, 0, submitted.stderr)
        self.assertEqual({p.stem for p in out.glob("*.csv")}, set(SHAPES_ZYX))
        for k in (1, 2):
            self.assertTrue((out / f"part_{k}_of_2" / "finished.json").is_file())

    # --------------------------- helpers --------------------------------------
    def make_train(self, **values):
        given = {
            "inputTomograms": self.tomograms,
            "inputCoordinates": self.sets,
            "diameter": DIAMETER_WORDS,
            "steps": 2,
            "patchSize": 32,
            "batchSize": 2,
            "workingVoxelSize": 15.0,
            "numberOfThreads": 1,
        }
        return self.newProtocol(ProtEtPickerTrain, **{**given, **values})

    def queued(self, protocol, single_jobs):
        parameters = {"JOB_TIME": "10", "JOB_CPUS": "1", "QUEUE_FOR_JOBS": single_jobs}
        protocol._useQueue.set(True)
        protocol._queueParams.set(json.dumps(["cpu", parameters]))
        self.assertEqual(protocol.validate(), [])
        self.proj.launchProtocol(protocol, wait=False)
        return protocol

    def wait_for_end(self, protocol):
        def ended():
            self.proj._updateProtocol(protocol)
            return not protocol.isActive()

        self.wait_until(ended, protocol)
        # Scipion takes for dead a run that ends between its two looks at it.
        self.proj._updateProtocol(protocol)

    def wait_until(self, condition, protocol):
        end = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > end:
                self.fail(f"{protocol} did not get so far within {DEADLINE_S} s")
            time.sleep(0.5)
