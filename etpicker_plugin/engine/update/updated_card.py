"""What an updated model's card says."""

from collections.abc import Sequence
from dataclasses import replace

from etpicker_plugin import __version__
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.model.card import ClassCard, ModelCard, TomogramCard
from etpicker_plugin.engine.training.make_card import class_cards, describe_training
from etpicker_plugin.engine.training.resume import TrainingState
from etpicker_plugin.engine.training.validation import ClassResult
from etpicker_plugin.engine.update.classes import Plan
from etpicker_plugin.engine.update.forgetting import Forgetting


def updated_card(
    card: ModelCard,
    config: UpdateConfig,
    *,
    plan: Plan,
    border: float,
    results: list[ClassResult],
    flat_log_odds: Sequence[float],
    tomograms: list[TomogramCard],
    parent_sha256: str,
    forgetting: Forgetting,
    state: TrainingState,
) -> ModelCard:
    """Return the card of a model that was updated from the one of ``card``."""
    this_round = card.round + 1
    return replace(
        card,
        classes=class_cards(plan.diameters, plan.labels, results, flat_log_odds),
        annotation=config.annotation,
        border_ang=border,
        tomograms=(
            *card.tomograms,
            *(replace(t, round=this_round) for t in tomograms),
        ),
        training={
            **describe_training(config_to_values(config), state),
            "forgetting": forgetting.to_json(),
        },
        code_version=__version__,
        round=this_round,
        parent_sha256=parent_sha256,
    )


def keep_unmeasured(
    results: list[ClassResult], cards: tuple[ClassCard, ...], n_truth: list[int]
) -> list[ClassResult]:
    """Keep the old threshold of a class that no held-out particle is left of."""
    kept = list(results)
    for i, (card, count) in enumerate(zip(cards, n_truth, strict=False)):
        if count == 0:
            kept[i] = replace(results[i], threshold=card.threshold)
    return kept
