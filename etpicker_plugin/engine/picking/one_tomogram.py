"""Picking one tomogram: tiles, peaks, exclusion, thresholds, files."""

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.device import is_out_of_memory
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.particles import Particles, make_particles
from etpicker_plugin.engine.picking.find import pick_tiles, to_probability
from etpicker_plugin.engine.picking.flat_places import doubt_flat_places
from etpicker_plugin.engine.picking.loaded_model import (
    LOWEST_SCORE,
    LoadedModel,
    border_of,
    thresholds,
)
from etpicker_plugin.engine.picking.nms import (
    Peaks,
    PeakSettings,
    keep_best,
    pooling_kernel,
    remove_duplicates,
)
from etpicker_plugin.engine.picking.partial import PartialPicks
from etpicker_plugin.engine.picking.plan import choose_edge, plan_for, smaller_edge
from etpicker_plugin.engine.picking.probability_map import ProbabilityMaps
from etpicker_plugin.engine.picking.records import (
    Inputs,
    finished_picks,
    write_picks,
)
from etpicker_plugin.engine.picking.unbiased import merge_classes
from etpicker_plugin.engine.picking.z_range import computed_region, in_z_range
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.volumes.tomogram import Tomogram, open_mask, read_tomogram
from etpicker_plugin.engine.volumes.watched_file import WatchedFile
from etpicker_plugin.engine.volumes.working_volume import (
    WorkingVolume,
    open_working_volume,
)

logger = logging.getLogger(__name__)

MIN_DISTANCE_SHARE = 0.5


def pick_tomogram(
    path: str,
    mask_path: str | None,
    *,
    model: LoadedModel,
    config: PickConfig,
    out_dir: Path,
    on_progress: Progress,
) -> Particles:
    """Pick a tomogram and write NAME.csv, NAME.star and, last, NAME.json.

    Picks that stand there already, of the same model, tomogram and parameters, are
    read back instead, if they are still as they were written.

    Raises
    ------
    InputDataError, ResourceError
        If the tomogram or mask cannot be used, changes or vanishes meanwhile, or
        memory does not suffice.
    ConfigError
        If other picks of this tomogram stand in the output folder.
    """
    tomogram = read_tomogram(path, config.voxel_size)
    name = tomogram.tomogram_id
    mask = open_mask(mask_path, tomogram.shape_zyx) if mask_path else None
    inputs = Inputs(
        tomogram=tomogram,
        mask=WatchedFile(Path(mask_path)) if mask_path else None,
        model=model,
        config=config,
    )
    run = inputs.run()
    finished = finished_picks(name, run, out_dir=out_dir)
    if finished is not None:
        return finished
    volume = open_working_volume(tomogram, model.card.working_voxel_size)
    _describe_scale(volume)
    partial = PartialPicks(out_dir / f".{name}.partial.jsonl", run.digest)
    try:
        peaks = _find(volume, model, config, out_dir, partial, on_progress)
        particles = _to_particles(peaks, volume, mask, card=model.card, config=config)
        inputs.check()
    except InputDataError:
        # Some of its tiles may be of what was put in the tomogram's place.
        partial.remove()
        raise
    write_picks(particles, inputs, run, out_dir=out_dir)
    partial.remove()
    _report(particles, model.card.class_names())
    return particles


def _describe_scale(volume: WorkingVolume) -> None:
    if volume.scale != 1.0:
        voxel_size = volume.tomogram.voxel_size
        logger.info(
            "%s: %g Å per voxel, rescaled to the model's %.2f Å; picks go back to "
            "the tomogram's own voxels.",
            volume.tomogram.tomogram_id,
            voxel_size,
            volume.scale * voxel_size,
        )


def _find(
    volume: WorkingVolume,
    model: LoadedModel,
    config: PickConfig,
    out_dir: Path,
    partial: PartialPicks,
    on_progress: Progress,
) -> Peaks:
    """Run the tiles, with smaller ones when memory runs out."""
    stride = model.network.output_stride
    voxel = model.card.working_voxel_size * stride
    settings = PeakSettings(
        kernels=[
            pooling_kernel(c.label_diameter_ang / voxel) for c in model.card.classes
        ],
        min_score=LOWEST_SCORE
        if config.unbiased
        else min(thresholds(model.card, config).values()),
    )
    edge = (
        config.tile_size
        or partial.recorded_edge()
        or choose_edge(volume.shape_zyx, model.network, reach=settings.reach)
    )
    while True:
        try:
            return _find_with(
                volume, model, settings, edge, config, out_dir, partial, on_progress
            )
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            edge = smaller_edge(edge, model.network)


