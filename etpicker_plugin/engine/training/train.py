"""``etpicker train``: from clicked centres to a model file."""

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import torch

from etpicker_plugin import __version__
from etpicker_plugin.engine.config.options import config_digest, config_to_values
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.device import choose_device, describe_device
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.model.card import (
    ClassCard,
    ModelCard,
    TomogramCard,
    read_card,
)
from etpicker_plugin.engine.model.model_file import save_model
from etpicker_plugin.engine.model.network import Network, make_network, place_network
from etpicker_plugin.engine.picking.find import PeakSettings
from etpicker_plugin.engine.picking.nms import pooling_kernel
from etpicker_plugin.engine.progress import Progress
from etpicker_plugin.engine.training import dataset
from etpicker_plugin.engine.training.fit import FitSettings, Validate, fit
from etpicker_plugin.engine.training.patches import PatchSampler
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
from etpicker_plugin.engine.training.validation import (
    CANDIDATE_SCORE,
    ClassResult,
    JudgedPicks,
    ValidationPart,
    choose_threshold,
    join_judged,
    judge_parts,
    result_at,
    with_noise,
)

logger = logging.getLogger(__name__)

Judge = Callable[[Network, Iterable[ValidationPart]], list[JudgedPicks]]

MODEL_NAME = "model.safetensors"
STATE_NAME = "training_state.safetensors"
MATCH_SHARE = 0.5
RESERVED_S = 20.0
LOWER_DOSES = (0.7, 1.1)
"""Noise added for choosing thresholds: a half and, nearly, two fifths of the SNR."""
NOT_OF_THE_RESULT = ("out", "threads", "device")


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
    digest = config_digest(config, ignore=NOT_OF_THE_RESULT)
    if model_path.exists():
        return _finished_model(model_path, digest)
    device = choose_device(config.device, threads=config.threads)
    logger.info("etpicker %s, %s", __version__, describe_device(device))
    classes = list(config.diameter)
    training, validation = _read_inputs(config, classes)
    working = config.working_voxel_size or choose_working_voxel_size(
        config.diameter, dataset.check_voxel_sizes(training + validation)
    )
    labels = label_diameters_ang(config.diameter, working, config.label_diameter)
    torch.manual_seed(config.seed)
    network = place_network(make_network(config.network, len(classes)), device)
    volumes, parts = dataset.load_dataset(
        training,
        validation,
        classes=classes,
        working_voxel_size=working,
        held_out_share=config.validation_fraction,
        alignment=network.alignment,
    )
    _describe_run(config, training + validation, working)
    sampler = PatchSampler(
        volumes,
        patch_size=config.patch_size,
        labels=make_label_settings(
            config.diameter,
            labels,
            working_voxel_size=working,
            shape=config.label_shape,
            stride=network.output_stride,
            sparse=config.annotation == "sparse",
        ),
        seed=config.seed,
    )
    judge = _make_judge(config, labels, working, network.output_stride)
    state_path = out_dir / STATE_NAME
    state = _starting_state(state_path, digest)
    best = fit(
        network,
        sampler,
        settings=_fit_settings(config, began),
        validate=_make_validate(judge, parts, config),
        state=state,
        state_path=state_path,
        on_progress=on_progress,
    )
    card = _make_card(
        config,
        results=_final_results(best.eval(), judge, parts, config.f_alpha),
        labels=labels,
        working=working,
        tomograms=[dataset.describe_tomogram(a) for a in training + validation],
        state=state,
    )
    save_model(model_path, best, card)
    state_path.unlink(missing_ok=True)
    _describe_model(model_path, card)
    return model_path


def _finished_model(path: Path, digest: str) -> Path:
    """Return a finished model of the same run; refuse to overwrite another's."""
    card = read_card(path)
    if card.training.get("digest") == digest:
        logger.info("%s is finished already.", path)
        return path
    raise ConfigError(
        f"{path} exists, trained with other parameters or data. A model is never "
        "overwritten: give another --out."
    )


