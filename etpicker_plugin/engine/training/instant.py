"""A model from a few clicks in seconds: shipped features, and a head in closed form."""

import logging
from dataclasses import replace

import numpy as np
import torch

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.fewshot.cut_off import choose_cut_off
from etpicker_plugin.engine.fewshot.features import features_at, usual_features
from etpicker_plugin.engine.fewshot.head import solve_head, usual_of
from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.material import Material
from etpicker_plugin.engine.training.threshold import DEFAULT_THRESHOLD
from etpicker_plugin.engine.training.validation import all_of, judge_parts

logger = logging.getLogger(__name__)

MOST_CLICKS = 60
"""Of a class and a tomogram; more move the mean hardly any more."""


def solve_instantly(
    network: FastNetwork,
    material: Material,
    *,
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
    """
    generator = np.random.default_rng(seed)
    n_features = network.head.in_channels
    usual: list[FloatArray] = []
    clicks: list[list[FloatArray]] = [[] for _ in material.classes]
    negatives = [np.zeros((0, n_features))]
    for done, volume in enumerate(material.volumes, 1):
        usual.append(
            usual_features(
                network,
                volume.image,
                allowed=np.asarray(volume.learnable.data, dtype=bool),
                generator=generator,
            )
        )
        for channel, of_class in enumerate(clicks):
            places = volume.positions_zyx[volume.channels == channel]
            some = _at_most(places, MOST_CLICKS, generator)
            of_class.append(features_at(network, volume.image, some))
        some = _at_most(volume.negatives_zyx, MOST_CLICKS, generator)
        negatives.append(features_at(network, volume.image, some))
        on_progress(ProgressEvent("looking", done, len(material.volumes)))
    weights, biases = solve_head(
        usual_of(np.concatenate(usual)),
        np.stack([np.concatenate(of_class).mean(axis=0) for of_class in clicks]),
        np.concatenate(negatives),
    )
    head = {
        "weight": torch.from_numpy(weights)[..., None, None, None],
        "bias": torch.from_numpy(biases),
    }
    network.head.load_state_dict(head)
    return _with_thresholds(network, material)


def _at_most(
    places: FloatArray, most: int, generator: np.random.Generator
) -> FloatArray:
    if len(places) <= most:
        return places
    return np.asarray(places[generator.permutation(len(places))[:most]])


def _with_thresholds(network: FastNetwork, material: Material) -> tuple[Species, ...]:
    """Return the species, each with a threshold from what its clicks score."""
    parts = [all_of(volume) for volume in material.volumes]
    judged = judge_parts(
        network, parts, material.species, voxel_size=material.voxel_size
    )
    found = []
    for one, picks in zip(material.species, judged, strict=True):
        cut_off = choose_cut_off(picks.scores, picks.is_true)
        if cut_off is None:
            logger.warning(
                "%s: no place like the marked ones is found, not even there. Look "
                "whether the marks lie on particles, and at the diameter.",
                one.name,
            )
        threshold = DEFAULT_THRESHOLD if cut_off is None else cut_off.value
        found.append(replace(one, threshold=threshold))
    return tuple(found)
