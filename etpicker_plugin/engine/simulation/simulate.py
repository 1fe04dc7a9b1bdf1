"""``etpicker simulate``: phantom tomograms or micrographs with their truth."""

import json
import logging
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin import __version__
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.result_files import (
    are_as_written,
    hash_results,
    noted_files,
    read_record,
)
from etpicker_plugin.engine.run_folder import (
    Run,
    digest_run,
    refusal,
    run_from_values,
    run_values,
)
from etpicker_plugin.engine.simulation.distractors import add_distractors
from etpicker_plugin.engine.simulation.filaments import (
    filament_species,
    place_filaments,
)
from etpicker_plugin.engine.simulation.imaging import Microscope, reconstruct_scene
from etpicker_plugin.engine.simulation.micrograph_canvas import canvas_spacing
from etpicker_plugin.engine.simulation.micrographs import (
    make_micrograph,
    write_micrograph,
)
from etpicker_plugin.engine.simulation.placement import (
    Scene,
    empty_scene,
    place_species,
)
from etpicker_plugin.engine.simulation.species import (
    Species,
    built_in_species,
    species_from_map,
)
from etpicker_plugin.engine.simulation.truth import Truth, details_of, write_truth
from etpicker_plugin.engine.simulation.vesicles import place_vesicles
from etpicker_plugin.engine.volumes.tomogram import write_volume

logger = logging.getLogger(__name__)

WRITTEN_SD = 1000.0


def simulate(
    config: SimulateConfig, out_dir: Path, *, on_progress: Progress
) -> list[Path]:
    """Write NAME_01.mrc, NAME_01.csv and NAME_01.json …; return the images' paths.

    One that stands there with the same parameters is kept.

    Raises
    ------
    ConfigError
        If a species is unknown, or other images stand under these names.
    InputDataError
        If a density map cannot be used, or not one particle of a species fits.
    """
    species = _read_species(config)
    run = digest_run(config)
    paths = []
    total = config.micrographs or config.tomograms
    make = _write_micrograph if config.micrographs else _write_tomogram
    for number in range(1, total + 1):
        stem = out_dir / f"{config.name}_{number:02d}"
        if not _is_finished(stem, run):
            generator = np.random.default_rng([config.seed, number])
            with write_whole(_file(stem, ".mrc")) as temporary:
                truth, taken = make(
                    temporary, stem.name, species, config, generator, on_progress
                )
            write_truth(_file(stem, ".csv"), truth)
            details = {**taken, **details_of(truth)}
            _write_record(stem, truth, details, species, config, run=run)
        if config.micrographs:
            _report(on_progress, "simulating", number, total)
        paths.append(_file(stem, ".mrc"))
    return paths


def _file(stem: Path, ending: str) -> Path:
    """Return a file of a phantom, whose name may have points: sim_1.5um_01.mrc."""
    return stem.with_name(stem.name + ending)


def _read_species(config: SimulateConfig) -> list[Species]:
    """Return the species, largest first: the small ones find room between them."""
    spacing = config.voxel_size
    if config.micrographs:
        spacing = canvas_spacing(config.pixel_size)
    if config.density:
        species = [species_from_map(p, spacing) for p in config.density]
    else:
        species = [built_in_species(n, spacing) for n in config.species]
    for name in config.filament_species:
        filament_species(name)  # refuses one that is not built in
    names = [s.name for s in species]
    names += [*config.filament_species, *config.vesicle_species]
    double = [n for n, k in Counter(names).items() if k > 1]
    if double:
        raise ConfigError(f"Species {', '.join(double)} given twice. Give each once.")
    return sorted(species, key=lambda s: -s.diameter_ang)


def _is_finished(stem: Path, run: Run) -> bool:
    """Tell whether a tomogram stands there whole; refuse to overwrite another's."""
    path = _file(stem, ".json")
    if not path.exists():
        return False
    record = read_record(path)
    before = run_from_values(record.get("run"))
    if before != run:
        raise ConfigError(refusal(f"{stem}.mrc stands there", before, run))
    if not are_as_written(stem.parent, noted_files(record, _results_of(stem))):
        return False
    logger.info("%s is there already.", stem.name)
    return True


def _results_of(stem: Path) -> list[str]:
    return [f"{stem.name}.mrc", f"{stem.name}.csv"]


