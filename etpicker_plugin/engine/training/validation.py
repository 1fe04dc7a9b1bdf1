"""Validation by picking: held-out regions are picked, and the picks are judged.

Thresholds are chosen here, on particles that the network never learnt from.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from etpicker_plugin.engine.annotation import UNKNOWN
from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.columns import DIRECTION
from etpicker_plugin.engine.evaluation.matching import match_by_score
from etpicker_plugin.engine.evaluation.metrics import (
    average_precision,
    f_alpha_score,
    fbeta,
    precision_of,
    recall_of,
)
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.model.inference import for_inference
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.picking.choose import choose
from etpicker_plugin.engine.picking.find import Search, peak_settings, pick_tiles
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks, keep_best
from etpicker_plugin.engine.picking.second_look import SecondLook
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.augment import add_matched_noise
from etpicker_plugin.engine.training.patches import TrainingVolume
from etpicker_plugin.engine.training.split import Region
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

CANDIDATE_SCORE = 0.001
"""Low enough that some candidates are background: without any it could not be told
where particles end."""

MATCH_SHARE = 0.5
"""Of a diameter: how far from a centre a pick may be."""

MOST_CANDIDATES = 10_000
"""Per class and part: an untrained network finds a peak everywhere."""

MOST_POINTS = 200_000
"""Where there are points of curves and membranes."""


@dataclass(frozen=True, kw_only=True)
class ValidationPart:
    """A held-out region with all the true centres of its tomogram.

    ``annotation`` tells for each class how it was annotated; an unknown one is not
    judged here.
    """

    tomogram_id: str
    image: ArrayVolume
    region: Region
    allowed: ArrayVolume
    positions_zyx: NDArray[np.float64]
    channels: NDArray[np.intp]
    annotation: tuple[str, ...]


See = Callable[[ValidationPart, Peaks], None]


def see_nothing(part: ValidationPart, peaks: Peaks) -> None:
    """Look at nothing."""


@dataclass(frozen=True, kw_only=True)
class JudgedPicks:
    """One class's candidates over all parts: score, truth, and true particles."""

    scores: NDArray[np.float64]
    is_true: NDArray[np.bool_]
    n_truth: int


@dataclass(frozen=True, kw_only=True)
class ClassResult:
    """What a class reaches at its threshold, and its average precision at any.

    ``n_truth`` particles could be found, and ``n_false`` picks are none of them.
    """

    threshold: float
    precision: float
    recall: float
    f1: float
    f_alpha: float
    average_precision: float
    n_truth: int
    n_false: int


def judge_parts(
    network: Network,
    parts: Iterable[ValidationPart],
    species: Sequence[Species],
    *,
    voxel_size: float,
    see: See = see_nothing,
    second_look: SecondLook | None = None,
) -> list[JudgedPicks]:
    """Pick the parts and match the picks; return those of each species.

    Parameters
    ----------
    species
        In the order of the channels; their thresholds do not matter.
    voxel_size
        Of the parts, Å.
    see
        Is shown each part with its picks.
    second_look
        Compares candidates with maps.
    """
    ready = for_inference(network)
    found = (
        (part, find_candidates(ready, part, species, voxel_size=voxel_size))
        for part in parts
    )
    return judge_candidates(
        found, species, voxel_size=voxel_size, see=see, second_look=second_look
    )


def judge_candidates(
    found: Iterable[tuple[ValidationPart, Peaks]],
    species: Sequence[Species],
    *,
    voxel_size: float,
    see: See = see_nothing,
    second_look: SecondLook | None = None,
) -> list[JudgedPicks]:
    """Match the picks among parts' allowed candidates (see ``judge_parts``)."""
    judged: list[list[JudgedPicks]] = [[] for _ in species]
    for part, candidates in found:
        peaks = choose_all(
            candidates, part, species, voxel_size=voxel_size, second_look=second_look
        )
        see(part, peaks)
        for channel, one in enumerate(species):
            if part.annotation[channel] == UNKNOWN:
                continue
            match = judged_particles if one.kind == PARTICLE else judged_points
            judged[channel].append(
                match(
                    peaks,
                    part,
                    channel=channel,
                    diameter_vox=one.size_vox(voxel_size).diameter,
                )
            )
    return [join_judged(of_class) for of_class in judged]