def _find_with(
    volume: WorkingVolume,
    model: LoadedModel,
    settings: PeakSettings,
    edge: int,
    config: PickConfig,
    out_dir: Path,
    partial: PartialPicks,
    on_progress: Progress,
) -> Peaks:
    network, name = model.network, volume.tomogram.tomogram_id
    tiles = plan_for(
        network,
        volume.shape_zyx,
        edge=edge,
        reach=settings.reach,
        region=computed_region(
            volume,
            config.z_range,
            margin_ang=max(c.diameter_ang for c in model.card.classes),
            alignment=network.alignment,
        ),
    )
    maps = None
    if config.probability_map:
        maps = ProbabilityMaps(
            [out_dir / f"{name}_{c}_probability.mrc" for c in model.card.class_names()],
            volume,
        )
    done = partial.begin(edge)
    found = pick_tiles(network, volume, settings=settings, tiles=tiles, done=done)
    for number, tile, peaks, logits in found:
        if maps is not None:
            probability = to_probability(logits).cpu().numpy()
            maps.write_tile(tile, probability, network.output_stride)
        partial.add(number, peaks)
        on_progress(ProgressEvent(f"picking {name}", number + 1, len(tiles)))
    if maps is not None:
        maps.finish()
    return partial.all_peaks()


def _to_particles(
    peaks: Peaks,
    volume: WorkingVolume,
    mask: NDArray[np.generic] | None,
    *,
    card: ModelCard,
    config: PickConfig,
) -> Particles:
    """Exclude, threshold and de-duplicate; return picks in the tomogram's voxels."""
    tomogram = volume.tomogram
    limits = thresholds(card, config)
    names = np.array(card.class_names(), dtype=str)
    lowest = np.array([limits.get(name, np.inf) for name in names])
    diameters = [c.diameter_ang / card.working_voxel_size for c in card.classes]
    positions = volume.to_input(peaks.positions_zyx)
    border = border_of(card, config)
    peaks = peaks.select(
        is_inside(positions, tomogram, border_zyx_ang=border, mask=mask)
        & in_z_range(positions, config.z_range)
    )
    peaks = doubt_flat_places(
        peaks,
        volume,
        diameters_vox=diameters,
        # Around peaks of a class that is not picked nothing has to be read.
        log_odds=[c.flat_log_odds if c.name in limits else 0.0 for c in card.classes],
    )
    if config.unbiased:
        peaks = merge_classes(peaks, diameters)
    peaks = remove_duplicates(
        peaks.select(peaks.scores >= lowest[peaks.channels]),
        [
            (config.min_distance or MIN_DISTANCE_SHARE * c.diameter_ang)
            / card.working_voxel_size
            for c in card.classes
        ],
    )
    if config.max_picks is not None:
        peaks = keep_best(peaks, config.max_picks)
    return make_particles(
        tomogram.tomogram_id,
        volume.to_input(peaks.positions_zyx),
        class_names=names[peaks.channels],
        scores=peaks.scores,
    )


def is_inside(
    positions_zyx: NDArray[np.float64],
    tomogram: Tomogram,
    *,
    border_zyx_ang: tuple[float, float, float],
    mask: NDArray[np.generic] | None,
) -> NDArray[np.bool_]:
    """Tell which positions lie in the volume, off its borders and in the mask."""
    last = np.asarray(tomogram.shape_zyx) - 1
    border = np.divide(border_zyx_ang, tomogram.voxel_size)
    inside = (positions_zyx >= border) & (positions_zyx <= last - border)
    allowed: NDArray[np.bool_] = inside.all(axis=1)
    if mask is not None:
        index = np.clip(np.round(positions_zyx).astype(int), 0, last)
        allowed &= mask[tuple(index.T)] != 0
    return allowed


def _report(particles: Particles, classes: tuple[str, ...]) -> None:
    counts = ", ".join(f"{name} {len(particles.of_class(name))}" for name in classes)
    if len(particles):
        logger.info("%s: %s", particles.tomogram_id, counts)
    else:
        logger.warning(
            "%s: nothing was found above the thresholds. Lower --threshold, or "
            "check contrast and voxel size.",
            particles.tomogram_id,
        )
