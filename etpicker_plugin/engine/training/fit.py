"""The training loop: steps, a running average of the weights, validation, resume."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.model.training_end import why_stopped
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.training.losses import (
    spare_likely_particles,
    supervised_loss,
)
from etpicker_plugin.engine.training.parallel import Run, only_logits
from etpicker_plugin.engine.training.patches import (
    Batch,
    BatchSource,
    stream_batches,
)
from etpicker_plugin.engine.training.ranks import Ranks
from etpicker_plugin.engine.training.resume import Counters, TrainingState
from etpicker_plugin.engine.training.schedule import Budget, one_cycle
from etpicker_plugin.engine.training.weights import (
    Loss,
    Weights,
    make_weights,
    restore_weights,
    save_weights,
    take_step,
    update_average,
)

logger = logging.getLogger(__name__)

VALIDATIONS = 10
SAVE_EVERY_S = 60.0
ALONE = Ranks()

Validate = Callable[[Network, int], tuple[float, dict[str, float]]]


def never() -> bool:
    """Ask for nothing."""
    return False


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
    is_asked_to_finish: Callable[[], bool] = never,
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
        At the end its counters say what ended the training.
    is_asked_to_finish
        Looked at after each step: true ends the training with a last validation.
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
    weights = make_weights(
        network,
        run,
        ranks,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
        learn_statistics=settings.learn_statistics,
    )
    restore_weights(state, weights)
    counters, budget = state.counters, settings.budget
    began = time.monotonic() - counters.elapsed_s
    saved = time.monotonic()
    progress, asked = budget.progress(counters.step, counters.elapsed_s), False
    for batch in stream_batches(
        source,
        first_step=counters.step,
        last_step=budget.steps,
        batch_size=settings.batch_size,
    ):
        if asked or progress >= 1.0 or _is_out_of_patience(counters, settings):
            break
        rate = one_cycle(progress, settings.learning_rate)
        value = take_step(weights, batch, loss, rate=rate)
        if not math.isfinite(value):
            raise ConfigError(
                f"Training diverged: the loss of step {counters.step + 1} is {value}. "
                f"Give a lower --learning-rate than {settings.learning_rate:g}, and "
                "another --out."
            )
        counters.step += 1
        update_average(weights, counters.step)
        counters.elapsed_s = ranks.share(time.monotonic() - began)
        on_progress(_describe_step(counters, budget, loss=value, rate=rate))
        asked = ranks.share(float(is_asked_to_finish())) > 0
        progress = budget.progress(counters.step, counters.elapsed_s)
        due = _validation_is_due(
            progress, counters.validations, first=settings.first_validation
        )
        if due:
            _validate(weights, validate, settings, state, on_progress)
            counters.validations = _validations_by(
                progress, first=settings.first_validation
            )
            counters.elapsed_s = ranks.share(time.monotonic() - began)
            progress = budget.progress(counters.step, counters.elapsed_s)
        if ranks.is_first and (due or time.monotonic() - saved > SAVE_EVERY_S):
            save_weights(state_path, state, weights)
            saved = time.monotonic()
    last = counters.history[-1]["step"] if counters.history else -1
    if last < counters.step:  # it ended between a step and its validation
        _validate(weights, validate, settings, state, on_progress)
    counters.stopped_by = why_stopped(
        asked=asked,
        out_of_patience=_is_out_of_patience(counters, settings),
        out_of_time=budget.is_out_of_time(counters.elapsed_s),
    )
    return weights.best


def _is_out_of_patience(counters: Counters, settings: FitSettings) -> bool:
    return counters.validations_since_best >= settings.patience


def _describe_step(
    counters: Counters, budget: Budget, *, loss: float, rate: float
) -> ProgressEvent:
    """Return the report of a step; the best score stands in it once there is one."""
    values = {"loss": loss, "lr": rate}
    if counters.history:
        values["best_score"] = counters.best_score
    return ProgressEvent(
        "training",
        counters.step,
        budget.steps,
        values,
        left_s=budget.left_s(counters.step, counters.elapsed_s),
    )


def _validation_is_due(progress: float, validations: int, *, first: float) -> bool:
    """Validate at even intervals after the first share, and at the very end."""
    return progress >= 1.0 or validations < _validations_by(progress, first=first)


def _validations_by(progress: float, *, first: float) -> int:
    """Return how many validations belong to the share of the budget that is spent.

    A share may come all at once, when a training goes on with a shorter time limit.
    """
    if progress < first:
        return 0
    return 1 + int((progress - first) / (1 - first) * VALIDATIONS + 1e-9)


def _validate(
    weights: Weights,
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
