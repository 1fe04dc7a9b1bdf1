"""What an updated model's card says."""

from dataclasses import replace

from etpicker_plugin import __version__
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.make_card import describe_training
from etpicker_plugin.engine.training.resume import Counters
from etpicker_plugin.engine.training.validation import ClassResult
from etpicker_plugin.engine.update.forgetting import Forgetting
from etpicker_plugin.engine.update.lesson import Lesson


def updated_card(
    lesson: Lesson,
    config: UpdateConfig,
    *,
    species: tuple[Species, ...],
    counters: Counters,
    forgetting: Forgetting,
) -> ModelCard:
    """Return the card of a model that was updated from the lesson's old one.

    ``species`` are the lesson's, with what was learnt and measured of them.
    """
    this_round = lesson.card.round + 1
    tomograms = lesson.material.describe_tomograms()
    return replace(
        lesson.card,
        classes=species,
        annotation=config.annotation,
        border_ang=lesson.material.border_ang,
        tomograms=(
            *lesson.card.tomograms,
            *(replace(t, round=this_round) for t in tomograms),
        ),
        training={
            **describe_training(config_to_values(config), counters),
            "forgetting": forgetting.to_json(),
        },
        code_version=__version__,
        round=this_round,
        parent_sha256=lesson.sha256,
    )


def keep_unmeasured(
    results: list[ClassResult], species: tuple[Species, ...], n_truth: list[int]
) -> list[ClassResult]:
    """Keep the old threshold of a class that no held-out particle is left of.

    Parameters
    ----------
    species
        Those of the old model; the classes after them are new.
    """
    kept = list(results)
    for i, (one, count) in enumerate(zip(species, n_truth, strict=False)):
        if count == 0:
            kept[i] = replace(results[i], threshold=one.threshold)
    return kept
