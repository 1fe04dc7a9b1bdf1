"""The files of a picked tomogram, and the record that tells one run from another."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from etpicker_plugin import __version__
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.formats.relion_formats import RELION5
from etpicker_plugin.engine.formats.tilt_series_names import series_of
from etpicker_plugin.engine.formats.usual_names import usual_tilt_series
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.picking.loaded_model import LoadedModel, thresholds
from etpicker_plugin.engine.picking.star_tables import tables_of, write_table
from etpicker_plugin.engine.picking.surfaces import write_surfaces
from etpicker_plugin.engine.result_files import (
    are_as_written,
    hash_results,
    keeping_former,
    noted_files,
    read_record,
)
from etpicker_plugin.engine.run_folder import (
    Run,
    describe_run,
    refusal,
    run_from_values,
    run_values,
)
from etpicker_plugin.engine.volumes.tomogram import Tomogram
from etpicker_plugin.engine.volumes.watched_file import WatchedFile

logger = logging.getLogger(__name__)

OF_RELION = "half of the unbinned size that RELION's tomograms.star states"


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a tomogram is picked from, and with what; its files must not change."""

    tomogram: Tomogram
    frame: TomogramFrame
    mask: WatchedFile | None
    model: LoadedModel
    config: PickConfig

    def run(self) -> Run:
        """Return what tells this picking from another.

        Raises
        ------
        InputDataError
            If a file changes meanwhile.
        """
        name = self.tomogram.tomogram_id
        inputs = [("model", self.model.sha256)]
        if self.tomogram.file is not None:
            inputs.append((f"tomogram {name}", self.tomogram.file.sha256()))
        if self.mask is not None:
            inputs.append((f"mask of {name}", self.mask.sha256()))
        if _is_said(self.frame):
            inputs.append((f"tilt series of {name}", _digest(self.frame)))
        return describe_run(self.config, inputs)

    def check(self) -> None:
        """See that the tomogram and its mask are still those that were hashed.

        Raises
        ------
        InputDataError
            If one is not.
        """
        for file in (self.tomogram.file, self.mask):
            if file is not None:
                file.check()


def frame_of(tomogram: Tomogram) -> TomogramFrame:
    """Return a tomogram's frame as its file states it."""
    return TomogramFrame(
        tomogram_id=tomogram.tomogram_id,
        shape_zyx=tomogram.shape_zyx,
        voxel_size=tomogram.voxel_size,
    )


def _is_said(frame: TomogramFrame) -> bool:
    """Tell whether NAME.star depends on more than the tomogram."""
    usual = usual_tilt_series(frame.tomogram_id)
    return series_of(frame) != usual or frame.unbinned_size_xyz is not None


def _digest(frame: TomogramFrame) -> str:
    return hashlib.sha256(json.dumps(asdict(frame)).encode()).hexdigest()


def finished_picks(
    name: str,
    run: Run,
    *,
    card: ModelCard,
    out_dir: Path,
    beside: Sequence[str] = (),
) -> Particles | None:
    """Return picks that stand there already, if they and what is beside are whole.

    Files that do not agree with what was noted of them, cut short or edited, are set
    aside, for the tomogram to be picked again.

    Raises
    ------
    ConfigError
        If they were made with another model, tomogram or parameters.
    """
    sidecar = out_dir / f"{name}.json"
    if not sidecar.exists():
        return None
    record = read_record(sidecar)
    before = run_from_values(record.get("run"))
    if before != run:
        raise ConfigError(refusal(f"{out_dir / name}.csv holds picks", before, run))
    files = noted_files(record, (f"{name}.csv", *tables_of(name, card), *beside))
    if not are_as_written(out_dir, files):
        for file in (*files, sidecar.name):
            (out_dir / file).unlink(missing_ok=True)
        return None
    logger.info("%s is picked already.", name)
    return read_csv(out_dir / f"{name}.csv", tomogram_id=name, flat=card.is_flat)


def write_picks(
    particles: Particles, inputs: Inputs, run: Run, *, out_dir: Path
) -> None:
    """Write NAME.csv, its tables, what is asked for of membranes and, last, NAME.json.

    That is the mark of finished picks.

    Other picks that stand there without the mark, whosever they are, are set aside.
    """
    name = inputs.tomogram.tomogram_id
    csv, card = f"{name}.csv", inputs.model.card
    tables = tables_of(name, card)
    with keeping_former(out_dir / csv) as path:
        write_csv(particles, path, flat=card.is_flat)
    for star, classes in tables.items():
        with keeping_former(out_dir / star) as path:
            write_table(particles, inputs.frame, path, classes=classes, card=card)
    beside = write_surfaces(
        particles, inputs.frame, card, config=inputs.config, out_dir=out_dir
    )
    record = {
        **_describe(inputs, run),
        "picks": len(particles),
        "files": hash_results(out_dir, (csv, *tables, *beside)),
    }
    with write_whole(out_dir / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")


def _describe(inputs: Inputs, run: Run) -> dict[str, Any]:
    """Return what was picked with what, in which frame."""
    tomogram, card = inputs.tomogram, inputs.model.card
    return {
        "tomogram": tomogram.tomogram_id,
        "tomogram_sha256": tomogram.file.sha256() if tomogram.file else None,
        "mask_sha256": inputs.mask.sha256() if inputs.mask else None,
        "model_sha256": inputs.model.sha256,
        "digest": run.digest,
        "run": run_values(run),
        "frame": "0-based voxels of the tomogram; voxel i is centred at i",
        "shape_zyx": list(tomogram.shape_zyx),
        "voxel_size_ang": tomogram.voxel_size,
        "working_voxel_size_ang": card.working_voxel_size,
        "thresholds": thresholds(card, inputs.config),
        "diameters_ang": {c.name: c.diameter_ang for c in card.classes},
        "kinds": {c.name: c.kind for c in card.classes},
        "class_numbers": {name: n for n, name in enumerate(card.class_names(), 1)},
        "tilt_series": series_of(inputs.frame),
        "star_centre": RELION5.without_tomograms
        if inputs.frame.unbinned_size_xyz is None
        else OF_RELION,
        "model": str(inputs.config.model),
        "config": config_to_values(inputs.config),
        "code_version": __version__,
    }
