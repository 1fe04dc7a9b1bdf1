"""What a new model's card says of its training."""

from collections.abc import Mapping, Sequence
from typing import Any

from etpicker_plugin import __version__
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.model.card import ClassCard, ModelCard, TomogramCard
from etpicker_plugin.engine.training.resume import TrainingState
from etpicker_plugin.engine.training.validation import ClassResult


def make_card(
    config: TrainConfig,
    *,
    results: list[ClassResult],
    flat_log_odds: Sequence[float],
    labels: dict[str, float],
    working: float,
    border: float,
    tomograms: list[TomogramCard],
    state: TrainingState,
    pretrained_sha256: str,
) -> ModelCard:
    """Return the card of a model that was just trained."""
    return ModelCard(
        network=config.network,
        classes=class_cards(config.diameter, labels, results, flat_log_odds),
        working_voxel_size=working,
        border_ang=border,
        annotation=config.annotation,
        label_shape=config.label_shape,
        tomograms=tuple(tomograms),
        training={
            **describe_training(config_to_values(config), state),
            "pretrained_sha256": pretrained_sha256,
        },
        code_version=__version__,
    )


def class_cards(
    diameters: Mapping[str, float],
    labels: Mapping[str, float],
    results: list[ClassResult],
    flat_log_odds: Sequence[float],
) -> tuple[ClassCard, ...]:
    """Return what the card says of each class, with what was measured of it."""
    return tuple(
        ClassCard(
            name=name,
            diameter_ang=diameter,
            label_diameter_ang=labels[name],
            threshold=round(result.threshold, 6),
            flat_log_odds=cost,
            metrics={
                "precision": result.precision,
                "recall": result.recall,
                "f1": result.f1,
            },
        )
        for (name, diameter), result, cost in zip(
            diameters.items(), results, flat_log_odds, strict=True
        )
    )


def describe_training(
    parameters: dict[str, Any], state: TrainingState
) -> dict[str, Any]:
    """Return what the card keeps of a run: its parameters and its course."""
    counters = state.counters
    return {
        "digest": counters.digest,
        "parameters": parameters,
        "steps": counters.step,
        "best_step": counters.best_step,
        "minutes": round(counters.elapsed_s / 60, 2),
        "history": counters.history,
    }