def judged_particles(
    peaks: Peaks, part: ValidationPart, *, channel: int, diameter_vox: float
) -> JudgedPicks:
    """Return one class's picks of a part, each of a particle of its own or false."""
    own, is_true, n_truth = match_part(
        peaks, part, channel=channel, diameter_vox=diameter_vox
    )
    return JudgedPicks(scores=own.scores, is_true=is_true, n_truth=n_truth)


def judged_points(
    peaks: Peaks, part: ValidationPart, *, channel: int, diameter_vox: float
) -> JudgedPicks:
    """Return what of one class's curves or membranes is found, and what is picked else.

    A point of the truth is found with the best score within half a width of it; a
    point picked farther from any is false. Both stand about as close, so shares of
    them are shares of length or of area.
    """
    reach = MATCH_SHARE * diameter_vox
    truth = part.positions_zyx[part.channels == channel]
    counted = truth[part.region.contains(truth) & _is_allowed(truth, part)]
    own = peaks.select(peaks.channels == channel)
    if len(truth) == 0 or len(own) == 0:
        is_true = np.zeros(len(own), dtype=bool)
        return JudgedPicks(scores=own.scores, is_true=is_true, n_truth=len(counted))
    distances, _ = cKDTree(truth).query(own.positions_zyx)
    false = own.scores[distances > reach]
    near = cKDTree(own.positions_zyx).query_ball_point(counted, reach)
    best = np.array([own.scores[found].max() for found in near if found])
    return JudgedPicks(
        scores=np.concatenate([best, false]),
        is_true=np.repeat([True, False], [len(best), len(false)]),
        n_truth=len(counted),
    )


def find_candidates(
    ready: Network,
    part: ValidationPart,
    species: Sequence[Species],
    *,
    voxel_size: float,
) -> Peaks:
    """Return the allowed candidates of a part's region.

    Parameters
    ----------
    ready
        A network from ``for_inference``.
    """
    search = Search(
        network=ready,
        volume=part.image,
        settings=peak_settings(
            species,
            output_voxel_size=voxel_size * ready.output_stride,
            min_score=CANDIDATE_SCORE,
        ),
        region=(_on_grid(part.region.start, ready.alignment), part.region.stop),
    )
    found = pick_tiles(search, search.tiles(search.longest_edge()))
    return allowed_candidates(join_peaks([peaks for _, _, peaks, _ in found]), part)


def allowed_candidates(peaks: Peaks, part: ValidationPart) -> Peaks:
    """Return the best of a part's peaks that lie where they may."""
    allowed = peaks.select(_is_allowed(peaks.positions_zyx, part))
    of_points = DIRECTION.name in allowed.optional
    return keep_best(allowed, MOST_POINTS if of_points else MOST_CANDIDATES)


def choose_all(
    candidates: Peaks,
    part: ValidationPart,
    species: Sequence[Species],
    *,
    voxel_size: float,
    second_look: SecondLook | None = None,
) -> Peaks:
    """Return the picks of any score among allowed candidates, chosen as in picking."""
    return choose(
        candidates,
        part.image,
        [replace(s, threshold=0.0) for s in species],
        allowed=np.ones(len(candidates), dtype=bool),
        voxel_size=voxel_size,
        second_look=second_look,
    )


