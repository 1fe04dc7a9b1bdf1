"""``etpicker pick``: tomograms through a model to coordinate files."""

import json
import logging
from collections import Counter
from pathlib import Path

from etpicker_plugin import __version__
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.device import choose_device, describe_device
from etpicker_plugin.engine.errors import (
    ConfigError,
    EtPickerError,
    InputDataError,
    ResourceError,
)
from etpicker_plugin.engine.io.particles import Particles
from etpicker_plugin.engine.io.tomogram import tomogram_id_of
from etpicker_plugin.engine.model.card import file_sha256
from etpicker_plugin.engine.model.inference import for_inference
from etpicker_plugin.engine.model.model_file import load_model
from etpicker_plugin.engine.picking.loaded_model import LoadedModel, thresholds
from etpicker_plugin.engine.picking.one_tomogram import pick_tomogram
from etpicker_plugin.engine.progress import Progress

logger = logging.getLogger(__name__)

FAILURES = "failed.json"


def pick(
    config: PickConfig, out_dir: Path, *, on_progress: Progress
) -> dict[str, Particles]:
    """Pick all tomograms; return the picks by tomogram id.

    A tomogram that cannot be used is listed in ``failed.json`` and the others go on.

    Raises
    ------
    CheckpointError, ConfigError
        If the model cannot be used, or the parameters do not fit it.
    EtPickerError
        That of the first tomogram, when not one could be picked.
    """
    check_names(config.tomogram)
    device = choose_device(config.device, threads=config.threads)
    network, card = load_model(config.model)
    thresholds(card, config)
    logger.info("etpicker %s, %s", __version__, describe_device(device))
    model = LoadedModel(
        network=for_inference(network, config.precision, device=device),
        card=card,
        sha256=file_sha256(config.model),
    )
    picks: dict[str, Particles] = {}
    failed: dict[str, EtPickerError] = {}
    masks = config.mask or (None,) * len(config.tomogram)
    for path, mask_path in zip(config.tomogram, masks, strict=True):
        name = tomogram_id_of(path)
        try:
            picks[name] = pick_tomogram(
                path,
                mask_path,
                model=model,
                config=config,
                out_dir=out_dir,
                on_progress=on_progress,
            )
        except (InputDataError, ResourceError) as error:
            logger.error("%s", error)
            failed[name] = error
    write_failures(failed, out_dir)
    if failed and not picks:
        raise next(iter(failed.values()))
    return picks


def check_names(paths: tuple[str, ...]) -> None:
    """Refuse two tomograms whose picks would have one name.

    Raises
    ------
    ConfigError
        Naming them.
    """
    counts = Counter(tomogram_id_of(path) for path in paths)
    double = sorted(name for name, count in counts.items() if count > 1)
    if double:
        raise ConfigError(
            f"Several tomograms are named {', '.join(double)}; their picks would "
            "have one file. Rename them, or pick them into folders of their own."
        )


def write_failures(failed: dict[str, EtPickerError], out_dir: Path) -> None:
    """List the tomograms that could not be picked, each with its reason."""
    path = out_dir / FAILURES
    if not failed:
        path.unlink(missing_ok=True)
        return
    record = {name: str(error) for name, error in failed.items()}
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")
    logger.warning(
        "%d tomogram(s) could not be picked: %s", len(failed), ", ".join(failed)
    )
