"""What a new model's card says of its training."""

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
    labels: dict[str, float],
    working: float,
    tomograms: list[TomogramCard],
    state: TrainingState,
) -> ModelCard:
    """Return the card of a model that was just trained."""
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
