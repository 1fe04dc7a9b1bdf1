"""``etpicker train``: from clicked centres to a model file."""

import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import cast

from etpicker_plugin.engine.annotation import (
    COMPLETE,
    SPARSE,
    advise_after,
)
from etpicker_plugin.engine.config.checks import require
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.held_out import describe_metrics
from etpicker_plugin.engine.maps.scene_files import some_of
from etpicker_plugin.engine.model.exemplars import MEGABYTE, Exemplar
from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.model.network import Network, name_of, place_network
from etpicker_plugin.engine.model.training_end import SOLVED
from etpicker_plugin.engine.picking.second_look import to_keep
from etpicker_plugin.engine.progress import Progress
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.first_head import solve_first_head
from etpicker_plugin.engine.training.first_network import first_network
from etpicker_plugin.engine.training.flatness import learn_flatness
from etpicker_plugin.engine.training.from_maps import (
    describe_teaching,
    read_maps,
)
from etpicker_plugin.engine.training.instant import solve_instantly
from etpicker_plugin.engine.training.judge import with_results
from etpicker_plugin.engine.training.keep import Provenance, keep_exemplars
from etpicker_plugin.engine.training.likeness import tell_likeness
from etpicker_plugin.engine.training.make_card import make_card
from etpicker_plugin.engine.training.material import Material
from etpicker_plugin.engine.training.pace import Pace, slow_down
from etpicker_plugin.engine.training.patches import PatchSampler
from etpicker_plugin.engine.training.polarity import with_ways
from etpicker_plugin.engine.training.read_material import (
    open_tomograms,
    read_inputs,
    read_material,
)
from etpicker_plugin.engine.training.run import MODEL_NAME, LearningRun, begin_run
from etpicker_plugin.engine.training.second_look import (
    learn_second_look,
    seconds_to_compare,
)
from etpicker_plugin.engine.volumes.thickness import are_flat

logger = logging.getLogger(__name__)
FIRST_LOOK_MINUTES = 2.0
MOST_FOR_MAPS = 0.25
"""Of a limit, for comparing candidates with maps when training has ended."""

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
    if not config.coordinates:  # The others are not read, however many there are.
        config = replace(config, tomogram=tuple(some_of(config.tomogram)))
    run = begin_run(config, out_dir, on_progress=on_progress)
    if run is None:
        return out_dir / MODEL_NAME
    if config.instant:
        config = replace(config, annotation=SPARSE)  # the usual place is background
    maps = read_maps(config)
    marks = read_inputs(config)
    given = [item.tomogram for item in marks[0] + marks[1]] or open_tomograms(config)
    flat = are_flat(given)
    require(
        not (flat and maps),
        "--map: scenes are made like tomograms, and micrographs were given. Give "
        "coordinates of their particles instead.",
    )
    network, pretrained_sha256 = first_network(config, flat=flat)
    material = read_material(config, run, maps, marks, given, network=network)
    if config.instant:
        network = place_network(network, run.device).eval()
        return _finish_instantly(run, config, network, material, pretrained_sha256)
    network = place_network(network, run.device)
    if maps and pretrained_sha256:
        tell_likeness(
            cast(FastNetwork, network),
            given[: len(config.tomogram)],
            material.scenes,
            working_voxel_size=material.voxel_size,
        )
    source = _make_sampler(config, material, run, stride=network.output_stride)
    pace = Pace(learning_rate=config.learning_rate, steps=config.steps)
    if pretrained_sha256:
        solve_first_head(cast(FastNetwork, network), source)
        run.ranks.average(network.head.parameters())
        pace = _slow_down(pace, material)
    best = run.learn(
        network,
        source,
        material,
        pace=pace,
        minutes=_minutes_to_learn(config, material),
        first_validation=FIRST_VALIDATION[config.annotation],
    )
    if not run.ranks.is_first:
        return run.model_path
    judge = material.judge(config.f_alpha)
    judge = replace(judge, species=learn_flatness(best, material.volumes, judge))
    ways = with_ways(judge.species, material.volumes, voxel_size=material.voxel_size)
    judge = replace(judge, species=ways)
    judge = learn_second_look(best, material.real_parts, judge, maps, config.defocus)
    results = judge.final_results(best, material.parts)
    card = make_card(
        config,
        material,
        network=name_of(best),
        species=with_results(judge.species, results),
        counters=run.state.counters,
        pretrained_sha256=pretrained_sha256,
        advice=advise_after(
            {
                name: (r.n_truth, r.n_false)
                for name, r in zip(judge.classes, results, strict=True)
            },
            annotation=config.annotation,
        ),
        taught_by=describe_teaching(maps, material),
    )
    exemplars = _exemplars_to_keep(best, material, config)
    run.finish(best, card, exemplars, to_keep(judge.second_look))
    _describe_model(run.model_path, card.classes)
    if maps:
        logger.info("%s", card.training["taught_by"])
    for advice in card.training["advice"]:
        logger.warning("%s", advice)
    return run.model_path


