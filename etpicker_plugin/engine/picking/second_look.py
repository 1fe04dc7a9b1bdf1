"""Rivals decided at the pick: each candidate is compared with the maps of all classes.

A network tells where particles are better than which: of small ones it takes many for
one another. Candidates are few, so that each can be looked at in every orientation of
every map, with all the voxels that there are (``engine.evidence``).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import expit, logit, logsumexp

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.evidence.orientations import TurnedMap, turn_every_way
from etpicker_plugin.engine.evidence.places import OnPlaces, look_at, tell_nobody
from etpicker_plugin.engine.evidence.seen import Seeing
from etpicker_plugin.engine.maps.appearance import measure_volume
from etpicker_plugin.engine.maps.contrast import USUAL_DEFOCUS_UM
from etpicker_plugin.engine.maps.density import DensityMap
from etpicker_plugin.engine.model.kept_maps import KeptMap, KeptMaps
from etpicker_plugin.engine.picking.flat_places import USUAL_SCORE
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks, suppress
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.volumes.array_volume import Readable

logger = logging.getLogger(__name__)

APART_VOX = 3.0
"""Candidates nearer to each other are one place: its centre is looked for anew."""

SUREST_SCORE = 1 - 1e-6
"""A score of 1, which rounding makes of a sure one, has no log-odds."""

UNSEEN_SCORE = 0.003
"""Of a class that the network has no candidate of at a place."""

NEAR_SHARE = 0.25
"""Of a diameter: how near a place a candidate of a class is at it."""

FINEST = 0.5
"""Cycles per voxel of the tomogram itself: Nyquist's frequency."""

SUREST = 48
"""Places that tell how strong particles are."""

CONTRASTS = tuple(0.5 * 2 ** (0.5 * step) for step in range(8))
USUAL_EVIDENCE = 3.0
"""Of a tomogram's particles, after scaling: noisier ones show less, and a score is to
mean the same in all. Rivals within a third of that are not decided between."""

