"""The files of a picked tomogram, and the record that tells one run from another."""

import json
import logging
from pathlib import Path
from typing import Any

from etpicker_plugin import __version__
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.config.options import config_digest, config_to_values
from etpicker_plugin.engine.config.pick import NOT_OF_THE_RESULT, PickConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.formats.relion_star import write_star
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.picking.loaded_model import LoadedModel, thresholds
from etpicker_plugin.engine.volumes.tomogram import Tomogram

logger = logging.getLogger(__name__)


def describe_run(
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


def finished_picks(stem: Path, record: dict[str, Any]) -> Particles:
    """Read picks that stand there already; refuse those of another run.

    Raises
    ------
    ConfigError
        If they were made with another model, tomogram or parameters.
    """
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


def write_picks(
    particles: Particles,
    tomogram: Tomogram,
    record: dict[str, Any],
    *,
    out_dir: Path,
) -> None:
    """Write NAME.csv, NAME.star and, last, as the mark of finished picks, NAME.json."""
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
