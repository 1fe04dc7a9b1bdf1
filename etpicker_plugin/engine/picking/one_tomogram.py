"""Picking one tomogram: tiles, peaks, exclusion, thresholds, files."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin import __version__
from etpicker_plugin.engine.config.options import config_digest, config_to_values
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.io.atomic import write_whole
from etpicker_plugin.engine.io.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.io.particles import Particles, make_particles
from etpicker_plugin.engine.io.relion_star import write_star
from etpicker_plugin.engine.io.tomogram import Tomogram, read_mask, read_tomogram
from etpicker_plugin.engine.io.working_volume import (
    WorkingVolume,
    open_working_volume,
)
from etpicker_plugin.engine.model.card import ModelCard, file_sha256
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.picking.find import (
    PeakSettings,
    choose_edge,
    is_out_of_memory,
    pick_tiles,
    smaller_edge,
    total_halo,
)
from etpicker_plugin.engine.picking.nms import (
    Peaks,
    keep_best,
    pooling_kernel,
    remove_duplicates,
)
from etpicker_plugin.engine.picking.partial import PartialPicks
from etpicker_plugin.engine.picking.probability_map import ProbabilityMaps
from etpicker_plugin.engine.picking.tiling import plan_tiles
from etpicker_plugin.engine.progress import Progress, ProgressEvent

logger = logging.getLogger(__name__)

LOWEST_SCORE = 0.01
MIN_DISTANCE_SHARE = 0.5
NOT_OF_THE_RESULT = ("out", "tomogram", "mask", "model", "device", "threads")


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A network on its device, its card, and its file's hash."""

    network: Network
    card: ModelCard
    sha256: str


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
    read back instead.

    Raises
    ------
    InputDataError, ResourceError
        If the tomogram or mask cannot be used, or memory does not suffice.
    ConfigError
        If other picks of this tomogram stand in the output folder.
    """
    tomogram = read_tomogram(path, config.voxel_size)
    name = tomogram.tomogram_id
    record = _describe_run(tomogram, mask_path, model=model, config=config)
    if (out_dir / f"{name}.json").exists():
        return _finished_picks(out_dir / name, record)
    mask = read_mask(mask_path, tomogram.shape_zyx) if mask_path else None
    volume = open_working_volume(tomogram, model.card.working_voxel_size)
    if volume.scale != 1.0:
        logger.info(
            "%s: %g Å per voxel, rescaled to the model's %.2f Å; picks go back to "
            "the tomogram's own voxels.",
            name,
            tomogram.voxel_size,
            model.card.working_voxel_size,
        )
    partial = PartialPicks(out_dir / f".{name}.partial.jsonl", record["digest"])
    peaks = _find(volume, model, config, out_dir, partial, on_progress)
    particles = _to_particles(peaks, volume, mask, card=model.card, config=config)
    _write(particles, volume.tomogram, record, out_dir=out_dir)
    partial.remove()
    _report(particles, model.card.class_names())
    return particles


def thresholds(card: ModelCard, config: PickConfig) -> dict[str, float]:
    """Return the lowest score kept, for each class to pick.

    With ``max_picks`` the number decides, and any possible score is let through.

    Raises
    ------
    ConfigError
        If a class asked for is not one of the model's.
    """
    known = card.class_names()
    unknown = sorted({*config.classes, *config.threshold} - set(known))
    if unknown:
        raise ConfigError(
            f"Class {', '.join(unknown)} is not known to the model. It knows: "
            f"{', '.join(known)}."
        )
    if config.max_picks is not None:
        chosen = dict.fromkeys(known, LOWEST_SCORE)
    else:
        chosen = {c.name: max(c.threshold, LOWEST_SCORE) for c in card.classes}
    chosen.update(config.threshold)
    wanted = config.classes or known
    return {name: value for name, value in chosen.items() if name in wanted}


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
        min_score=min(thresholds(model.card, config).values()),
    )
    edge = (
        config.tile_size
        or partial.recorded_edge()
        or choose_edge(volume.shape_zyx, model.network, settings)
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
    tiles = plan_tiles(
        volume.shape_zyx,
        edge=edge,
        halo=total_halo(network, settings),
        alignment=network.alignment,
    )
    maps = None
    if config.probability_map:
        maps = ProbabilityMaps(
            [out_dir / f"{name}_{c}_probability.mrc" for c in model.card.class_names()],
            volume,
        )
    done = partial.begin(edge)
    found = pick_tiles(network, volume, settings=settings, tiles=tiles, done=done)
    for number, tile, peaks, probability in found:
        if maps is not None:
            maps.write_tile(tile, probability.cpu().numpy(), network.output_stride)
        partial.add(number, peaks)
        on_progress(ProgressEvent(f"picking {name}", number + 1, len(tiles)))
    if maps is not None:
        maps.finish()
    return partial.all_peaks()


def _to_particles(
    peaks: Peaks,
    volume: WorkingVolume,
    mask: NDArray[np.bool_] | None,
    *,
    card: ModelCard,
    config: PickConfig,
) -> Particles:
    """Exclude, threshold and de-duplicate; return picks in the tomogram's voxels."""
    tomogram = volume.tomogram
    limits = thresholds(card, config)
    names = np.array(card.class_names(), dtype=str)
    lowest = np.array([limits.get(name, np.inf) for name in names])
    positions = volume.to_input(peaks.positions_zyx)
    allowed = (peaks.scores >= lowest[peaks.channels]) & is_inside(
        positions, tomogram, border_ang=config.border, mask=mask
    )
    peaks = remove_duplicates(
        peaks.select(allowed),
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
    border_ang: float,
    mask: NDArray[np.bool_] | None,
) -> NDArray[np.bool_]:
    """Tell which positions lie in the volume, off its borders and in the mask."""
    last = np.asarray(tomogram.shape_zyx) - 1
    border = border_ang / tomogram.voxel_size
    inside = (positions_zyx >= border) & (positions_zyx <= last - border)
    allowed: NDArray[np.bool_] = inside.all(axis=1)
    if mask is not None:
        index = np.clip(np.round(positions_zyx).astype(int), 0, last)
        allowed &= mask[tuple(index.T)]
    return allowed


