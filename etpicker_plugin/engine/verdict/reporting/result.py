"""What a validation found, and verdict.json."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin import __version__
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.config.pick_sets import CONTROL
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.verdict.alignment.results import AlignedBoxes
from etpicker_plugin.engine.verdict.curved.found import Curved
from etpicker_plugin.engine.verdict.measures.measures import Average, SubsetResolution
from etpicker_plugin.engine.verdict.measures.ranking import (
    Ranking,
    area_under_curve,
    share_above,
)
from etpicker_plugin.engine.verdict.measures.rosenthal import BFactorFit
from etpicker_plugin.engine.verdict.origins.origins import Origins
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry
from etpicker_plugin.engine.verdict.reporting.curve_words import curve_alarms
from etpicker_plugin.engine.verdict.reporting.origin_words import origin_alarms

CONTROL_LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All that a validation found.

    Attributes
    ----------
    groups
        Rows of every set, the control, and what sets share or have alone.
    matched
        Per set: resolutions of draws of ``matched_n`` boxes.
    growth
        Per set: resolutions over growing numbers.
    curved
        Of filaments and vesicles: what is systematically wrong of them.
    local_ang
        Per set: median local resolution, Å, where it was computed.
    relion_version, commands
        What ran.
    """

    sets: PickSets
    members: dict[str, IndexArray]
    geometry: BoxGeometry
    candidates: Candidates
    boxes: AlignedBoxes
    groups: dict[str, IndexArray]
    ranking: Ranking
    averages: dict[str, Average]
    matched_n: int
    matched: dict[str, list[SubsetResolution]]
    growth: dict[str, list[SubsetResolution]]
    fits: dict[str, BFactorFit | None]
    origins: Origins
    local_ang: dict[str, float | None]
    iteration: int
    relion_version: str
    commands: tuple[str, ...]
    curved: Curved | None = None

    @property
    def judged(self) -> tuple[str, ...]:
        """Return the sets and the control."""
        return (*self.sets.names, CONTROL)

    @property
    def best_set(self) -> str:
        """Return the set that ranks first, whether before the control or not."""
        return next(name for name in self.ranking.order if name != CONTROL)

    def ratios(self, name: str) -> NDArray[np.float64]:
        """Return ``(N,)``: a group's log-likelihood ratios."""
        return self.boxes.ratio[self.groups[name]]

    def n_picks(self, name: str) -> int:
        """Return how many picks a set has, judged or not."""
        if name == CONTROL:
            return len(self.candidates.rows[CONTROL])
        return self.sets.count(name)

    def above_control(self, name: str) -> float:
        """Return the share of a group above 95 % of the control."""
        return share_above(self.ratios(name), self.ratios(CONTROL), level=CONTROL_LEVEL)

    def matched_resolutions(self, name: str) -> list[float]:
        """Return what the draws of equal numbers reached, where they reached any."""
        found = [s.resolution_ang for s in self.matched.get(name, [])]
        return [d for d in found if d is not None]

    def matched_resolution(self, name: str) -> float | None:
        """Return the mean over draws in 1/d², as Å; ``None`` if most had none."""
        found = self.matched_resolutions(name)
        if not found or len(found) * 2 < len(self.matched[name]):
            return None
        return float(np.mean([d**-2 for d in found]) ** -0.5)

    def rosenthal_resolution(self, name: str) -> float | None:
        """Return where a set's Rosenthal-Henderson line is at equal numbers, Å."""
        fit = self.fits[name]
        if fit is None or not self.matched_n:
            return None
        return fit.resolution_of(self.matched_n)

    def alarms(self) -> list[str]:
        """Return a sentence for all that is surely wrong of every set's places."""
        if self.curved is not None:
            return curve_alarms(self.curved)
        return origin_alarms(self.origins)


def write_verdict(
    verdict: Verdict, config: ValidateConfig, words: list[str], path: Path
) -> None:
    """Write verdict.json; last, as the mark of a finished validation."""
    record: dict[str, Any] = {
        "kind": verdict.curved.kind if verdict.curved else PARTICLE,
        "ranking": list(verdict.ranking.order),
        "sets": {name: set_record(verdict, name) for name in verdict.judged},
        "groups": {
            name: group_record(verdict, name)
            for name in verdict.groups
            if name not in verdict.judged
        },
        "conclusive": verdict.ranking.is_conclusive,
        "first_stays_first": verdict.ranking.stays_first,
        "words": words,
        "alarms": verdict.alarms(),
        "distances": distance_records(verdict),
        "matched_n": verdict.matched_n,
        "tomograms": list(verdict.sets.tomograms),
        "left_out": list(verdict.sets.left_out),
        "box": verdict.geometry.box,
        "box_voxel_size_ang": verdict.geometry.box_voxel_size,
        "iteration": verdict.iteration,
        "relion_version": verdict.relion_version,
        "commands": list(verdict.commands),
        "settings": config_to_values(config),
        "code_version": __version__,
    }
    with write_whole(path) as temporary:
        temporary.write_text(
            json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
            encoding="utf-8",
        )


