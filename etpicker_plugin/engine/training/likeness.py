"""Do scenes look like the tomograms that they stand for?

The shipped network says: of what it computes in voxels of both, means and spreads are
compared, in deviations of the tomogram's own. Parts of one tomogram differ too; by how
much tells what difference is one.
"""

import logging
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.maps.scene_files import SIMULATED
from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.model.network import LAYOUT
from etpicker_plugin.engine.training.dataset import Annotated
from etpicker_plugin.engine.volumes.tomogram import Tomogram
from etpicker_plugin.engine.volumes.working_volume import open_working_volume

logger = logging.getLogger(__name__)

EDGE = 48
PATCHES = 6
INNER = 4
"""Voxels of the features' grid that are left out at a patch's faces."""

UNLIKE = 0.45
"""Deviations, on average over features, from which scenes are said not to fit. Parts of
one tomogram differ by up to 0.3, and two of one session by 0.4."""

MOST_LOOKED_AT = 2


def tell_likeness(
    network: FastNetwork,
    tomograms: Sequence[Tomogram],
    scenes: Sequence[Annotated],
    *,
    working_voxel_size: float,
) -> float:
    """Return how much scenes differ from tomograms, and warn where they do not fit.

    Parameters
    ----------
    network
        As it is shipped.
    scenes
        Of them those that are simulated are looked at.
    """
    was_training = network.training
    network.eval()
    simulated_scenes = [
        item.tomogram
        for item in scenes
        if item.tomogram.tomogram_id.startswith(SIMULATED)
    ]
    pairs = [
        [
            _features_of(network, one, working_voxel_size, seed=number)
            for number, one in enumerate(group[:MOST_LOOKED_AT])
        ]
        for group in (tomograms, simulated_scenes)
    ]
    network.train(was_training)
    real, simulated = (np.concatenate(group) for group in pairs)
    unlike = difference(real, simulated)
    logger.info("Scenes differ from the tomograms by %.2f deviations", unlike)
    if unlike > UNLIKE:
        logger.warning(
            "The simulated scenes do not look like the tomograms: what the network "
            "sees in them differs by %.2f deviations, and %.2f or less is expected. "
            "The model may find little there. Check the voxel sizes and that the "
            "tomograms are plain reconstructions (denoised or filled-in ones have "
            "another noise), or mark some particles and give --coordinates too.",
            unlike,
            UNLIKE,
        )
    return unlike


def difference(one: FloatArray, other: FloatArray) -> float:
    """Return how far apart features ``(N, F)`` are in mean and spread, in deviations.

    The mean over features, those that do not vary in the first left out.
    """
    spread, other_spread = one.std(axis=0), other.std(axis=0)
    varies = spread > 1e-3 * spread.max()
    shift = np.abs(one.mean(axis=0) - other.mean(axis=0))[varies] / spread[varies]
    ratio = np.abs(np.log(np.maximum(other_spread, 1e-9)[varies] / spread[varies]))
    return float(np.mean(shift) + np.mean(ratio))


def _features_of(
    network: FastNetwork, tomogram: Tomogram, voxel_size: float, *, seed: int
) -> NDArray[np.float64]:
    """Return features ``(N, F)`` of voxels in some patches of a tomogram."""
    volume = open_working_volume(tomogram, voxel_size)
    generator = np.random.default_rng(seed)
    device = network.head.weight.device
    rows = []
    room = [max(n - EDGE, 0) for n in volume.shape_zyx]
    low, high = room[0] // 4, room[0] - room[0] // 4  # in z: where the sample is
    for _ in range(PATCHES):
        start = (
            int(generator.integers(low, high + 1)),
            *(int(generator.integers(0, n + 1)) for n in room[1:]),
        )
        stop = tuple(s + EDGE for s in start)
        image = torch.from_numpy(volume.read(start, stop))[None, None].to(device)
        with torch.inference_mode():
            features = network.forward_with_features(
                image.contiguous(memory_format=LAYOUT)
            )[2]
        inner = features[0, :, INNER:-INNER, INNER:-INNER, INNER:-INNER]
        rows.append(inner.flatten(1).T.double().cpu().numpy())
    return np.concatenate(rows)
