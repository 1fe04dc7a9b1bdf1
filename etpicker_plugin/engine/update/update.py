"""``etpicker update``: an existing model and new tomograms to a new model."""

import copy
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.model.card import read_usable_card
from etpicker_plugin.engine.model.exemplars import MEGABYTE, Exemplar
from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.model.network import Network, grow_network, place_network
from etpicker_plugin.engine.picking.second_look import second_look_of
from etpicker_plugin.engine.progress import Progress
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.first_head import solve_first_head
from etpicker_plugin.engine.training.flatness import learn_flatness
from etpicker_plugin.engine.training.judge import Judge, with_results
from etpicker_plugin.engine.training.keep import Provenance, keep_exemplars
from etpicker_plugin.engine.training.pace import Pace
from etpicker_plugin.engine.training.patches import PatchSampler, TrainingVolume
from etpicker_plugin.engine.training.polarity import with_ways
from etpicker_plugin.engine.training.run import MODEL_NAME, LearningRun, begin_run
from etpicker_plugin.engine.update.contender import VIEWS, Contender, many_views
from etpicker_plugin.engine.update.forgetting import Forgetting, compare_models
from etpicker_plugin.engine.update.importance import weight_importance
from etpicker_plugin.engine.update.lesson import Lesson, prepare_lesson
from etpicker_plugin.engine.update.loss import Terms, UpdateLoss, dual_path
from etpicker_plugin.engine.update.replay import (
    REPLAY_SEED,
    MixedBatches,
    learnt_volumes,
)
from etpicker_plugin.engine.update.report import write_forgetting
from etpicker_plugin.engine.update.updated_card import keep_unmeasured, updated_card

logger = logging.getLogger(__name__)

IMPORTANCE_BATCHES = 8
FIRST_VALIDATION = 0.2


def update(config: UpdateConfig, out_dir: Path, *, on_progress: Progress) -> Path:
    """Update a model; return the new file.

    The old file stays as it is. ``forgetting.json`` and ``report.html`` say what was
    gained and lost, and which of the two models should be used. A run that was killed
    goes on where its last state was written.

    Raises
    ------
    CheckpointError, ConfigError, InputDataError, ResourceError
        Before any training, for what cannot be used.
    """
    read_usable_card(config.model)  # says best what is wrong with a model
    run = begin_run(config, out_dir, on_progress=on_progress)
    if run is None:
        return out_dir / MODEL_NAME
    lesson = prepare_lesson(config, run.device)
    best = _learn(lesson, config, run)
    if not run.ranks.is_first:
        return run.model_path
    material, judge = lesson.material, lesson.material.judge(config.f_alpha)
    judge = replace(judge, species=learn_flatness(best, material.volumes, judge))
    ways = with_ways(judge.species, material.volumes, voxel_size=material.voxel_size)
    judge = replace(judge, species=ways)
    results = keep_unmeasured(
        judge.final_results(best, material.parts),
        lesson.card.classes,
        lesson.count_held_out(),
    )
    judge = replace(judge, species=with_results(judge.species, results))
    forgetting = _compare(lesson, best, judge, config)
    write_forgetting(
        forgetting, out_dir, old_model=Path(config.model), new_model=run.model_path
    )
    card = updated_card(
        lesson,
        config,
        species=judge.species,
        counters=run.state.counters,
        forgetting=forgetting,
    )
    run.finish(best, card, _exemplars_to_keep(lesson, best, config))
    _describe(forgetting, run.model_path)
    return run.model_path


def _learn(lesson: Lesson, config: UpdateConfig, run: LearningRun) -> Network:
    """Train the student beside the frozen teacher."""
    n_classes = len(lesson.plan.classes)
    student = grow_network(lesson.teacher, n_classes, seed=config.seed)
    student = place_network(student, lesson.device)
    source = _mixed_batches(lesson, config, seed=run.ranks.seed(config.seed))
    if isinstance(student, FastNetwork) and n_classes > lesson.plan.n_old:
        solve_first_head(student, source.new, first_channel=lesson.plan.n_old)
        run.ranks.average(student.head.parameters())
    return run.learn(
        student,
        source,
        replace(lesson.material, species=_without_costs(lesson.plan.species)),
        pace=Pace(
            learning_rate=config.learning_rate,
            steps=config.steps,
            learn_statistics=False,
        ),
        minutes=config.max_minutes,
        first_validation=FIRST_VALIDATION,
        outputs=dual_path(lesson.teacher),
        loss=_update_loss(lesson, source, config),
    )