def _write_micrograph(
    path: Path,
    name: str,
    species: list[Species],
    config: SimulateConfig,
    generator: np.random.Generator,
    on_progress: Progress,
) -> tuple[Truth, dict[str, Any]]:
    """Write a micrograph; return its truth and how it was taken."""
    check_placed = partial(_check_placed, name, config)
    image, truth, taken = make_micrograph(
        species, config, generator=generator, check_placed=check_placed
    )
    write_micrograph(path, image, config.pixel_size)
    return truth, taken


def _write_tomogram(
    path: Path,
    name: str,
    species: list[Species],
    config: SimulateConfig,
    generator: np.random.Generator,
    on_progress: Progress,
) -> tuple[Truth, dict[str, Any]]:
    """Write a tomogram; return its truth."""
    nx, ny, nz = config.shape
    scene = empty_scene((nz, ny, nx))
    add_distractors(
        scene,
        **_untold(config),
        gold=config.gold,
        voxel_size=config.voxel_size,
        generator=generator,
    )
    truth = Truth()
    _place_curves(scene, truth, config, name, generator)
    for kind in species:
        own = place_species(scene, kind, config.particles, generator=generator)
        size = f"{kind.name} ({kind.diameter_ang:g} Å)"
        _check_placed(name, config, size, len(own), config.particles)
        truth.particles.extend(own)
    volume = reconstruct_scene(
        scene.density,
        config.voxel_size,
        microscope=Microscope(
            tilt_range=config.tilt_range,
            tilt_step=config.tilt_step,
            defocus_um=config.defocus,
            snr=config.snr,
        ),
        generator=generator,
        on_tilt=partial(_report, on_progress, f"simulating {name}"),
    )
    volume = (volume - volume.mean()) * (WRITTEN_SD / volume.std())
    counts = np.clip(np.round(volume), -32768, 32767).astype(np.int16)
    write_volume(path, counts, config.voxel_size)
    return truth, {}


def _untold(config: SimulateConfig) -> dict[str, int]:
    """Return how many vesicles and filaments are placed that the truth does not tell.

    None beside those that it tells: a network would be taught the same thing both ways.
    """
    vesicles, filaments = config.membranes, config.filaments
    return {
        "vesicles": int(not config.vesicle_species) if vesicles is None else vesicles,
        "filaments": (
            2 * int(not config.filament_species) if filaments is None else filaments
        ),
    }


def _report(on_progress: Progress, stage: str, done: int, total: int) -> None:
    on_progress(ProgressEvent(stage, done, total))


def _place_curves(
    scene: Scene,
    truth: Truth,
    config: SimulateConfig,
    stem: str,
    generator: np.random.Generator,
) -> None:
    """Place filaments and vesicles: before particles, which find room between them."""
    for name, count in config.filament_species.items():
        filaments = place_filaments(
            scene,
            filament_species(name),
            count,
            voxel_size=config.voxel_size,
            generator=generator,
        )
        _check_placed(stem, config, f"{name} filaments", len(filaments), count)
        truth.filaments.extend(filaments)
    for name, count in config.vesicle_species.items():
        vesicles = place_vesicles(
            scene, name, count, voxel_size=config.voxel_size, generator=generator
        )
        _check_placed(stem, config, f"{name} vesicles", len(vesicles), count)
        truth.vesicles.extend(vesicles)


def _check_placed(
    stem: str, config: SimulateConfig, what: str, placed: int, wanted: int
) -> None:
    """Say how many found room, when not all did; not one is an error."""
    if placed == 0:
        raise InputDataError(
            f"{stem}: no room for {what} in {config.shape} "
            + (
                f"pixels of {config.pixel_size:g} Å. "
                if config.micrographs
                else f"voxels of {config.voxel_size:g} Å. "
            )
            + "Give a larger --shape or ask for fewer."
        )
    if placed < wanted:
        logger.warning("%s: room for %d of %d %s.", stem, placed, wanted, what)


def _write_record(
    stem: Path,
    truth: Truth,
    details: dict[str, Any],
    species: list[Species],
    config: SimulateConfig,
    *,
    run: Run,
) -> None:
    """Write the parameters and what was placed; last, as the mark of a whole one."""
    counts = Counter(particle.name for particle in truth.particles)
    record = {
        "digest": run.digest,
        "run": run_values(run),
        "files": hash_results(stem.parent, _results_of(stem)),
        "parameters": config_to_values(config),
        "species": {
            s.name: {"placed": counts[s.name], "diameter_ang": s.diameter_ang}
            for s in species
        },
        **details,
        "code_version": __version__,
    }
    with write_whole(_file(stem, ".json")) as temporary:
        temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")
