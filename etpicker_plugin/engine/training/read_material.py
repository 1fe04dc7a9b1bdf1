"""What a training is given, read and checked: tomograms, marks, and scenes of maps."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from etpicker_plugin.engine.annotation import advise_instant, warn_few_marks
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.maps.density import DensityMap
from etpicker_plugin.engine.model.network import Network, name_of
from etpicker_plugin.engine.training import dataset
from etpicker_plugin.engine.training.annotated_border import annotated_border
from etpicker_plugin.engine.training.from_maps import read_scenes
from etpicker_plugin.engine.training.material import Material
from etpicker_plugin.engine.training.run import LearningRun
from etpicker_plugin.engine.training.scale import (
    choose_working_voxel_size,
    species_at,
)
from etpicker_plugin.engine.volumes.tomogram import Tomogram, read_tomogram

logger = logging.getLogger(__name__)

Marks = tuple[list[dataset.Annotated], list[dataset.Annotated]]
"""Tomograms with their marks: those to learn from, and those for validation."""


def read_material(
    config: TrainConfig,
    run: LearningRun,
    maps: Sequence[DensityMap],
    marks: Marks,
    tomograms: Sequence[Tomogram],
    *,
    network: Network,
) -> Material:
    """Load what is learnt at the working voxel size, and make the scenes of maps."""
    training, validation = marks
    marked = training + validation
    voxel_size = config.working_voxel_size or choose_working_voxel_size(
        config.diameter,
        dataset.check_voxel_sizes(tomograms),
        kinds=config.kind,
        first_look=config.first_look,
    )
    species = species_at(
        voxel_size,
        config.diameter,
        kinds=config.kind,
        label_diameter_ang=config.label_diameter,
    )
    border_ang = annotated_border(marked, species) if marked else 0.0
    load = partial(
        dataset.load_dataset,
        species=species,
        working_voxel_size=voxel_size,
        border_ang=border_ang,
        alignment=network.alignment,
    )
    share = None if validation or config.instant else config.validation_fraction
    volumes, parts = load(training, validation, held_out_share=share)
    for item in marked:
        logger.info("%s", item.describe())
    if marked:
        _advise_on_marks(config, marked)
    scenes: list[dataset.Annotated] = []
    if maps:
        seen = {name for a in marked for name in a.particles.class_names.tolist()}
        learnt, held_out = read_scenes(
            config,
            run,
            tomograms,
            maps,
            working_voxel_size=voxel_size,
            judged=[one.name for one in maps if one.name not in seen],
        )
        more, more_parts = load(learnt, held_out, held_out_share=None)
        volumes, parts, scenes = volumes + more, parts + more_parts, learnt + held_out
    logger.info("Network %s at %.2f Å per voxel", name_of(network), voxel_size)
    return Material(
        species=species,
        voxel_size=voxel_size,
        border_ang=border_ang,
        annotated=marked + scenes,
        scenes=tuple(scenes),
        volumes=volumes,
        parts=parts,
    )


def open_tomograms(config: TrainConfig) -> list[Tomogram]:
    """Open the tomograms that nobody marked, and check them against the diameters."""
    tomograms = [
        read_tomogram(path, config.voxel_size, trust_voxel_size=config.trust_voxel_size)
        for path in config.tomogram
    ]
    dataset.check_diameters_fit(tomograms, config.diameter)
    return tomograms


def _advise_on_marks(config: TrainConfig, marked: list[dataset.Annotated]) -> None:
    """Say what to think of before learning from so many marks."""
    counts = dataset.count_marks(marked, config.diameter)
    if config.map:
        counts = {name: n for name, n in counts.items() if n}
    for warning in warn_few_marks(counts, annotation=config.annotation):
        logger.warning("%s", warning)
    advice = advise_instant(counts)
    if advice and _may_be_instant(config) and not config.instant and not config.map:
        logger.warning("%s", advice)


def read_inputs(config: TrainConfig) -> Marks:
    """Open and check the marked tomograms.

    A class with a map need not be marked; where nobody did, it is not annotated.
    """
    classes = list(config.diameter)
    training = (
        []
        if not config.coordinates
        else dataset.read_annotated(
            config.tomogram,
            config.coordinates,
            classes=classes,
            kinds=config.kind,
            annotation=config.annotation,
            voxel_size=config.voxel_size,
            trust_voxel_size=config.trust_voxel_size,
            masks=config.mask,
            role="training",
        )
    )
    validation = dataset.read_annotated(
        config.validation_tomogram,
        config.validation_coordinates,
        classes=classes,
        kinds=config.kind,
        annotation=config.annotation,
        voxel_size=config.voxel_size,
        trust_voxel_size=config.trust_voxel_size,
        role="validation",
    )
    dataset.check_classes_present(training, [n for n in classes if n not in config.map])
    dataset.check_diameters_fit(
        [item.tomogram for item in training + validation], config.diameter
    )
    return _as_annotated(training, config), _as_annotated(validation, config)


def _as_annotated(
    items: list[dataset.Annotated], config: TrainConfig
) -> list[dataset.Annotated]:
    """Return tomograms without an annotation of classes known by maps alone."""
    seen = {name for item in items for name in item.particles.class_names.tolist()}
    return [
        replace(
            item,
            annotation={
                name: how
                for name, how in item.annotation.items()
                if name in seen or name not in config.map
            },
        )
        for item in items
    ]


def _may_be_instant(config: TrainConfig) -> bool:
    """Tell whether there are shipped weights for what is to be learnt."""
    only_particles = all(kind == PARTICLE for kind in config.kind.values())
    return config.network == "fast" and not config.from_scratch and only_particles