def _on_grid(start: Shape, alignment: int) -> Shape:
    """Return the last place on the network's grid that is not after ``start``."""
    z, y, x = (n // alignment * alignment for n in start)
    return z, y, x


def match_part(
    peaks: Peaks, part: ValidationPart, *, channel: int, diameter_vox: float
) -> tuple[Peaks, NDArray[np.bool_], int]:
    """Match one class's picks of a part; those of truth outside it do not count.

    Returns
    -------
    own, is_true, n_truth
        The picks that count, which of them are true, and how many could be.
    """
    own = peaks.select(peaks.channels == channel)
    truth = part.positions_zyx[part.channels == channel]
    counted = part.region.contains(truth) & _is_allowed(truth, part)
    matched = match_by_score(
        own.positions_zyx, own.scores, truth, max_distance=MATCH_SHARE * diameter_vox
    )
    is_true = matched >= 0
    ours = ~is_true | counted[matched] if len(truth) else ~is_true
    return own.select(ours), is_true[ours], int(counted.sum())


def _is_allowed(
    positions: NDArray[np.float64], part: ValidationPart
) -> NDArray[np.bool_]:
    last = np.asarray(part.allowed.shape_zyx) - 1
    index = np.clip(np.round(positions).astype(int), 0, last)
    return np.asarray(part.allowed.data[tuple(index.T)], dtype=bool)


def join_judged(parts: list[JudgedPicks]) -> JudgedPicks:
    """Pool judged picks, as if they were of one tomogram."""
    return JudgedPicks(
        scores=np.concatenate([np.zeros(0), *(p.scores for p in parts)]),
        is_true=np.concatenate([np.zeros(0, bool), *(p.is_true for p in parts)]),
        n_truth=sum(p.n_truth for p in parts),
    )


def result_at(judged: JudgedPicks, threshold: float, *, f_alpha: float) -> ClassResult:
    """Return what is reached with the picks of at least a score."""
    kept = judged.scores >= threshold
    found = int(judged.is_true[kept].sum())
    precision = precision_of(found, int(kept.sum()))
    recall = recall_of(found, judged.n_truth)
    return ClassResult(
        threshold=threshold,
        precision=precision,
        recall=recall,
        f1=float(fbeta(precision, recall, 1.0)),
        f_alpha=float(f_alpha_score(precision, recall, f_alpha)),
        average_precision=average_precision(
            judged.scores, judged.is_true, judged.n_truth
        )
        or 0.0,
        n_truth=judged.n_truth,
        n_false=int(kept.sum()) - found,
    )


def with_noise(parts: list[ValidationPart], share: float) -> Iterator[ValidationPart]:
    """Yield the parts as they would look at a lower dose (see ``augment``)."""
    for number, part in enumerate(parts):
        image = torch.from_numpy(part.image.data.astype(np.float32))
        noisy = add_matched_noise(image, share, seed=number)
        data = noisy.numpy().astype(np.float16)
        yield replace(part, image=replace(part.image, data=data))


def all_of(volume: TrainingVolume) -> ValidationPart:
    """Return all of a tomogram but what is held out or not to be learnt."""
    return ValidationPart(
        tomogram_id=volume.tomogram_id,
        image=volume.image,
        region=Region((0, 0, 0), volume.image.shape_zyx),
        allowed=volume.learnable,
        positions_zyx=volume.positions_zyx,
        channels=volume.channels,
        annotation=volume.annotation,
    )


def mirrored(part: ValidationPart, axes: tuple[int, ...]) -> ValidationPart:
    """Return a part flipped along some of z, y, x (0, 1, 2)."""
    if not axes:
        return part
    length = np.asarray(part.image.shape_zyx)
    backwards = tuple(slice(None, None, -1 if a in axes else 1) for a in range(3))
    positions = part.positions_zyx.copy()
    start, stop = np.array(part.region.start), np.array(part.region.stop)
    for axis in axes:
        positions[:, axis] = length[axis] - 1 - positions[:, axis]
        start[axis], stop[axis] = length[axis] - stop[axis], length[axis] - start[axis]
    return replace(
        part,
        image=replace(part.image, data=part.image.data[backwards]),
        allowed=ArrayVolume(part.allowed.data[backwards]),
        positions_zyx=positions,
        region=Region(tuple(start.tolist()), tuple(stop.tolist())),
    )