def _read_inputs(
    config: TrainConfig, classes: list[str]
) -> tuple[list[dataset.Annotated], list[dataset.Annotated]]:
    training = dataset.read_annotated(
        config.tomogram,
        config.coordinates,
        classes=classes,
        voxel_size=config.voxel_size,
        masks=config.mask,
        role="training",
    )
    validation = dataset.read_annotated(
        config.validation_tomogram,
        config.validation_coordinates,
        classes=classes,
        voxel_size=config.voxel_size,
        role="validation",
    )
    dataset.check_classes_present(training, classes)
    return training, validation


def _fit_settings(config: TrainConfig, began: float) -> FitSettings:
    """Turn the time limit into what is left of it after reading."""
    seconds = None
    if config.max_minutes is not None:
        spent = time.monotonic() - began + RESERVED_S
        seconds = max(60.0 * config.max_minutes - spent, 1.0)
    return FitSettings(
        budget=Budget(steps=config.steps, seconds=seconds),
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        patience=config.patience,
    )


def _starting_state(path: Path, digest: str) -> TrainingState:
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


def _make_judge(
    config: TrainConfig, labels: dict[str, float], working: float, stride: int
) -> Judge:
    """Return what picks held-out parts with a network and judges the picks."""
    settings = PeakSettings(
        kernels=[pooling_kernel(d / working / stride) for d in labels.values()],
        min_score=CANDIDATE_SCORE,
    )
    distances = [MATCH_SHARE * d / working for d in config.diameter.values()]
    return partial(judge_parts, settings=settings, match_distances=distances)


def _make_validate(
    judge: Judge, parts: list[ValidationPart], config: TrainConfig
) -> Validate:
    """Return the score that is maximised, F-alpha over the classes, and the F1s."""

    def validate(network: Network) -> tuple[float, dict[str, float]]:
        results = [
            result_at(judged, choose_threshold(judged), f_alpha=config.f_alpha)
            for judged in judge(network, parts)
        ]
        score = sum(r.f_alpha for r in results) / len(results)
        f1 = {f"f1:{n}": r.f1 for n, r in zip(config.diameter, results, strict=True)}
        return score, f1

    return validate


def _final_results(
    network: Network, judge: Judge, parts: list[ValidationPart], f_alpha: float
) -> list[ClassResult]:
    """Choose each class's threshold, and measure it on the held-out parts.

    The threshold is to hold on tomograms of lower quality too, where all scores fall:
    it is chosen on the parts as they are and at two lower doses, together.
    """
    levels = [judge(network, parts)]
    levels += [judge(network, with_noise(parts, share)) for share in LOWER_DOSES]
    pooled = [join_judged(list(of_class)) for of_class in zip(*levels, strict=True)]
    return [
        result_at(clean, choose_threshold(all_doses), f_alpha=f_alpha)
        for clean, all_doses in zip(levels[0], pooled, strict=True)
    ]


def _make_card(
    config: TrainConfig,
    *,
    results: list[ClassResult],
    labels: dict[str, float],
    working: float,
    tomograms: list[TomogramCard],
    state: TrainingState,
) -> ModelCard:
    counters = state.counters
    return ModelCard(
        network=config.network,
        classes=tuple(
            ClassCard(
                name=name,
                diameter_ang=diameter,
                label_diameter_ang=labels[name],
                threshold=round(result.threshold, 6),
                metrics={
                    "precision": result.precision,
                    "recall": result.recall,
                    "f1": result.f1,
                },
            )
            for (name, diameter), result in zip(
                config.diameter.items(), results, strict=True
            )
        ),
        working_voxel_size=working,
        annotation=config.annotation,
        tomograms=tuple(tomograms),
        training={
            "digest": counters.digest,
            "parameters": config_to_values(config),
            "steps": counters.step,
            "best_step": counters.best_step,
            "minutes": round(counters.elapsed_s / 60, 2),
            "history": counters.history,
        },
        code_version=__version__,
    )


def _describe_run(
    config: TrainConfig, annotated: list[dataset.Annotated], working: float
) -> None:
    for item in annotated:
        logger.info(
            "%s: %s voxels of %g Å, %d particles (%s)",
            item.tomogram.tomogram_id,
            "x".join(str(n) for n in item.tomogram.shape_zyx[::-1]),
            item.tomogram.voxel_size,
            len(item.particles),
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
    logger.info("Model written to %s", path)
