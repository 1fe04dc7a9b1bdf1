"""Two processes of torchrun train one network; the exchange is torch's own (gloo)."""

import json
import subprocess
import sys

import pytest

from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.tests.support.phantoms import DIAMETERS, make_phantoms

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone")
TOGETHER = (*TORCHRUN, "--nproc-per-node", "2")

MEET = """
import json, sys
import torch
from etpicker_plugin.engine.training.ranks import join_ranks

ranks = join_ranks(torch.device("cpu"))
first = torch.tensor([[1.0, 2.0, 3.0]]) * (1 + 2 * ranks.rank)
second = torch.tensor([10.0 * ranks.rank], dtype=torch.float64)
ranks.average([first, second])
note = {
    "size": ranks.size,
    "first": first.tolist(),
    "second": second.tolist(),
    "shared": ranks.share(5.0 + ranks.rank),
    "seed": ranks.seed(7),
}
with open(f"{sys.argv[1]}/{ranks.rank}.json", "w") as file:
    json.dump(note, file)
ranks.leave()
"""

LEARN = """
import json, sys
import numpy as np
import torch
from pathlib import Path
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.species import SizeVox
from etpicker_plugin.engine.training.fit import FitSettings, fit
from etpicker_plugin.engine.training.patches import PatchSampler, TrainingVolume
from etpicker_plugin.engine.training.ranks import join_ranks
from etpicker_plugin.engine.training.resume import Counters, TrainingState
from etpicker_plugin.engine.training.schedule import Budget
from etpicker_plugin.engine.training.weak_labels import LabelSettings

torch.set_num_threads(1)
ranks = join_ranks(torch.device("cpu"))
image = np.random.default_rng(0).normal(0, 1, (17, 33, 41)).astype(np.float16)
volume = TrainingVolume(
    tomogram_id="TS_1",
    annotation=("complete",),
    image=ArrayVolume(image),
    learnable=ArrayVolume(np.ones(image.shape, dtype=bool)),
    positions_zyx=np.array([[8.0, 12.0, 30.0]]),
    channels=np.zeros(1, np.intp),
)
labels = LabelSettings(
    shape="ball", sizes=(SizeVox(diameter=8.0, label_diameter=5.0),), stride=2
)
sampler = PatchSampler([volume], patch_size=16, labels=labels, seed=ranks.seed(0))
network = make_network("fast", 1, seed=0)
judged = []

def validate(average, step):
    judged.append(1)
    return 0.1 * len(judged), {}

out = Path(sys.argv[1])
fit(
    network,
    sampler,
    settings=FitSettings(
        budget=Budget(steps=6), batch_size=2, learning_rate=1e-3, patience=99,
        equal_score=0.02,
    ),
    validate=validate,
    state=(state := TrainingState(Counters("abc"), {}, {})),
    state_path=out / f"state_{ranks.rank}",
    on_progress=ignore_progress,
    ranks=ranks,
)
note = {
    "weights": [v.double().sum().item() for v in network.state_dict().values()],
    "patch": float(sampler.batch(0, 1).image.double().sum()),
    "judged": len(judged),
    "best": state.counters.best_score,
    "validations": len(state.counters.history),
}
(out / f"{ranks.rank}.json").write_text(json.dumps(note))
ranks.leave()
"""


def run_both(script, folder):
    """Run a script in two processes; return what each has written."""
    path = folder / "script.py"
    path.write_text(script, encoding="utf-8")
    subprocess.run([*TOGETHER, str(path), str(folder)], check=True, timeout=240)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def test_means_and_the_first_ranks_value_reach_both(tmp_path):
    first, second = run_both(MEET, tmp_path)

    for note in (first, second):
        assert note["size"] == 2
        assert note["first"] == [[2.0, 4.0, 6.0]]  # of (1 2 3) and (3 6 9)
        assert note["second"] == [5.0]
        assert note["shared"] == 5.0
    assert first["seed"] == 7
    assert second["seed"] != 7


def test_both_learn_from_patches_of_their_own_and_hold_the_same_network(tmp_path):
    first, second = run_both(LEARN, tmp_path)

    assert first["patch"] != second["patch"]
    assert first["weights"] == second["weights"]
    assert first["judged"] == first["validations"] > 3
    assert second["judged"] == 0
    assert second["best"] == first["best"]
    assert (tmp_path / "state_0").exists()
    assert not (tmp_path / "state_1").exists()


def test_one_model_comes_out_and_one_process_reports(tmp_path):
    make_phantoms(tmp_path)
    out = tmp_path / "model"
    arguments = [
        *("train", "--tomogram", tmp_path / "TS_a.mrc"),
        *("--coordinates", tmp_path / "TS_a.csv", "--out", out),
        *("--diameter", *(f"{n}={d}" for n, d in DIAMETERS.items())),
        *("--steps", "6", "--batch-size", "2", "--patch-size", "32", "--threads", "1"),
    ]
    done = subprocess.run(
        [*TOGETHER, "-m", "etpicker_plugin.engine", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert done.returncode == 0, done.stderr
    assert read_card(out / "model.safetensors").class_names() == tuple(DIAMETERS)
    assert done.stderr.count("Model written to") == 1
    (log,) = out.rglob("progress.jsonl")
    steps = [json.loads(line) for line in log.read_text().splitlines()]
    counted = [s["done"] for s in steps if s["stage"] == "training"]
    assert counted == sorted(set(counted))
    assert counted[-1] == 6


@pytest.mark.parametrize("command", ["pick", "evaluate"])
def test_other_commands_are_not_for_torchrun(command, tmp_path):
    arguments = {
        "pick": "--model m --tomogram t.mrc".split(),
        "evaluate": "--picks p --truth t --diameter a=100 --voxel-size 10".split(),
    }
    done = subprocess.run(
        [
            *(*TORCHRUN, "--nproc-per-node", "1", "-m", "etpicker_plugin.engine"),
            *(command, *arguments[command], "--out", str(tmp_path / "out")),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert done.returncode != 0
    assert f"etpicker {command} is not for torchrun, which is for train, update" in (
        done.stderr
    )
    assert not (tmp_path / "out").exists()
