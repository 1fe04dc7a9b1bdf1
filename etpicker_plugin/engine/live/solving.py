"""From marks to candidates: what is looked at first, and then all the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.evaluation.matching import match_by_score
from etpicker_plugin.engine.fewshot.candidates import (
    cut_into_slabs,
    peaks_between,
    planes_needed,
)
from etpicker_plugin.engine.fewshot.cut_off import CutOff, choose_cut_off
from etpicker_plugin.engine.fewshot.features import features_at, planes_around
from etpicker_plugin.engine.fewshot.head import (
    FEWEST,
    Head,
    require_enough,
    solve_head,
    usual_of,
)
from etpicker_plugin.engine.fewshot.plain import are_plain, doubt_plain
from etpicker_plugin.engine.fewshot.trained_head import TrainedHead, teach
from etpicker_plugin.engine.live.requests import Solve
from etpicker_plugin.engine.live.scene import Scene, planes_beside
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.picking.choose import choose
from etpicker_plugin.engine.picking.find import peak_settings
from etpicker_plugin.engine.picking.inside import is_inside
from etpicker_plugin.engine.picking.nms import (
    Peaks,
    PeakSettings,
    join_peaks,
    keep_best,
)
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.validation import (
    CANDIDATE_SCORE,
    MATCH_SHARE,
    MOST_CANDIDATES,
)

LOWEST_SCORE = 0.05
"""Of the candidates that are sent; usual places score 0.02."""

Event = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One question, and how candidates of its classes are found.

    Attributes
    ----------
    species
        Those with clicks, in the order of the channels.
    trained
        Heads of the classes that the network was trained on.
    """

    request: Solve
    species: tuple[Species, ...]
    working_voxel_size: float
    stride: int
    trained: dict[str, TrainedHead] = field(default_factory=dict)

    def settings(self, scene: Scene) -> PeakSettings:
        """Return how peaks of a scene are found.

        Where there are marks, down to scores that tell what the background is.
        """
        least = CANDIDATE_SCORE if self.request.has_marks(scene.name) else LOWEST_SCORE
        found = peak_settings(
            self.species,
            output_voxel_size=self.working_voxel_size * self.stride,
            min_score=least,
        )
        return replace(found, min_score=least)

    def only_in(self, scenes: Sequence[Scene]) -> "Task":
        """Return it for the classes that have a click in these tomograms."""
        kept = [one for one in self.species if self.has_clicks(scenes, one.name)]
        return replace(self, species=tuple(kept))

    def has_clicks(self, scenes: Sequence[Scene], name: str) -> bool:
        """Tell whether a class has a click in any of some tomograms."""
        return any(len(self.request.places(scene.name, name)) for scene in scenes)

    def places(self, scene: Scene, name: str) -> FloatArray:
        """Return the marks of a class in a tomogram, ``(N, 3)`` working voxels."""
        return scene.volume.to_working(self.request.places(scene.name, name))


def head_so_far(task: Task, scenes: Sequence[Scene]) -> Head | None:
    """Return the head that follows from the features that are made.

    None if a class has no click whose features are there, or too little is there to
    tell what is usual.
    """
    usual, clicks = _made(task, scenes)
    if len(usual) < FEWEST or not all(len(of_class) for of_class in clicks):
        return None
    return _head(task, scenes, usual, clicks)


def final_head(task: Task, scenes: Sequence[Scene]) -> Head:
    """Return the head that follows from all features of the clicked tomograms.

    Raises
    ------
    InputDataError
        If their masks leave too little.
    """
    usual, clicks = _made(task, scenes)
    require_enough(usual)
    return _head(task, scenes, usual, clicks)


def doubts(task: Task, scenes: Sequence[Scene]) -> list[str]:
    """Return in words which clicks may lie on nothing, class by class."""
    usual = usual_of(np.concatenate([scene.usual_so_far() for scene in scenes]))
    found = []
    for scene in scenes:
        for one in task.species:
            places = task.places(scene, one.name)
            if len(places):
                plain = are_plain(scene.store, places, scene.usual, usual)
                if plain.any():
                    clicks = task.request.places(scene.name, one.name)
                    found.append(doubt_plain(one.name, scene.name, clicks, plain))
    return found


def _made(task: Task, scenes: Sequence[Scene]) -> tuple[FloatArray, list[FloatArray]]:
    """Return the features ``(N, F)`` of usual places, and of each class's clicks."""
    usual = np.concatenate([scene.usual_so_far() for scene in scenes])
    return usual, [_features(task, scenes, one.name) for one in task.species]


def _head(
    task: Task, scenes: Sequence[Scene], usual: FloatArray, clicks: list[FloatArray]
) -> Head:
    known, negatives = usual_of(usual), _features(task, scenes, NEGATIVE)
    means = np.stack([of_class.mean(axis=0) for of_class in clicks])
    head = solve_head(known, means, negatives)
    for channel, one in enumerate(task.species):
        if one.name in task.trained:
            trained = task.trained[one.name]
            taught = teach(trained, clicks[channel], negatives, known)
            head.weights[channel], head.biases[channel] = taught.weight, taught.bias
    return head