def _without_costs(species: Sequence[Species]) -> tuple[Species, ...]:
    """Return species that flatness costs nothing: it is learnt after the best step."""
    return tuple(replace(s, flat_log_odds=0.0) for s in species)


def _mixed_batches(lesson: Lesson, config: UpdateConfig, *, seed: int) -> MixedBatches:
    labels = lesson.material.labels(
        lesson.card.label_shape, stride=lesson.teacher.output_stride
    )
    remembered = learnt_volumes(lesson.earlier, lesson.plan.classes)

    def sampler(volumes: list[TrainingVolume], seed: int) -> PatchSampler:
        return PatchSampler(
            volumes,
            patch_size=config.patch_size,
            labels=labels,
            seed=seed,
            device=lesson.device,
        )

    replay = config.replay_weight > 0 or config.distillation_weight > 0
    memory = sampler(remembered, seed + REPLAY_SEED) if remembered else None
    return MixedBatches(
        new=sampler(lesson.material.volumes, seed), memory=memory if replay else None
    )


def _update_loss(
    lesson: Lesson, source: MixedBatches, config: UpdateConfig
) -> UpdateLoss:
    importance: list[Tensor] = []
    anchors = [p.detach().clone() for p in lesson.teacher.parameters()]
    if config.importance_weight > 0:
        images = _importance_images(source, config.batch_size)
        importance = weight_importance(copy.deepcopy(lesson.teacher), images)
    return UpdateLoss(
        terms=Terms(
            replay=config.replay_weight,
            distillation=config.distillation_weight,
            feature=config.feature_weight,
            importance=config.importance_weight,
        ),
        anchors=anchors,
        importance=importance,
        confident=torch.tensor([c.threshold for c in lesson.card.classes]),
    )


def _importance_images(source: MixedBatches, batch_size: int) -> Iterator[Tensor]:
    for number in range(IMPORTANCE_BATCHES):
        batch = source.batch(number, batch_size)
        # What the old model knew is in its exemplars, or in nothing but the new data.
        remembered = batch.image[batch.replayed]
        yield remembered if len(remembered) else batch.image


def _compare(
    lesson: Lesson, best: Network, judge: Judge, config: UpdateConfig
) -> Forgetting:
    """Compare the old model with the new one, each at its own thresholds.

    Those of a model with maps are of what the maps make of its scores. Maps have a
    hand, so that nothing is mirrored then.
    """
    look = second_look_of(lesson.maps, lesson.card.working_voxel_size)
    views = VIEWS if look is None else VIEWS[:1]
    of_the_old = replace(judge, species=lesson.card.classes, second_look=look)
    before = Contender(network=lesson.teacher.eval(), judge=of_the_old)
    after = Contender(network=best, judge=judge)
    return compare_models(
        before,
        after,
        groups=many_views(lesson.groups, views),
        new_group=lesson.new_group,
        allowed_drop=config.allowed_drop,
        n_views=len(views),
    )


def _exemplars_to_keep(
    lesson: Lesson, best: Network, config: UpdateConfig
) -> list[Exemplar]:
    if config.exemplars == "none":
        return lesson.earlier
    return keep_exemplars(
        best,
        lesson.material.volumes,
        lesson.groups[lesson.new_group],
        classes=lesson.plan.classes,
        provenance=Provenance(
            round=lesson.card.round + 1, owner=config.owner, licence=config.licence
        ),
        earlier=lesson.earlier,
        budget=int(config.exemplar_budget * MEGABYTE),
    )


def _describe(forgetting: Forgetting, model_path: Path) -> None:
    for change in forgetting.classes:
        if change.f1_after is None:
            logger.warning("%s: not measured", change.name)
            continue
        logger.info(
            "%s%s: F1 %.3f -> %.3f on %d held-out particles",
            change.name,
            " (new)" if change.is_new else "",
            change.f1_before or 0.0,
            change.f1_after,
            change.n_particles,
        )
    for reason in (*forgetting.reasons, *forgetting.doubts):
        logger.warning("%s", reason)
    logger.info("Verdict: %s. Model written to %s", forgetting.verdict, model_path)
