"""``etpicker train``: from clicked centres to a model file."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from etpicker_plugin import __version__
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.device import (
    choose_device,
    describe_device,
    is_out_of_memory,
)
from etpicker_plugin.engine.errors import ConfigError, ResourceError
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.model.exemplars import MEGABYTE, Exemplar
from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.model.model_file import save_model
from etpicker_plugin.engine.model.network import Network, make_network, place_network
from etpicker_plugin.engine.model.pretrained import begin_from_pretrained
from etpicker_plugin.engine.progress import Progress
from etpicker_plugin.engine.run_folder import claim_folder, digest_run
from etpicker_plugin.engine.training import dataset
from etpicker_plugin.engine.training.annotated_border import annotated_border
from etpicker_plugin.engine.training.fit import FitSettings, fit
from etpicker_plugin.engine.training.flatness import learn_flatness, seconds_to_learn
from etpicker_plugin.engine.training.judge import (
    equal_score,
    make_judge,
    make_validate,
)
from etpicker_plugin.engine.training.keep import Provenance, keep_exemplars
from etpicker_plugin.engine.training.make_card import make_card
from etpicker_plugin.engine.training.patches import (
    COMPLETE,
    SPARSE,
    PatchSampler,
    TrainingVolume,
)
from etpicker_plugin.engine.training.ranks import join_ranks
from etpicker_plugin.engine.training.resume import (
    Counters,
    TrainingState,
    load_state,
)
from etpicker_plugin.engine.training.scale import (
    choose_working_voxel_size,
    label_diameters_ang,
    make_label_settings,
)
from etpicker_plugin.engine.training.schedule import Budget
from etpicker_plugin.engine.training.validation import ValidationPart
from etpicker_plugin.engine.training.watch import make_watch

logger = logging.getLogger(__name__)

MODEL_NAME = "model.safetensors"
STATE_NAME = "training_state.safetensors"
RESERVED_S = 20.0
LAST_SHARE = 0.25
"""Of a time limit, at most, is kept for learning what flatness costs."""
FIRST_LOOK_MINUTES = 2.0
FIRST_VALIDATION = {COMPLETE: 0.3, SPARSE: 0.1}
"""Share of the budget. What is not marked is learnt as background too, the more so the
longer it goes on: from some hundred marks, the best may come early."""


def train(config: TrainConfig, out_dir: Path, *, on_progress: Progress) -> Path:
    """Train a model; return its file.

    A run that was killed goes on where its last state was written; one that is
    finished returns at once.

    Raises
    ------
    ConfigError, InputDataError, ResourceError
        Before any training, for what cannot be used.
    """
    began = time.monotonic()
    model_path = out_dir / MODEL_NAME
    run = digest_run(config)
    if claim_folder(out_dir, run, result=MODEL_NAME, begun=(STATE_NAME,)):
        logger.info("%s is finished already.", model_path)
        return model_path
    device = choose_device(config.device, threads=config.threads)
    ranks = join_ranks(device)
    logger.info("etpicker %s, %s", __version__, describe_device(device))
    classes = list(config.diameter)
    training, validation = _read_inputs(config, classes)
    working = config.working_voxel_size or choose_working_voxel_size(
        config.diameter,
        dataset.check_voxel_sizes(training + validation),
        first_look=config.first_look,
    )
    labels = label_diameters_ang(config.diameter, working, config.label_diameter)
    border = annotated_border(training + validation, config.diameter)
    torch.manual_seed(config.seed)
    network, pretrained = _make_network(config)
    place_network(network, device)
    volumes, parts = dataset.load_dataset(
        training,
        validation,
        classes=classes,
        working_voxel_size=working,
        held_out_share=None if validation else config.validation_fraction,
        border_ang=border,
        alignment=network.alignment,
    )
    _describe_run(config, training + validation, working)
    sampler = _make_sampler(
        config,
        volumes,
        labels,
        working,
        network.output_stride,
        seed=ranks.seed(config.seed),
        device=device,
    )
    judge = make_judge(
        config.diameter,
        labels,
        working_voxel_size=working,
        stride=network.output_stride,
        f_alpha=config.f_alpha,
    )
    state_path = out_dir / STATE_NAME
    state = starting_state(state_path, run.digest)
    watch = make_watch(
        out_dir,
        parts,
        config.diameter,
        working_voxel_size=working,
        counters=state.counters,
    )
    with explain_memory(batch_size=config.batch_size, patch_size=config.patch_size):
        best = fit(
            network,
            sampler,
            settings=_fit_settings(config, began, volumes, parts),
            validate=make_validate(judge, parts, watch=watch),
            state=state,
            state_path=state_path,
            on_progress=on_progress,
            ranks=ranks,
        )
    ranks.part()
    if not ranks.is_first:
        return model_path
    costs = learn_flatness(best.eval(), volumes, judge, known=judge.flat_log_odds)
    judge = replace(judge, flat_log_odds=costs)
    card = make_card(
        config,
        results=judge.final_results(best, parts),
        flat_log_odds=judge.flat_log_odds,
        labels=labels,
        working=working,
        border=border,
        tomograms=[dataset.describe_tomogram(a) for a in training + validation],
        state=state,
        pretrained_sha256=pretrained,
    )
    exemplars: list[Exemplar] = []
    if config.exemplars == "full":
        exemplars = keep_exemplars(
            best,
            volumes,
            parts,
            classes=tuple(classes),
            provenance=Provenance(round=0, owner=config.owner, licence=config.licence),
            budget=int(config.exemplar_budget * MEGABYTE),
        )
    save_model(model_path, best, card, exemplars=exemplars)
    state_path.unlink(missing_ok=True)
    _describe_model(model_path, card)
    return model_path


def _make_network(config: TrainConfig) -> tuple[Network, str]:
    """Return the network to begin with, and the hash of its pretrained weights."""
    network = make_network(config.network, len(config.diameter))
    if config.from_scratch or not isinstance(network, FastNetwork):
        return network, ""
    return network, begin_from_pretrained(network)


def _make_sampler(
    config: TrainConfig,
    volumes: list[TrainingVolume],
    labels: dict[str, float],
    working: float,
    stride: int,
    *,
    seed: int,
    device: torch.device,
) -> PatchSampler:
    settings = make_label_settings(
        config.diameter,
        labels,
        working_voxel_size=working,
        shape=config.label_shape,
        stride=stride,
    )
    return PatchSampler(
        volumes,
        patch_size=config.patch_size,
        labels=settings,
        seed=seed,
        device=device,
    )


@contextmanager
def explain_memory(*, batch_size: int, patch_size: int) -> Iterator[None]:
    """Turn running out of memory into an error that says what would fit.

    Raises
    ------
    ResourceError
        Naming a smaller batch and patch.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise ResourceError(
            f"Memory does not suffice for batches of {batch_size} patches of "
            f"{patch_size} voxels. Try --batch-size {max(batch_size // 2, 1)}, or "
            f"--patch-size {max(patch_size * 3 // 4 // 8 * 8, 16)}."
        ) from error


