"""``etpicker pick``: tomograms through a model to coordinate files."""

import logging
from collections.abc import Sequence
from pathlib import Path

from etpicker_plugin import __version__
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.device import choose_device, describe_device
from etpicker_plugin.engine.disk import is_disk_full
from etpicker_plugin.engine.errors import (
    CheckpointError,
    ConfigError,
    EtPickerError,
    InputDataError,
    ResourceError,
)
from etpicker_plugin.engine.formats.relion_formats import RELION5
from etpicker_plugin.engine.formats.tilt_series import TiltSeries, read_tilt_series
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.model.inference import for_inference
from etpicker_plugin.engine.model.kept_maps import read_kept_maps
from etpicker_plugin.engine.model.model_file import load_model
from etpicker_plugin.engine.names import (
    file_fault,
    image_word,
    printable,
    tomogram_id_of,
    warn_star_words,
)
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.picking.failures import forget_failure, note_error
from etpicker_plugin.engine.picking.loaded_model import (
    LoadedModel,
    surface_steps,
    thresholds,
    trace_settings_of,
)
from etpicker_plugin.engine.picking.one_tomogram import pick_tomogram
from etpicker_plugin.engine.picking.progress import TomogramsProgress
from etpicker_plugin.engine.picking.second_look import second_look_of
from etpicker_plugin.engine.picking.star_tables import check_tables
from etpicker_plugin.engine.progress import Progress

logger = logging.getLogger(__name__)


def pick(
    config: PickConfig, out_dir: Path, *, on_progress: Progress
) -> dict[str, Particles]:
    """Pick the tomograms, or a part of them; return the picks by tomogram id.

    A tomogram that cannot be used is noted in ``failed/`` and the others go on. What
    is picked already is read, not redone; several processes may share the list.

    Raises
    ------
    CheckpointError, ConfigError
        If the model cannot be used, or the parameters do not fit it.
    EtPickerError
        That of the first tomogram, when not one could be picked; and when the disk is
        full, after the others were tried.
    """
    series = name_tilt_series(config)
    model = open_model(config)
    if not config.tomograms and not model.card.is_flat:
        logger.info("In NAME.star: %s", RELION5.without_tomograms)
    warn_names(config, [species.name for species in model.card.classes])
    check_tables(map(tomogram_id_of, config.tomogram), model.card)
    picks: dict[str, Particles] = {}
    failed: dict[str, EtPickerError] = {}
    part = part_of(config)
    progress = TomogramsProgress(on_progress, len(part))
    for path, mask_path in part:
        progress.next_tomogram()
        name = tomogram_id_of(path)
        forget_failure(name, out_dir=out_dir)
        try:
            picks[name] = pick_tomogram(
                path,
                mask_path,
                series=series,
                model=model,
                config=config,
                out_dir=out_dir,
                on_progress=progress,
            )
        except (InputDataError, ResourceError) as error:
            logger.error("%s", error)
            failed[name] = error
            # Of a tomogram that another process picks, that one says what becomes.
            if not isinstance(error.__cause__, BlockingIOError):
                note_error(name, error, out_dir=out_dir)
    if failed:
        logger.warning(
            "%d %s(s) could not be picked: %s",
            len(failed),
            image_word(model.card.is_flat),
            ", ".join(failed),
        )
    full = [e for e in failed.values() if is_disk_full(e)]
    if full or (failed and not picks):
        raise next(iter(full or failed.values()))
    return picks


def name_tilt_series(config: PickConfig) -> TiltSeries:
    """Return what is known of the tilt series, if all tomograms can be named.

    Raises
    ------
    ConfigError, InputDataError
        If a pattern, the table or RELION's file cannot be used, or no pattern fits.
    """
    series = read_tilt_series(
        tomograms=config.tomograms,
        tilt_series_name=config.tilt_series_name,
        tilt_series_table=config.tilt_series_table,
    )
    for path in config.tomogram:
        series.names.said_of(tomogram_id_of(path))
    return series


def open_model(config: PickConfig) -> LoadedModel:
    """Return the model on its device, after a look at its version and classes.

    Raises
    ------
    CheckpointError
        If it cannot be used, or is not the version that was asked for.
    ConfigError
        If it does not know a class.
    """
    device = choose_device(config.device, threads=config.threads)
    network, card = load_model(config.model)
    sha256 = file_sha256(config.model)
    if config.model_sha256 not in ("", sha256):
        raise CheckpointError(
            f"Model {config.model} is not the one that this run began with: its "
            f"SHA-256 is {sha256[:12]}…, expected {config.model_sha256[:12]}…. The "
            "file was changed or replaced: put the former one back, or begin anew "
            "with this one."
        )
    thresholds(card, config)
    trace_settings_of(card, config)
    surface_steps(card, config)
    if config.border is None and card.border_ang:
        logger.info(
            "Nothing is picked nearer than %.0f Å to a face in x or y, because the "
            "model's annotations mark nothing there. To pick there too: --border 0.",
            card.border_ang,
        )
    logger.info("etpicker %s, %s", __version__, describe_device(device))
    return LoadedModel(
        network=for_inference(network, config.precision, device=device),
        card=card,
        sha256=sha256,
        second_look=second_look_of(
            read_kept_maps(config.model), card.working_voxel_size
        ),
    )


def part_of(config: PickConfig) -> tuple[tuple[str, str | None], ...]:
    """Return the tomograms to pick here, each with its mask if there is one."""
    masks = config.mask or (None,) * len(config.tomogram)
    part = config.read_part()
    mine = part.take(list(zip(config.tomogram, masks, strict=True)))
    if part.total > 1:
        logger.info(
            "Part %s: %d of %d tomograms", part, len(mine), len(config.tomogram)
        )
    return mine


def warn_names(config: PickConfig, classes: Sequence[str]) -> None:
    """Say which names stand otherwise in NAME.star.

    Raises
    ------
    ConfigError
        If two tomograms, or two classes, could not be told apart there, or a
        probability map cannot be named after its class.
    """
    warn_star_words(map(tomogram_id_of, config.tomogram), what="Tomograms")
    warn_star_words(classes, what="Classes of the model")
    for name in classes if config.probability_map else ():
        fault = file_fault(name)
        if fault:
            raise ConfigError(
                f"--probability-map: no file can be named after the model's class "
                f"'{printable(name)}': {fault}. Pick without probability maps."
            )
