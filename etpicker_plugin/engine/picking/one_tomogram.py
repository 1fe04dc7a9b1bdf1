"""Picking one tomogram: tiles, peaks, exclusion, thresholds, files."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.device import is_out_of_memory
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.tilt_series import TiltSeries
from etpicker_plugin.engine.names import image_word
from etpicker_plugin.engine.particles import Particles, make_particles
from etpicker_plugin.engine.picking.assemble import assemble
from etpicker_plugin.engine.picking.choose import choose
from etpicker_plugin.engine.picking.find import (
    Search,
    peak_settings,
    pick_tiles,
    to_probability,
)
from etpicker_plugin.engine.picking.inside import is_inside
from etpicker_plugin.engine.picking.loaded_model import (
    LoadedModel,
    border_of,
    trace_settings_of,
    wanted_species,
)
from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.picking.partial import PartialPicks
from etpicker_plugin.engine.picking.plan import smaller_edge
from etpicker_plugin.engine.picking.probability_map import (
    ProbabilityMaps,
    forget_maps,
    take_back,
)
from etpicker_plugin.engine.picking.records import (
    Inputs,
    finished_picks,
    frame_of,
    write_picks,
)
from etpicker_plugin.engine.picking.surfaces import surface_files
from etpicker_plugin.engine.picking.z_range import computed_region, in_z_range
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.volumes.region_mask import RegionMask, open_mask
from etpicker_plugin.engine.volumes.thickness import check_thickness
from etpicker_plugin.engine.volumes.tomogram import read_tomogram
from etpicker_plugin.engine.volumes.working_volume import (
    WorkingVolume,
    open_working_volume,
)

logger = logging.getLogger(__name__)


def pick_tomogram(
    path: str,
    mask_path: str | None,
    *,
    series: TiltSeries,
    model: LoadedModel,
    config: PickConfig,
    out_dir: Path,
    on_progress: Progress,
) -> Particles:
    """Pick a tomogram and write NAME.csv, its STAR files and, last, NAME.json.

    Picks that stand there already, of the same model, tomogram and parameters, are
    read back instead, if they are still as they were written.

    Raises
    ------
    InputDataError, ResourceError
        If the tomogram or mask cannot be used, is not as RELION has it, changes or
        vanishes meanwhile, or memory does not suffice.
    ConfigError
        If other picks of this tomogram stand in the output folder, or nothing names
        its tilt series.
    """
    tomogram = read_tomogram(
        path, config.voxel_size, trust_voxel_size=config.trust_voxel_size
    )
    name = tomogram.tomogram_id
    check_thickness(tomogram, config.model, is_flat=model.card.is_flat)
    mask = open_mask(mask_path, tomogram.shape_zyx) if mask_path else None
    inputs = Inputs(
        tomogram=tomogram,
        frame=series.described(frame_of(tomogram), path),
        mask=mask.volume.file if mask else None,
        model=model,
        config=config,
    )
    with ThreadPoolExecutor(1) as aside:
        hashed = aside.submit(inputs.run)  # it takes as long as to measure the voxels
        volume = open_working_volume(tomogram, model.card.working_voxel_size)
        run = hashed.result()
    finished = finished_picks(
        name,
        run,
        card=model.card,
        out_dir=out_dir,
        beside=surface_files(name, config, is_flat=model.card.is_flat),
    )
    if finished is not None:
        return finished
    _describe_scale(volume)
    partial = PartialPicks(out_dir / f".{name}.partial.jsonl", run.digest)
    species = wanted_species(model.card, config)
    search = _make_search(volume, model, species, config)
    with partial.held():
        maps = _make_maps(volume, model.card.class_names(), config, out_dir, partial)
        edge = config.tile_size or partial.recorded_edge() or search.longest_edge()
        try:
            candidates = _search(search, edge, name, maps, partial, on_progress)
            particles = _choose(
                candidates,
                volume,
                mask,
                species,
                model=model.telling(name, on_progress),
                config=config,
            )
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
        kind = image_word(volume.tomogram.is_flat)
        logger.info(
            "%s: %s of %g Å per voxel, rescaled to the model's %.2f Å; picks go back "
            "to the %s's own voxels.",
            volume.tomogram.tomogram_id,
            kind,
            voxel_size,
            volume.scale * voxel_size,
            kind,
        )


def _make_search(
    volume: WorkingVolume,
    model: LoadedModel,
    species: Sequence[Species],
    config: PickConfig,
) -> Search:
    """Return what is searched, and down to which score."""
    network, card = model.network, model.card
    return Search(
        network=network,
        volume=volume,
        settings=peak_settings(
            species,
            output_voxel_size=card.working_voxel_size * network.output_stride,
            min_score=min(s.threshold for s in species),
        ),
        region=computed_region(
            volume,
            config.z_range,
            margin_ang=max(s.diameter_ang for s in species),
            alignment=network.alignment,
        ),
    )


def _search(
    search: Search,
    edge: int,
    name: str,
    maps: ProbabilityMaps | None,
    partial: PartialPicks,
    on_progress: Progress,
) -> Peaks:
    """Return the candidates, found with smaller tiles when memory runs out."""
    while True:
        try:
            return _search_tiles(search, edge, name, maps, partial, on_progress)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            edge = smaller_edge(edge, search.network)


def _search_tiles(
    search: Search,
    edge: int,
    name: str,
    maps: ProbabilityMaps | None,
    partial: PartialPicks,
    on_progress: Progress,
) -> Peaks:
    """Return the candidates of all tiles; what is done already is in ``partial``."""
    tiles = search.tiles(edge)
    done = partial.begin(edge)
    found = pick_tiles(search, tiles, done=done)
    for finished, (number, tile, peaks, logits) in enumerate(found, len(done) + 1):
        if maps is not None:
            probability = to_probability(logits).cpu().numpy()
            maps.write_tile(tile, probability, search.network.output_stride)
        partial.add(number, peaks)
        on_progress(ProgressEvent(f"picking {name}", finished, len(tiles)))
    if maps is not None:
        maps.finish()
    return partial.all_peaks()


def _make_maps(
    volume: WorkingVolume,
    classes: Sequence[str],
    config: PickConfig,
    out_dir: Path,
    partial: PartialPicks,
) -> ProbabilityMaps | None:
    """Return the probability maps to fill, if they are asked for.

    They and the finished tiles belong together: without one, the other is made anew.
    """
    name = volume.tomogram.tomogram_id
    paths = [out_dir / f"{name}_{c}_probability.mrc" for c in classes]
    if not config.probability_map:
        forget_maps(paths)
        return None
    if partial.recorded_edge() is None or not take_back(paths):
        partial.forget()
        forget_maps(paths)
    return ProbabilityMaps(paths, volume)


def _choose(
    candidates: Peaks,
    volume: WorkingVolume,
    mask: RegionMask | None,
    species: Sequence[Species],
    *,
    model: LoadedModel,
    config: PickConfig,
) -> Particles:
    """Return the picks, in the tomogram's voxels."""
    card = model.card
    tomogram = volume.tomogram

    def allowed(peaks: Peaks) -> NDArray[np.bool_]:
        positions = volume.to_input(peaks.positions_zyx)
        return is_inside(
            positions, tomogram, border_zyx_ang=border_of(card, config), mask=mask
        ) & in_z_range(positions, config.z_range)

    peaks = choose(
        candidates,
        volume,
        species,
        allowed=allowed(candidates),
        voxel_size=card.working_voxel_size,
        second_look=model.second_look,
        min_distance_ang=config.min_distance,
        unbiased=config.unbiased,
        most=config.max_picks,
    )
    if model.second_look is not None:  # maps may have moved them out
        peaks = peaks.select(allowed(peaks))
    peaks = assemble(
        peaks,
        volume,
        species,
        image_shape_zyx=tomogram.shape_zyx,
        voxel_size=card.working_voxel_size,
        filaments=trace_settings_of(card, config),
    )
    return make_particles(
        tomogram.tomogram_id,
        volume.to_input(peaks.positions_zyx),
        class_names=np.array(card.class_names(), dtype=str)[peaks.channels],
        scores=peaks.scores,
        optional=peaks.optional,
    )


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
