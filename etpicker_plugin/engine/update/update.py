"""``etpicker update``: an existing model and new tomograms to a new model."""

import copy
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from etpicker_plugin import __version__
from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.device import choose_device, describe_device
from etpicker_plugin.engine.model.card import read_usable_card
from etpicker_plugin.engine.model.exemplars import (
    MEGABYTE,
    Exemplar,
)
from etpicker_plugin.engine.model.model_file import save_model
from etpicker_plugin.engine.model.network import (
    Network,
    grow_network,
    place_network,
)
from etpicker_plugin.engine.progress import Progress
from etpicker_plugin.engine.run_folder import claim_folder, digest_run
from etpicker_plugin.engine.training import dataset
from etpicker_plugin.engine.training.fit import FitSettings, fit
from etpicker_plugin.engine.training.flatness import learn_flatness
from etpicker_plugin.engine.training.judge import (
    Judge,
    equal_score,
    make_judge,
    make_validate,
)
from etpicker_plugin.engine.training.keep import Provenance, keep_exemplars
from etpicker_plugin.engine.training.patches import PatchSampler, TrainingVolume
from etpicker_plugin.engine.training.ranks import Ranks, join_ranks
from etpicker_plugin.engine.training.resume import TrainingState
from etpicker_plugin.engine.training.scale import make_label_settings
from etpicker_plugin.engine.training.train import (
    MODEL_NAME,
    STATE_NAME,
    explain_memory,
    remaining_budget,
    starting_state,
)
from etpicker_plugin.engine.training.validation import ClassResult
from etpicker_plugin.engine.training.watch import make_watch
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
    began = time.monotonic()
    model_path = out_dir / MODEL_NAME
    read_usable_card(config.model)  # says best what is wrong with a model
    run = digest_run(config)
    if claim_folder(out_dir, run, result=MODEL_NAME, begun=(STATE_NAME,)):
        logger.info("%s is finished already.", model_path)
        return model_path
    device = choose_device(config.device, threads=config.threads)
    ranks = join_ranks(device)
    logger.info("etpicker %s, %s", __version__, describe_device(device))
    lesson = prepare_lesson(config, device)
    judge = _make_judge(lesson, config, len(lesson.plan.classes))
    state = starting_state(out_dir / STATE_NAME, run.digest)
    with explain_memory(batch_size=config.batch_size, patch_size=config.patch_size):
        best = _learn(lesson, judge, config, state, out_dir, began, on_progress, ranks)
    ranks.part()
    if not ranks.is_first:
        return model_path
    judge = replace(judge, flat_log_odds=_learn_flatness(lesson, best, judge))
    results = keep_unmeasured(
        judge.final_results(best, lesson.parts),
        lesson.card.classes,
        lesson.count_held_out(),
    )
    forgetting = _compare(lesson, best, results, judge, config)
    write_forgetting(
        forgetting, out_dir, old_model=Path(config.model), new_model=model_path
    )
    card = updated_card(
        lesson.card,
        config,
        plan=lesson.plan,
        border=lesson.border,
        results=results,
        flat_log_odds=judge.flat_log_odds,
        tomograms=[dataset.describe_tomogram(a) for a in lesson.annotated],
        parent_sha256=lesson.sha256,
        forgetting=forgetting,
        state=state,
    )
    exemplars = _exemplars_to_keep(lesson, best, config)
    save_model(model_path, best, card, exemplars=exemplars)
    (out_dir / STATE_NAME).unlink(missing_ok=True)
    _describe(forgetting, model_path)
    return model_path


def _make_judge(lesson: Lesson, config: UpdateConfig, n_classes: int) -> Judge:
    """Return the judge of the first classes: the old model's, or all."""
    names = lesson.plan.classes[:n_classes]
    return make_judge(
        {name: lesson.plan.diameters[name] for name in names},
        lesson.plan.labels,
        working_voxel_size=lesson.card.working_voxel_size,
        stride=lesson.teacher.output_stride,
        f_alpha=config.f_alpha,
    )


def _learn(
    lesson: Lesson,
    judge: Judge,
    config: UpdateConfig,
    state: TrainingState,
    out_dir: Path,
    began: float,
    on_progress: Progress,
    ranks: Ranks,
) -> Network:
    """Train the student beside the frozen teacher."""
    torch.manual_seed(config.seed)
    student = place_network(
        grow_network(lesson.teacher, len(lesson.plan.classes)), lesson.device
    )
    source = _mixed_batches(lesson, config, seed=ranks.seed(config.seed))
    loss = _update_loss(lesson, source, config)
    best = fit(
        student,
        source,
        settings=FitSettings(
            budget=remaining_budget(
                config.steps, config.max_minutes, began=began, volumes=lesson.volumes
            ),
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            patience=config.patience,
            equal_score=equal_score(lesson.parts),
            learn_statistics=False,
            first_validation=FIRST_VALIDATION,
        ),
        validate=make_validate(
            judge,
            lesson.parts,
            watch=make_watch(
                out_dir,
                lesson.parts,
                lesson.plan.diameters,
                working_voxel_size=lesson.card.working_voxel_size,
                counters=state.counters,
            ),
        ),
        state=state,
        state_path=out_dir / STATE_NAME,
        on_progress=on_progress,
        run=dual_path(lesson.teacher),
        loss=loss,
        ranks=ranks,
    )
    return best.eval()


def _mixed_batches(lesson: Lesson, config: UpdateConfig, *, seed: int) -> MixedBatches:
    plan, stride = lesson.plan, lesson.teacher.output_stride
    labels = make_label_settings(
        plan.diameters,
        plan.labels,
        working_voxel_size=lesson.card.working_voxel_size,
        shape=lesson.card.label_shape,
        stride=stride,
    )
    remembered = learnt_volumes(lesson.earlier, plan.classes)

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
        new=sampler(lesson.volumes, seed), memory=memory if replay else None
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


def _learn_flatness(lesson: Lesson, best: Network, judge: Judge) -> list[float]:
    known = [c.flat_log_odds for c in lesson.card.classes]
    known += [0.0] * (len(lesson.plan.classes) - len(known))
    return learn_flatness(best, lesson.volumes, judge, known=known)


def _compare(
    lesson: Lesson,
    best: Network,
    results: list[ClassResult],
    judge: Judge,
    config: UpdateConfig,
) -> Forgetting:
    names = lesson.plan.classes
    before = Contender(
        network=lesson.teacher.eval(),
        judge=replace(
            _make_judge(lesson, config, lesson.plan.n_old),
            flat_log_odds=[c.flat_log_odds for c in lesson.card.classes],
        ),
        thresholds={c.name: c.threshold for c in lesson.card.classes},
    )
    after = Contender(
        network=best,
        judge=judge,
        thresholds={n: r.threshold for n, r in zip(names, results, strict=True)},
    )
    return compare_models(
        before,
        after,
        groups=many_views(lesson.groups),
        new_group=lesson.new_group,
        allowed_drop=config.allowed_drop,
        n_views=len(VIEWS),
    )


def _exemplars_to_keep(
    lesson: Lesson, best: Network, config: UpdateConfig
) -> list[Exemplar]:
    if config.exemplars == "none":
        return lesson.earlier
    return keep_exemplars(
        best,
        lesson.volumes,
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
    for reason in forgetting.reasons:
        logger.warning("%s", reason)
    logger.info("Verdict: %s. Model written to %s", forgetting.verdict, model_path)