def _finish_instantly(
    run: LearningRun,
    config: TrainConfig,
    network: Network,
    material: Material,
    pretrained_sha256: str,
) -> Path:
    """Write a model whose head follows from the marks; return its file."""
    run.ranks.leave()
    if not run.ranks.is_first:
        return run.model_path
    species = solve_instantly(
        cast(FastNetwork, network),
        material,
        folder=run.out_dir,
        seed=config.seed,
        on_progress=run.on_progress,
    )
    species = with_ways(species, material.volumes, voxel_size=material.voxel_size)
    counters = run.state.counters
    counters.stopped_by = SOLVED
    counters.elapsed_s = time.monotonic() - run.began
    card = make_card(
        config,
        material,
        network=name_of(network),
        species=species,
        counters=counters,
        pretrained_sha256=pretrained_sha256,
        advice=[],
    )
    run.finish(network, card, _exemplars_to_keep(network, material, config))
    for one in species:
        logger.info("%s: threshold %.3f, from its clicks", one.name, one.threshold)
    logger.info("Model written to %s", run.model_path)
    return run.model_path


def _minutes_to_learn(config: TrainConfig, material: Material) -> float | None:
    """Return the time limit, less what comparing with maps takes at the end."""
    minutes = time_limit(config)
    if minutes is None or not config.map:
        return minutes
    comparing = seconds_to_compare(material.parts) / 60
    return minutes - min(comparing, MOST_FOR_MAPS * minutes)


def time_limit(config: TrainConfig) -> float | None:
    """Return the minutes that training may take, if there is a limit."""
    if config.first_look and config.max_minutes is None:
        return FIRST_LOOK_MINUTES
    return config.max_minutes


def _slow_down(pace: Pace, material: Material) -> Pace:
    marks = material.count_marks()
    slower = slow_down(pace, marks)
    logger.info(
        "Learning from %d marks, at a rate of %.2g, for %d steps at the most",
        marks,
        slower.learning_rate,
        slower.steps,
    )
    return slower


def _make_sampler(
    config: TrainConfig, material: Material, run: LearningRun, *, stride: int
) -> PatchSampler:
    return PatchSampler(
        material.volumes,
        patch_size=config.patch_size,
        labels=material.labels(config.label_shape, stride=stride),
        seed=run.ranks.seed(config.seed),
        device=run.device,
    )


def _exemplars_to_keep(
    network: Network, material: Material, config: TrainConfig
) -> list[Exemplar]:
    if config.exemplars == "none":
        return []
    return keep_exemplars(
        network,
        material.volumes,
        material.parts,
        classes=material.classes,
        provenance=Provenance(round=0, owner=config.owner, licence=config.licence),
        budget=int(config.exemplar_budget * MEGABYTE),
    )


def _describe_model(path: Path, species: tuple[Species, ...]) -> None:
    for one in species:
        logger.info(
            "%s: threshold %.3f, %s (precision %.3f, recall %.3f)",
            one.name,
            one.threshold,
            describe_metrics(one.metrics),
            one.metrics["precision"],
            one.metrics["recall"],
        )
        if one.flat_log_odds:
            logger.info(
                "%s: picks in places flatter than usual lose %.2f log-odds for "
                "each deviation",
                one.name,
                one.flat_log_odds,
            )
    logger.info("Model written to %s", path)
