"""The training loop: steps, a running average of the weights, validation, resume."""

import copy
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.training.losses import (
    spare_likely_particles,
    supervised_loss,
)
from etpicker_plugin.engine.training.parallel import (
    ParallelNetwork,
    Run,
    only_logits,
)
from etpicker_plugin.engine.training.patches import (
    Batch,
    BatchSource,
    stream_batches,
)
from etpicker_plugin.engine.training.ranks import Ranks
from etpicker_plugin.engine.training.resume import (
    TrainingState,
    optimiser_moments,
    restore_moments,
    save_state,
)
from etpicker_plugin.engine.training.schedule import Budget, one_cycle

logger = logging.getLogger(__name__)

VALIDATIONS = 10
AVERAGE_DECAY = 0.995
WEIGHT_DECAY = 0.01
BETAS = (0.9, 0.99)
LARGEST_GRADIENT = 5.0
SAVE_EVERY_S = 60.0
ALONE = Ranks()

Validate = Callable[[Network, int], tuple[float, dict[str, float]]]
Loss = Callable[[tuple[Tensor, ...], Batch, Network], Tensor]


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How the loop runs.

    Attributes
    ----------
    equal_score
        Two validation scores that differ by no more are equal.
    learn_statistics
        Off where batch normalisation keeps the statistics the network came with.
    first_validation
        Share of the budget that passes before it.
    """

    budget: Budget
    batch_size: int
    learning_rate: float
    patience: int
    equal_score: float
    learn_statistics: bool = True
    first_validation: float = 0.3


@dataclass
class _Weights:
    """The network being trained, its running average, and the best average so far."""

    network: Network
    parallel: ParallelNetwork
    average: Network
    best: Network
    optimiser: torch.optim.AdamW
    ranks: Ranks


def learn_from_labels(
    outputs: tuple[Tensor, ...], batch: Batch, network: Network
) -> Tensor:
    """Return the supervised loss of a batch's logits."""
    (logits,) = outputs
    target, weight = batch.target.to(logits.device), batch.weight.to(logits.device)
    weight = spare_likely_particles(logits, target, weight)
    return supervised_loss(logits, target, weight)


def fit(
    network: Network,
    source: BatchSource,
    *,
    settings: FitSettings,
    validate: Validate,
    state: TrainingState,
    state_path: Path,
    on_progress: Progress,
    run: Run = only_logits,
    loss: Loss = learn_from_labels,
    ranks: Ranks = ALONE,
) -> Network:
    """Train, and return the average of the weights that validated best.

    Parameters
    ----------
    network
        To begin with; changed in place.
    validate
        Judges an averaged network after so many steps: the score to maximise, and
        values to report.
    state
        Where to begin; ``state_path`` is rewritten at every validation and minute.
    run, loss
        Outputs of the network for a batch of images; and the loss of those outputs,
        which may also look at the network's weights.
    ranks
        The processes that train together; ``source`` gives this one's patches.

    Raises
    ------
    ConfigError
        If the loss is no longer a number.
    """
    weights = _make_weights(network, settings, run, ranks)
    _restore(state, weights)
    counters, budget = state.counters, settings.budget
    began = time.monotonic() - counters.elapsed_s
    saved = time.monotonic()
    progress = budget.progress(counters.step, counters.elapsed_s)
    for batch in stream_batches(
        source,
        first_step=counters.step,
        last_step=budget.steps,
        batch_size=settings.batch_size,
    ):
        if progress >= 1.0 or counters.validations_since_best >= settings.patience:
            break
        rate = one_cycle(progress, settings.learning_rate)
        value = _step(weights, batch, loss, rate=rate)
        if not math.isfinite(value):
            raise ConfigError(
                f"Training diverged: the loss of step {counters.step + 1} is {value}. "
                f"Give a lower --learning-rate than {settings.learning_rate:g}, and "
                "another --out."
            )
        counters.step += 1
        _update_average(weights, counters.step)
        counters.elapsed_s = ranks.share(time.monotonic() - began)
        report = {"loss": value, "lr": rate}
        on_progress(ProgressEvent("training", counters.step, budget.steps, report))
        progress = budget.progress(counters.step, counters.elapsed_s)
        due = _validation_is_due(
            progress, counters.validations, first=settings.first_validation
        )
        if due:
            _validate(weights, validate, settings, state, on_progress)
            counters.elapsed_s = ranks.share(time.monotonic() - began)
            progress = budget.progress(counters.step, counters.elapsed_s)
        if ranks.is_first and (due or time.monotonic() - saved > SAVE_EVERY_S):
            _save(state_path, state, weights)
            saved = time.monotonic()
    last = counters.history[-1]["step"] if counters.history else -1
    if last < counters.step:  # time ran out between a step and its validation
        _validate(weights, validate, settings, state, on_progress)
    return weights.best