def set_record(verdict: Verdict, name: str) -> dict[str, Any]:
    """Return a set's numbers; those of an origin are none for the control."""
    offset = verdict.origins.offsets.get(name)
    fit = verdict.fits[name]
    return {
        "n": verdict.n_picks(name),
        "n_judged": len(verdict.groups[name]),
        "n_at_border": verdict.candidates.at_border.get(name, 0),
        "llr_interval": list(verdict.ranking.intervals.get(name, ())) or None,
        **group_record(verdict, name),
        "resolution_matched_ang": verdict.matched_resolution(name),
        "b_factor": fit.b_factor if fit else None,
        "b_factor_interval": list(fit.interval) if fit and fit.interval else None,
        "rosenthal_resolution_matched_ang": verdict.rosenthal_resolution(name),
        "local_resolution_median_ang": verdict.local_ang.get(name),
        "origin_shift_voxels": list(offset.mean_xyz) if offset else [0.0, 0.0, 0.0],
        "origin_shift_error_voxels": (
            list(offset.standard_error_xyz) if offset else None
        ),
        "origin_alarm": bool(offset and verdict.origins.alarming_axes(name)),
        "origin_agrees": verdict.origins.agrees(name) if offset else None,
        **_curve_record(verdict.curved, name),
    }


def _curve_record(curved: Curved | None, name: str) -> dict[str, Any]:
    """Return where a set lies in the frame of its average; nothing of particles."""
    if curved is None or name not in curved.off_axis:
        return {}
    found = curved.off_axis[name]
    step, twist = curved.steps.get(name), curved.twists.get(name)
    return {
        "n_things": found.n_things,
        "off_axis_ang": dict(zip(found.axes, found.mean_ang, strict=True)),
        "off_axis_error_ang": dict(zip(found.axes, found.error_ang, strict=True)),
        "off_axis_alarm": bool(found.alarming_axes) and not found.is_of_tomogram,
        "direction_error_deg": curved.directions_deg.get(name),
        "repeat_ang": step.repeat.period_ang if step else None,
        "repeat_error_ang": step.repeat.error_ang if step else None,
        "step_ang": step.step_ang if step else None,
        "step_alarm": bool(step and step.is_wrong),
        "twist_sigma": twist.sigma if twist else None,
        "twist_alarm": bool(twist and twist.is_wrong),
    }


def distance_records(verdict: Verdict) -> list[dict[str, Any]]:
    """Return how far sets lie apart that share particles, second minus first."""
    return [
        {
            "first": first,
            "second": second,
            "n_both": distance.n,
            "shift_voxels": list(distance.mean_xyz),
            "shift_error_voxels": list(distance.standard_error_xyz),
            "alarm": distance.is_alarming,
        }
        for (first, second), distance in verdict.origins.distances.items()
    ]


def group_record(verdict: Verdict, name: str) -> dict[str, Any]:
    """Return what is known of any group of boxes."""
    rows = verdict.groups[name]
    average = verdict.averages[name]
    boxes = verdict.boxes
    return {
        "n_boxes": len(rows),
        "llr_median": _median(boxes.ratio[rows]),
        "ll_median": _median(boxes.log_likelihood[rows]),
        "best_probability_median": _median(boxes.best_probability[rows]),
        "llr_auc_over_control": area_under_curve(
            boxes.ratio[rows], verdict.ratios(CONTROL)
        ),
        "ll_auc_over_control": area_under_curve(
            boxes.log_likelihood[rows],
            boxes.log_likelihood[verdict.groups[CONTROL]],
        ),
        "share_above_control": verdict.above_control(name),
        "resolution_ang": average.resolution_ang,
        "resolution_half_ang": average.resolution_half_ang,
    }


def _median(values: NDArray[np.float64]) -> float | None:
    return float(np.median(values)) if len(values) else None