LEAST_EVIDENCE = 1.0
FIRST_WEIGHTS = (1.0, 1.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Candidates of every class at every place, and what speaks for them.

    Attributes
    ----------
    peaks
        N of them, at the centres that the maps find.
    features
        ``(N, 2)``: log-odds of the network, and of the maps for this class against all
        others and nothing.
    """

    peaks: Peaks
    features: FloatArray


@dataclass(frozen=True, kw_only=True)
class SecondLook:
    """What compares candidates with maps.

    Attributes
    ----------
    maps
        Of some of a model's classes or all; the candidates of others stay as they are.
    voxel_size
        Working voxel size, Å.
    defocus_um
        If it is known.
    weights
        What the two features and 1 count for in a score's log-odds.
    on_places
        Hears how many places were compared, of how many.
    """

    maps: tuple[DensityMap, ...]
    voxel_size: float
    defocus_um: float | None = None
    weights: tuple[float, float, float] = FIRST_WEIGHTS
    on_places: OnPlaces = tell_nobody

    @cached_property
    def turned(self) -> tuple[TurnedMap, ...]:
        """Return the maps in all orientations."""
        return tuple(turn_every_way(one, self.voxel_size) for one in self.maps)

    def with_weights(self, weights: tuple[float, float, float]) -> "SecondLook":
        """Return it with other weights; the maps are not turned again."""
        return self._with_its_turned(replace(self, weights=weights))

    def reporting_to(self, on_places: OnPlaces) -> "SecondLook":
        """Return it with another listener; the maps are not turned again."""
        return self._with_its_turned(replace(self, on_places=on_places))

    def _with_its_turned(self, other: "SecondLook") -> "SecondLook":
        other.__dict__["turned"] = self.turned
        return other

    def judge(
        self, peaks: Peaks, volume: Readable, species: Sequence[Species]
    ) -> Peaks:
        """Return peaks whose scores say what the maps do, at centres found anew.

        Parameters
        ----------
        peaks
            Candidates of all species, in voxels of ``volume``.
        """
        known = {one.name for one in self.maps}
        looked_at = np.array([one.name in known for one in species], dtype=bool)
        others = peaks.select(~looked_at[peaks.channels])
        found = self.compare(peaks, volume, species)
        first, second, offset = self.weights
        scores = expit(found.features @ np.array([first, second]) + offset)
        return join_peaks([others, replace(found.peaks, scores=scores)])

    def compare(
        self, peaks: Peaks, volume: Readable, species: Sequence[Species]
    ) -> Compared:
        """Return every class with a map at every place of a candidate of any of them.

        Candidates below ``USUAL_SCORE`` are no places, so that the same are, whatever
        scores are asked for.
        """
        names = [one.name for one in species]
        channels = np.array([names.index(one.name) for one in self.maps])
        ours = peaks.select(
            np.isin(peaks.channels, channels) & (peaks.scores >= USUAL_SCORE)
        )
        ours = ours.select(np.lexsort((*ours.positions_zyx.T[::-1], -ours.scores)))
        places = ours.positions_zyx[suppress(ours.positions_zyx, APART_VOX)]
        network = np.stack(
            [
                _best_near(
                    places,
                    ours.select(ours.channels == channel),
                    NEAR_SHARE * species[channel].size_vox(self.voxel_size).diameter,
                )
                for channel in channels
            ],
            axis=1,
        )
        evidence, centres = self._ask_maps(places, volume)
        centres = np.clip(centres, 0, np.subtract(volume.shape_zyx, 1))
        margin = margins(evidence / usual_evidence(evidence, network))
        return Compared(
            peaks=Peaks(
                positions_zyx=centres.reshape(-1, 3),
                scores=network.ravel(),
                channels=np.tile(channels, len(places)),
            ),
            features=np.stack([_log_odds(network).ravel(), margin.ravel()], axis=1),
        )

    def _ask_maps(
        self, places: FloatArray, volume: Readable
    ) -> tuple[FloatArray, FloatArray]:
        """Return evidence ``(N, C)`` and expected centres ``(N, C, 3)``.

        The contrast is that with which the surest places are likeliest.
        """
        if not len(places):
            return np.zeros((0, len(self.maps))), np.zeros((0, len(self.maps), 3))
        logger.info("Comparing %d places with %d map(s)", len(places), len(self.maps))
        seeing = Seeing(
            look=measure_volume(volume, self.voxel_size),
            defocus_um=self.defocus_um or USUAL_DEFOCUS_UM,
            finest=FINEST * volume.scale if volume.scale < 1 else 1.0,
        )
        tried = look_at(
            places[:SUREST], volume, seeing, self.turned, contrasts=CONTRASTS
        )
        likely = np.logaddexp(0.0, logsumexp(tried.evidence, axis=1)).sum(axis=0)
        contrast = CONTRASTS[int(likely.argmax())]
        found = look_at(
            places,
            volume,
            seeing,
            self.turned,
            contrasts=[contrast],
            on_places=self.on_places,
        )
        return found.evidence[:, :, 0], found.centres_zyx[:, :, 0]


def usual_evidence(evidence: FloatArray, network: FloatArray) -> float:
    """Return by what evidence ``(N, C)`` is divided to be as usual.

    The mean of the places' best, each counted as much as the network's best score.
    """
    if not len(evidence):
        return 1.0
    usual = np.average(evidence.max(axis=1), weights=network.max(axis=1))
    return max(float(usual), LEAST_EVIDENCE) / USUAL_EVIDENCE


def margins(evidence: FloatArray) -> FloatArray:
    """Return the log-odds ``(N, C)`` of each class against the others and nothing."""
    margin = np.empty_like(evidence)
    nothing = np.zeros((len(evidence), 1))
    for channel in range(evidence.shape[1]):
        others = np.delete(evidence, channel, axis=1)
        rivals = logsumexp(np.concatenate([others, nothing], axis=1), axis=1)
        margin[:, channel] = evidence[:, channel] - rivals
    return margin


def _log_odds(scores: FloatArray) -> FloatArray:
    return np.asarray(logit(np.minimum(scores, SUREST_SCORE)))


def _best_near(places: FloatArray, own: Peaks, reach: float) -> FloatArray:
    """Return the best score of a class's candidates near each place."""
    best = np.full(len(places), UNSEEN_SCORE)
    if len(own) and len(places):
        tree = cKDTree(own.positions_zyx)
        for i, near in enumerate(tree.query_ball_point(places, reach)):
            if near:
                best[i] = own.scores[near].max()
    return best


def second_look_of(kept: KeptMaps | None, voxel_size: float) -> SecondLook | None:
    """Return what a model's maps look at candidates with; nothing without maps."""
    if kept is None:
        return None
    maps = tuple(
        DensityMap(
            name=one.name,
            density=one.density,
            voxel_size=one.voxel_size,
            extent_ang=one.extent_ang,
            was_dark=False,
        )
        for one in kept.maps
    )
    return SecondLook(
        maps=maps,
        voxel_size=voxel_size,
        defocus_um=kept.defocus_um,
        weights=kept.weights,
    )


def to_keep(look: SecondLook | None) -> KeptMaps | None:
    """Return what a model file keeps of it."""
    if look is None:
        return None
    return KeptMaps(
        maps=tuple(
            KeptMap(one.name, one.density, one.voxel_size, one.extent_ang)
            for one in look.maps
        ),
        weights=look.weights,
        defocus_um=look.defocus_um,
    )
