"""The second round of the weights: from the first, on more and more varied scenes.

    python pretraining/second_scenes.py SCENES --seconds 540 &
    python pretraining/second_round.py SCENES OUT --seconds 520 [--one-click 1]

Learns to tell the species of SCENES apart, from the scenes that are there while others
are still made, and, with ``--one-click``, to be of use to the head that follows from
one click. Begins from the weights of the package. Writes OUT/NAME.safetensors, the
running average, every minute and at the end, and OUT/NAME_half.safetensors half way.

It was run on the first round's weights (``make_weights.py``; those of the package then)
for 550 seconds on an NVIDIA H200 with 16 cores, twice side by side, while 13 workers
made 4000 scenes of 259 classes: with ``--one-click 1``, 17,764 steps on 3186 of them,
and with ``--one-click 0``, 24,525 steps on 3192. The package has the mean of the first
round's weights and of those with ``--one-click 1``, as ``judge_weights.py --share
0.5`` mixes them; what the others do is in ``docs/experiments.md``.
"""

import argparse
import copy
import json
import logging
import math
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from one_click_loss import OneClickLoss
from scene_store import Patches, SceneStore
from torch import Tensor, nn

from etpicker_plugin.engine.device import choose_device
from etpicker_plugin.engine.model.fast_network import RARE_LOGIT, FastNetwork
from etpicker_plugin.engine.model.network import LAYOUT, mixed_precision, place_network
from etpicker_plugin.engine.model.pretrained import (
    begin_from_pretrained,
    save_pretrained,
)
from etpicker_plugin.engine.training.losses import supervised_loss
from etpicker_plugin.engine.training.schedule import one_cycle

logger = logging.getLogger(__name__)

FEATURES = 32
CHOSEN = 64
"""Classes looked at in a step: those of its scenes, and others."""
HEAD_STEPS, HEAD_RATE = 300, 1e-2
"""First the head alone learns, from nothing."""
FIRST_SCENES = 60
AVERAGE_DECAY = 0.999
BETAS, WEIGHT_DECAY, LARGEST_GRADIENT = (0.9, 0.99), 0.01, 5.0
LOOK_EVERY_S, SAVE_EVERY_S, LOG_EVERY = 1.0, 60.0, 200
LONGEST_WAIT_S = 120.0
SCENES_AT_ONCE = 6