def _describe_run(
    tomogram: Tomogram,
    mask_path: str | None,
    *,
    model: LoadedModel,
    config: PickConfig,
) -> dict[str, Any]:
    """Return the sidecar: what was picked with what, in which frame."""
    record = {
        "tomogram": tomogram.tomogram_id,
        "tomogram_sha256": file_sha256(tomogram.path),
        "mask_sha256": file_sha256(mask_path) if mask_path else None,
        "model_sha256": model.sha256,
        "parameters": config_digest(config, ignore=NOT_OF_THE_RESULT),
    }
    digest = json.dumps(record, sort_keys=True)
    return {
        **record,
        "digest": digest,
        "frame": "0-based voxels of the tomogram; voxel i is centred at i",
        "shape_zyx": list(tomogram.shape_zyx),
        "voxel_size_ang": tomogram.voxel_size,
        "working_voxel_size_ang": model.card.working_voxel_size,
        "thresholds": thresholds(model.card, config),
        "diameters_ang": {c.name: c.diameter_ang for c in model.card.classes},
        "model": str(config.model),
        "config": config_to_values(config),
        "code_version": __version__,
    }


def _finished_picks(stem: Path, record: dict[str, Any]) -> Particles:
    sidecar = stem.with_name(stem.name + ".json")
    try:
        same = json.loads(sidecar.read_text("utf-8")).get("digest") == record["digest"]
    except (ValueError, AttributeError):
        same = False
    if not same:
        raise ConfigError(
            f"{stem}.csv exists, picked with another model, tomogram or parameters. "
            "Picks are never overwritten: give another --out."
        )
    logger.info("%s is picked already.", stem.name)
    return read_csv(stem.with_name(stem.name + ".csv"), tomogram_id=stem.name)


def _write(
    particles: Particles,
    tomogram: Tomogram,
    record: dict[str, Any],
    *,
    out_dir: Path,
) -> None:
    name = tomogram.tomogram_id
    frame = TomogramFrame(
        tomogram_id=name,
        shape_zyx=tomogram.shape_zyx,
        voxel_size=tomogram.voxel_size,
    )
    write_csv(particles, out_dir / f"{name}.csv")
    write_star([(particles, frame)], out_dir / f"{name}.star", version="relion5")
    with write_whole(out_dir / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")


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
