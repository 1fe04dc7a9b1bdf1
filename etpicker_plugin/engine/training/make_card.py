"""What a new model's card says of its training."""

from typing import Any

from etpicker_plugin import __version__
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.material import Material
from etpicker_plugin.engine.training.resume import Counters


def make_card(
    config: TrainConfig,
    material: Material,
    *,
    network: str,
    species: tuple[Species, ...],
    counters: Counters,
    pretrained_sha256: str,
    advice: list[str],
    taught_by: str = "",
) -> ModelCard:
    """Return the card of a model that was just trained.

    ``network`` is its name; ``species`` are the material's, with what was learnt and
    measured of them; ``advice`` is what its picks say of the marks; ``taught_by`` names
    what it has learnt from beside marks, if anything.
    """
    return ModelCard(
        network=network,
        classes=species,
        working_voxel_size=material.voxel_size,
        border_ang=material.border_ang,
        annotation=config.annotation,
        label_shape=config.label_shape,
        tomograms=material.describe_tomograms(),
        training={
            **describe_training(config_to_values(config), counters),
            "pretrained_sha256": pretrained_sha256,
            "advice": advice,
            **({"taught_by": taught_by} if taught_by else {}),
        },
        code_version=__version__,
    )


def describe_training(parameters: dict[str, Any], counters: Counters) -> dict[str, Any]:
    """Return what the card keeps of a run: its parameters and its course."""
    return {
        "digest": counters.digest,
        "parameters": parameters,
        **describe_course(counters),
        "history": counters.history,
    }


def describe_course(counters: Counters) -> dict[str, Any]:
    """Return how long a training took, which step was best, and what ended it."""
    return {
        "steps": counters.step,
        "best_step": counters.best_step,
        "minutes": round(counters.elapsed_s / 60, 2),
        "stopped_by": counters.stopped_by,
    }