def _make_weights(
    network: Network, settings: FitSettings, run: Run, ranks: Ranks
) -> _Weights:
    average = copy.deepcopy(network).requires_grad_(False)
    optimiser = torch.optim.AdamW(
        network.parameters(),
        lr=settings.learning_rate,
        betas=BETAS,
        weight_decay=WEIGHT_DECAY,
    )
    parallel = ParallelNetwork(network, run, batch_size=settings.batch_size)
    parallel.train(learn_statistics=settings.learn_statistics)
    best = copy.deepcopy(average)
    return _Weights(network, parallel, average, best, optimiser, ranks)


def _validation_is_due(progress: float, validations: int, *, first: float) -> bool:
    """Validate at even intervals after the first share, and at the very end."""
    next_one = first + validations * (1 - first) / VALIDATIONS
    return progress >= next_one or progress >= 1.0


def _step(weights: _Weights, batch: Batch, loss: Loss, *, rate: float) -> float:
    """Take one optimiser step; return the loss."""
    optimiser = weights.optimiser
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad(set_to_none=True)
    value = loss(weights.parallel.forward(batch.image), batch, weights.network)
    value.backward()
    weights.parallel.backward()
    weights.ranks.average(_learnt_tensors(weights.network))
    torch.nn.utils.clip_grad_norm_(weights.network.parameters(), LARGEST_GRADIENT)
    optimiser.step()
    return float(value.detach())


def _learnt_tensors(network: Network) -> Iterator[Tensor]:
    """Yield what a step has made from its patches: gradients and statistics."""
    yield from (p.grad for p in network.parameters() if p.grad is not None)
    yield from (b for b in network.buffers() if b.is_floating_point())


def _update_average(weights: _Weights, step: int) -> None:
    """Move the running average (EMA) of weights and statistics one step."""
    decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
    means = weights.average.state_dict().values()
    values = weights.network.state_dict().values()
    with torch.no_grad():
        for mean, value in zip(means, values, strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)


def _validate(
    weights: _Weights,
    validate: Validate,
    settings: FitSettings,
    state: TrainingState,
    on_progress: Progress,
) -> None:
    """Judge the average; keep it as the best unless an earlier one was better.

    Held-out particles are few, so small differences are chance: the later of two
    equal averages is kept, because the learning rate has fallen further.
    """
    counters = state.counters
    weights.average.eval()
    score, values = 0.0, dict[str, float]()
    if weights.ranks.is_first:
        score, values = validate(weights.average, counters.step)
    score = weights.ranks.share(score)
    counters.validations += 1
    counters.validations_since_best += 1
    if score >= counters.best_score - settings.equal_score:
        counters.best_score = max(score, counters.best_score)
        counters.best_step = counters.step
        counters.validations_since_best = 0
        weights.best.load_state_dict(weights.average.state_dict())
    record = {"step": counters.step, "score": score, **values}
    counters.history.append(record)
    on_progress(
        ProgressEvent("validation", counters.validations, VALIDATIONS + 1, record)
    )


def _save(path: Path, state: TrainingState, weights: _Weights) -> None:
    state.tensors = {
        "network": weights.network.state_dict(),
        "average": weights.average.state_dict(),
        "best": weights.best.state_dict(),
    }
    state.moments = optimiser_moments(weights.optimiser)
    save_state(path, state)


def _restore(state: TrainingState, weights: _Weights) -> None:
    if not state.tensors:
        return
    weights.network.load_state_dict(state.tensors["network"])
    weights.average.load_state_dict(state.tensors["average"])
    weights.best.load_state_dict(state.tensors["best"])
    restore_moments(weights.optimiser, state.moments)
