"""A model from a few clicks in seconds: shipped features, and a head in closed form."""

import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.fewshot.candidates import all_peaks
from etpicker_plugin.engine.fewshot.cut_off import choose_cut_off
from etpicker_plugin.engine.fewshot.features import draw_usual, features_at
from etpicker_plugin.engine.fewshot.fill import fill, open_store
from etpicker_plugin.engine.fewshot.head import (
    Head,
    Usual,
    give_head,
    require_enough,
    solve_head,
    usual_of,
)
from etpicker_plugin.engine.fewshot.plain import are_plain, doubt_plain
from etpicker_plugin.engine.fewshot.store import FeatureStore, rows_at
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.model.inference import for_inference
from etpicker_plugin.engine.picking.find import peak_settings
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.material import Material
from etpicker_plugin.engine.training.patches import TrainingVolume
from etpicker_plugin.engine.training.threshold import DEFAULT_THRESHOLD
from etpicker_plugin.engine.training.validation import (
    CANDIDATE_SCORE,
    all_of,
    allowed_candidates,
    judge_candidates,
)

logger = logging.getLogger(__name__)

MOST_CLICKS = 60
"""Of a class and a tomogram; more move the mean hardly any more."""


def solve_instantly(
    network: FastNetwork,
    material: Material,
    *,
    folder: Path,
    seed: int,
    on_progress: Progress,
) -> tuple[Species, ...]:
    """Give a network the head of the clicks; return the species with thresholds.

    Parameters
    ----------
    network
        With features to build on, in evaluation mode; its head is changed in place.
    material
        Everything marked is learnt from, and nothing held out.
    folder
        Has room for features meanwhile.
    """
    ready = cast(FastNetwork, for_inference(network))
    with tempfile.TemporaryDirectory(dir=folder, prefix=".features_") as aside:
        stores = []
        for done, volume in enumerate(material.volumes, 1):
            store = open_store(
                ready, volume.image.shape_zyx, path=Path(aside) / f"{done}.features"
            )
            for _ in fill(store, ready, volume.image):
                pass
            stores.append(store)
            on_progress(ProgressEvent("looking", done, len(material.volumes)))
        head = _head_of(material, stores, np.random.default_rng(seed))
        give_head(network, head)
        return _with_thresholds(material, stores, head)


def _head_of(
    material: Material, stores: list[FeatureStore], generator: np.random.Generator
) -> Head:
    """Return the head that follows from the marks and the tomograms' features."""
    usual: list[FloatArray] = []
    drawn: list[NDArray[np.intp]] = []
    clicks: list[list[FloatArray]] = [[] for _ in material.classes]
    negatives: list[FloatArray] = []
    for volume, store in zip(material.volumes, stores, strict=True):
        allowed = np.asarray(volume.learnable.data, dtype=bool)
        z, y, x = store.strides
        index = draw_usual(allowed[::z, ::y, ::x], generator)
        usual.append(rows_at(store, index))
        drawn.append(index)
        for channel, of_class in enumerate(clicks):
            places = volume.positions_zyx[volume.channels == channel]
            of_class.append(features_at(store, _at_most(places, generator)))
        negatives.append(features_at(store, _at_most(volume.negatives_zyx, generator)))
    everywhere = np.concatenate(usual)
    require_enough(everywhere)
    known = usual_of(everywhere)
    for volume, store, index in zip(material.volumes, stores, drawn, strict=True):
        _warn_of_plain(material, volume, store, index, known)
    return solve_head(
        known,
        np.stack([np.concatenate(of_class).mean(axis=0) for of_class in clicks]),
        np.concatenate(negatives),
    )


def _warn_of_plain(
    material: Material,
    volume: TrainingVolume,
    store: FeatureStore,
    others: NDArray[np.intp],
    usual: Usual,
) -> None:
    """Say of which particles' clicks nothing stands out."""
    for channel, one in enumerate(material.species):
        places = volume.positions_zyx[volume.channels == channel]
        if one.kind == PARTICLE and len(places):
            plain = are_plain(store, places, others, usual)
            if plain.any():
                clicks = places * material.scale_of(volume.tomogram_id)
                doubt = doubt_plain(one.name, volume.tomogram_id, clicks, plain)
                logger.warning("%s", doubt)


def _at_most(places: FloatArray, generator: np.random.Generator) -> FloatArray:
    if len(places) <= MOST_CLICKS:
        return places
    return np.asarray(places[generator.permutation(len(places))[:MOST_CLICKS]])


def _with_thresholds(
    material: Material, stores: list[FeatureStore], head: Head
) -> tuple[Species, ...]:
    """Return the species, each with a threshold from what its clicks score."""
    settings = peak_settings(
        material.species,
        output_voxel_size=material.voxel_size * stores[0].stride,
        min_score=CANDIDATE_SCORE,
    )
    parts = [all_of(volume) for volume in material.volumes]
    peaks = (
        all_peaks(store, head, settings, shape=part.image.shape_zyx)
        for part, store in zip(parts, stores, strict=True)
    )
    judged = judge_candidates(
        (
            (part, allowed_candidates(found, part))
            for part, found in zip(parts, peaks, strict=True)
        ),
        material.species,
        voxel_size=material.voxel_size,
    )
    are_flat = all(len(volume.image.data) == 1 for volume in material.volumes)
    found = []
    for one, picks in zip(material.species, judged, strict=True):
        is_pure = are_flat and one.kind == PARTICLE
        cut_off = choose_cut_off(picks.scores, picks.is_true, is_pure=is_pure)
        if cut_off is None:
            logger.warning(
                "%s: no place like the marked ones is found, not even there. Look "
                "whether the marks lie on particles, and at the diameter.",
                one.name,
            )
        threshold = DEFAULT_THRESHOLD if cut_off is None else cut_off.value
        found.append(replace(one, threshold=threshold))
    return tuple(found)