def _read_inputs(
    config: TrainConfig, classes: list[str]
) -> tuple[list[dataset.Annotated], list[dataset.Annotated]]:
    training = dataset.read_annotated(
        config.tomogram,
        config.coordinates,
        classes=classes,
        annotation=config.annotation,
        voxel_size=config.voxel_size,
        masks=config.mask,
        role="training",
    )
    validation = dataset.read_annotated(
        config.validation_tomogram,
        config.validation_coordinates,
        classes=classes,
        annotation=config.annotation,
        voxel_size=config.voxel_size,
        role="validation",
    )
    dataset.check_classes_present(training, classes)
    dataset.check_diameters_fit(training + validation, config.diameter)
    return training, validation


def _fit_settings(
    config: TrainConfig,
    began: float,
    volumes: list[TrainingVolume],
    parts: list[ValidationPart],
) -> FitSettings:
    """Return how the loop runs."""
    return FitSettings(
        budget=remaining_budget(
            config.steps, time_limit(config), began=began, volumes=volumes
        ),
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        patience=config.patience,
        equal_score=equal_score(parts),
        first_validation=FIRST_VALIDATION[config.annotation],
    )


def time_limit(config: TrainConfig) -> float | None:
    """Return the minutes that training may take, if there is a limit."""
    if config.first_look and config.max_minutes is None:
        return FIRST_LOOK_MINUTES
    return config.max_minutes


def remaining_budget(
    steps: int,
    max_minutes: float | None,
    *,
    began: float,
    volumes: list[TrainingVolume],
) -> Budget:
    """Turn a time limit into what is left of it, after reading, for the steps.

    ``began`` is the monotonic time at which the command began.
    """
    if max_minutes is None:
        return Budget(steps=steps)
    limit = 60.0 * max_minutes
    last = RESERVED_S + min(seconds_to_learn(volumes), LAST_SHARE * limit)
    left = limit - (time.monotonic() - began) - last
    return Budget(steps=steps, seconds=max(left, 1.0))


def starting_state(path: Path, digest: str) -> TrainingState:
    """Return the state of an interrupted run of the same parameters, or a new one."""
    if not path.exists():
        return TrainingState(Counters(digest), {}, {})
    state = load_state(path)
    if state.counters.digest != digest:
        raise ConfigError(
            f"{path} belongs to an unfinished training with other parameters. Give "
            "another --out, or delete that file."
        )
    logger.info("Going on from step %d.", state.counters.step)
    return state


def _describe_run(
    config: TrainConfig, annotated: list[dataset.Annotated], working: float
) -> None:
    for item in annotated:
        logger.info(
            "%s: %s voxels of %g Å, %d particles, %d negatives (%s)",
            item.tomogram.tomogram_id,
            "x".join(str(n) for n in item.tomogram.shape_zyx[::-1]),
            item.tomogram.voxel_size,
            len(item.particles),
            len(item.negatives),
            item.role,
        )
    logger.info("Network %s at %.2f Å per voxel", config.network, working)


def _describe_model(path: Path, card: ModelCard) -> None:
    for item in card.classes:
        logger.info(
            "%s: threshold %.3f, held-out F1 %.3f (precision %.3f, recall %.3f)",
            item.name,
            item.threshold,
            item.metrics["f1"],
            item.metrics["precision"],
            item.metrics["recall"],
        )
        if item.flat_log_odds:
            logger.info(
                "%s: picks in places flatter than usual lose %.2f log-odds for "
                "each deviation",
                item.name,
                item.flat_log_odds,
            )
    logger.info("Model written to %s", path)