def _features(task: Task, scenes: Sequence[Scene], name: str) -> FloatArray:
    """Return the features of a class's marks, ``(N, F)``, that are made."""
    found = []
    for scene in scenes:
        places, done = task.places(scene, name), scene.store.finished_planes()
        planes = [planes_around(scene.store, place) for place in places]
        there = np.array([done[a:b].all() for a, b in planes], dtype=bool)
        found.append(features_at(scene.store, places[there]))
    return np.concatenate(found)


# ------------------------------ candidates ---------------------------------------
def slabs_of(task: Task, scene: Scene) -> list[tuple[int, int]]:
    """Return output planes ``[first, last)`` that cover a scene: those seen first."""
    stride = scene.store.strides[0]
    depth = -(-scene.volume.shape_zyx[0] // stride)
    if task.request.first != scene.name:
        return cut_into_slabs(0, depth)
    start, stop = planes_beside(scene, task.request.first_z)
    first, last = start // stride, min(-(-stop // stride), depth)
    return [(first, last), *cut_into_slabs(last, depth), *cut_into_slabs(0, first)]


def is_ready(task: Task, scene: Scene, slab: tuple[int, int]) -> bool:
    """Tell whether all features that a slab's candidates look at are made."""
    return scene.store.has_planes(
        *planes_needed(scene.store, task.settings(scene), *slab)
    )


def slab_peaks(task: Task, scene: Scene, head: Head, slab: tuple[int, int]) -> Peaks:
    """Return a slab's peaks, in working voxels, not yet de-duplicated."""
    first, last = slab
    return peaks_between(
        scene.store,
        head,
        task.settings(scene),
        first=first,
        last=last,
        shape=scene.volume.shape_zyx,
    )


def choose_candidates(task: Task, scene: Scene, peaks: Sequence[Peaks]) -> Peaks:
    """Return the candidates among peaks, in voxels of the tomogram, as picking does."""
    found = keep_best(join_peaks(list(peaks)), MOST_CANDIDATES)
    volume = scene.volume
    chosen = choose(
        found,
        volume,
        task.species,
        allowed=is_inside(
            volume.to_input(found.positions_zyx),
            volume.tomogram,
            border_zyx_ang=(0.0, 0.0, 0.0),
            mask=scene.mask,
        ),
        voxel_size=task.working_voxel_size,
    )
    return replace(chosen, positions_zyx=volume.to_input(chosen.positions_zyx))


def candidates_event(
    task: Task, scene: Scene, candidates: Peaks, slab: tuple[int, int] | None
) -> Event:
    """Return what is sent of a tomogram's candidates, in a slab or in all of it."""
    planes = scene.volume.tomogram.shape_zyx[0]
    z = [0, planes]
    if slab is not None:
        scale = scene.store.strides[0] * scene.volume.scale
        z = [min(round(plane * scale), planes) for plane in slab]
    height = candidates.positions_zyx[:, 0]
    inside = (height >= z[0]) & (height < z[1])
    here = candidates.select(inside & (candidates.scores >= LOWEST_SCORE))
    classes = {}
    for channel, one in enumerate(task.species):
        own = here.select(here.channels == channel)
        classes[one.name] = {
            "xyz": np.round(own.positions_zyx[:, ::-1], 3).tolist(),
            "scores": np.round(own.scores, 5).tolist(),
        }
    return {
        "event": "candidates",
        "number": task.request.number,
        "tomogram": scene.name,
        "z": z,
        "whole": z == [0, planes],
        "classes": classes,
    }


# ------------------------------ cut-offs -----------------------------------------
def cut_offs(
    task: Task, found: Sequence[tuple[Scene, Peaks]]
) -> dict[str, CutOff | None]:
    """Return the cut-off of each class, from candidates in clicked tomograms."""
    cuts = {}
    is_pure = all(scene.volume.tomogram.is_flat for scene, _ in found)
    for channel, one in enumerate(task.species):
        scores, at_click = [np.zeros(0)], [np.zeros(0, dtype=bool)]
        for scene, candidates in found:
            own = candidates.select(candidates.channels == channel)
            reach = MATCH_SHARE * one.diameter_ang / scene.volume.tomogram.voxel_size
            clicks = task.request.places(scene.name, one.name)
            matched = match_by_score(
                own.positions_zyx, own.scores, clicks, max_distance=reach
            )
            scores.append(own.scores)
            at_click.append(matched >= 0)
        scored, clicked = np.concatenate(scores), np.concatenate(at_click)
        cut = choose_cut_off(scored, clicked, is_pure=is_pure)
        if cut is not None and one.name in task.trained:
            cut = cut.moved_to(task.trained[one.name].threshold)
        cuts[one.name] = cut
    return cuts


def cut_off_event(task: Task, cuts: dict[str, CutOff | None]) -> Event:
    """Return what is sent of the cut-offs that there are."""
    return {
        "event": "cut_off",
        "number": task.request.number,
        "classes": {
            name: {"cut_off": cut.value, "least": cut.least, "most": cut.most}
            for name, cut in cuts.items()
            if cut is not None
        },
    }


def progress_event(task: Task, scene: Scene, done: int, total: int, what: str) -> Event:
    """Return how far something is: ``features`` or ``candidates``."""
    return {
        "event": "progress",
        "number": task.request.number,
        "tomogram": scene.name,
        "done": done,
        "total": total,
        "what": what,
    }


def refusal(request: Solve, text: str) -> Event:
    """Return what is sent of what a user can mend."""
    return {"event": "refused", "number": request.number, "text": text}