class ClassHead(nn.Module):
    """Logits of chosen classes from features ``(B, F, V)``."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_classes, FEATURES))
        self.bias = nn.Parameter(torch.full((n_classes,), RARE_LOGIT))

    def forward(self, features: Tensor, chosen: Tensor) -> Tensor:
        """Return ``(B, C, V)``."""
        return self.weight[chosen] @ features + self.bias[chosen, None]


class Learner:
    """The network without its head, a head of all species, and their average."""

    def __init__(
        self, n_classes: int, device: torch.device, *, one_click: float
    ) -> None:
        network = FastNetwork(1)
        begin_from_pretrained(network)
        network.head = nn.Identity()
        self.network = place_network(network, device).train()
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.head = ClassHead(n_classes).to(device)
        self.by_click = OneClickLoss().to(device)
        self.one_click = one_click
        self._device = device
        self._parts = nn.ModuleList([self.network, self.head, self.by_click])
        self._optimiser = torch.optim.AdamW(
            self._parts.parameters(), betas=BETAS, weight_decay=WEIGHT_DECAY
        )

    def step(self, patches: Patches, rate: float, *, body: bool) -> Tensor:
        """Learn from patches; return the losses of the two heads, ``(2,)``."""
        image = patches.image.contiguous(memory_format=LAYOUT)
        with torch.set_grad_enabled(body), mixed_precision(self._device):
            features = self.network(image)
        features = features.float().flatten(2)
        losses = self._losses(features, patches)
        self._optimiser.zero_grad(set_to_none=True)
        (
            losses[0] + self.one_click * losses[1] if self.one_click else losses[0]
        ).backward()
        nn.utils.clip_grad_norm_(self._parts.parameters(), LARGEST_GRADIENT)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.step()
        return torch.stack([value.detach() for value in losses])

    def _losses(self, features: Tensor, patches: Patches) -> tuple[Tensor, Tensor]:
        logits = self.head(features, patches.chosen)
        known = supervised_loss(
            *(v[..., None, None] for v in (logits, patches.target, patches.weight))
        )
        if self.one_click:
            return known, self.by_click(features, patches)
        return known, torch.zeros_like(known)

    @torch.no_grad()
    def update_average(self, step: int) -> None:
        """Move the running average of weights and statistics."""
        decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
        own, mean = (
            [v for v in n.state_dict().values() if v.is_floating_point()]
            for n in (self.network, self.average)
        )
        torch._foreach_lerp_(mean, own, 1 - decay)

    def save(self, path: Path) -> None:
        """Write the average, whole, unless it is no number."""
        finite = all(v.isfinite().all() for v in self.average.state_dict().values())
        if finite:
            whole = FastNetwork(1)  # on the CPU, its kernels as files want them
            whole.load_state_dict(self.average.state_dict(), strict=False)
            unfinished = path.with_suffix(".part")
            save_pretrained(whole, unfinished)
            os.replace(unfinished, path)


def wait_for_scenes(folder: Path, first: int) -> list[str]:
    """Return the classes, once so many scenes are there."""
    began = time.monotonic()
    while len(list(folder.glob("*.npz"))) < first:
        time.sleep(0.5)
        if time.monotonic() - began > LONGEST_WAIT_S:
            sys.exit(f"{folder}: fewer than {first} scenes. Does second_scenes.py run?")
    names: list[str] = json.loads((folder / "classes.json").read_text("utf-8"))
    return names


def learn(arguments: argparse.Namespace) -> None:
    """Learn until the time is over."""
    began = time.monotonic()
    device = choose_device(arguments.device, threads=arguments.threads)
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(arguments.seed)
    generator = np.random.default_rng(arguments.seed)
    names = wait_for_scenes(arguments.scenes, arguments.first_scenes)
    store = SceneStore(
        arguments.scenes, len(names), most=arguments.most_scenes, device=device
    )
    store.take_new(arguments.first_scenes)
    learner = Learner(len(names), device, one_click=arguments.one_click)
    out = arguments.out / f"{arguments.name}.safetensors"
    half = out.with_name(f"{arguments.name}_half.safetensors")
    waited = time.monotonic() - began
    looked = saved = time.monotonic()
    step, losses = 0, torch.zeros(2, device=device)
    while (progress := _progress(began, waited, arguments.seconds)) < 1:
        patches = store.draw(arguments.batch, CHOSEN, generator)
        body = step >= arguments.head_steps
        rate = one_cycle(progress, arguments.learning_rate) if body else HEAD_RATE
        losses += learner.step(patches, rate, body=body)
        step += 1
        if body:
            learner.update_average(step - arguments.head_steps)
        now = time.monotonic()
        if now - looked > LOOK_EVERY_S:
            store.take_new(SCENES_AT_ONCE)
            looked = now
        if now - saved > SAVE_EVERY_S:
            learner.save(out)
            saved = now
            if progress >= 0.5 and not half.exists():
                learner.save(half)
        if step % LOG_EVERY == 0:
            known, clicked = (losses / LOG_EVERY).tolist()
            logger.info(
                "%.0f s, step %d, %d scenes, rate %.1e: loss %.3f, of one click %.3f",
                *(now - began, step, len(store), rate, known, clicked),
            )
            if not math.isfinite(known + clicked):
                sys.exit("The loss is no number any more.")
            losses.zero_()
    learner.save(out)
    logger.info("%d steps of %d, %d scenes", step, arguments.batch, len(store))


def _progress(began: float, waited: float, seconds: float) -> float:
    """Return the share of the time that is over, not counting the wait for scenes."""
    return (time.monotonic() - began - waited) / max(seconds - waited, 1e-9)


def main() -> None:
    """Learn, and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--name", default="second")
    parser.add_argument("--seconds", type=float, default=520.0)
    parser.add_argument(
        "--one-click", type=float, default=0.0, help="its loss's weight"
    )
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--head-steps", type=int, default=HEAD_STEPS)
    parser.add_argument("--first-scenes", type=int, default=FIRST_SCENES)
    parser.add_argument("--most-scenes", type=int, default=4000)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments.out.mkdir(parents=True, exist_ok=True)
    learn(arguments)


if __name__ == "__main__":
    main()
