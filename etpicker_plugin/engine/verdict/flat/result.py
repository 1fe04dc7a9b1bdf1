"""What a validation on micrographs found, and its verdict.json."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin import __version__
from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.comparison.agreement import Agreement
from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.config.pick_sets import CONTROL
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.verdict.flat.shares import (
    ClassVerdict,
    GroupShare,
    share_of,
)
from etpicker_plugin.engine.verdict.measures.ranking import (
    Ranking,
    area_under_curve,
    share_above,
)
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry

CONTROL_LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class FlatVerdict:
    """All that a validation on micrographs found.

    Attributes
    ----------
    groups
        Rows of every set, the control, and what sets share or have alone.
    pairs
        What every two sets share.
    means
        Per set and for the control, ``(B, B)``: the mean of its boxes, not turned.
    profile_ratio
        ``(N,)`` of every box (see ``profiles``).
    ranking
        By shares in classes that look like particles; without RELION by profiles.
    by_classes
        ``None`` where there is no RELION, for the reason ``missing``.
    """

    sets: PickSets
    members: dict[str, IndexArray]
    geometry: BoxGeometry
    candidates: Candidates
    groups: dict[str, IndexArray]
    pairs: list[Agreement]
    means: dict[str, FloatArray]
    profile_ratio: FloatArray
    ranking: Ranking
    by_classes: ClassVerdict | None
    missing: str

    @property
    def judged(self) -> tuple[str, ...]:
        """Return the sets and the control."""
        return (*self.sets.names, CONTROL)

    def n_picks(self, name: str) -> int:
        """Return how many picks a set has, judged or not."""
        if name == CONTROL:
            return len(self.candidates.rows[CONTROL])
        return self.sets.count(name)

    def above_control(self, name: str) -> float:
        """Return the share of a group whose profile exceeds 95 % of the control's."""
        ratio = self.profile_ratio
        return share_above(
            ratio[self.groups[name]], ratio[self.groups[CONTROL]], level=CONTROL_LEVEL
        )

    def order_of_profiles(self) -> str:
        """Return sets and control by the median of their boxes' profile ratios."""
        medians = {
            name: float(np.median(self.profile_ratio[self.groups[name]]))
            for name in self.judged
        }
        return " > ".join(sorted(medians, key=lambda name: -medians[name]))

    def share(self, name: str) -> GroupShare | None:
        """Return a group's share in classes that look like particles, by RELION."""
        if self.by_classes is None:
            return None
        groups = self.groups
        return share_of(self.by_classes, groups[name], control=groups[CONTROL])

    def alarms(self) -> list[str]:
        """Return what is wrong between sets."""
        return [text for text in (pair.describe() for pair in self.pairs) if text]


def write_verdict(
    verdict: FlatVerdict, config: ValidateConfig, words: Sequence[str], path: Path
) -> None:
    """Write verdict.json; last, as the mark of a finished validation."""
    found = verdict.by_classes
    record: dict[str, Any] = {
        "ranking": list(verdict.ranking.order),
        "ranked_by": "classes" if found else "profiles",
        "sets": {name: set_record(verdict, name) for name in verdict.judged},
        "groups": {
            name: group_record(verdict, name)
            for name in verdict.groups
            if name not in verdict.judged
        },
        "classes": class_records(verdict),
        "conclusive": verdict.ranking.is_conclusive,
        "first_stays_first": verdict.ranking.stays_first,
        "words": list(words),
        "alarms": verdict.alarms(),
        "tomograms": list(verdict.sets.tomograms),
        "left_out": list(verdict.sets.left_out),
        "box": verdict.geometry.box,
        "box_voxel_size_ang": verdict.geometry.box_voxel_size,
        "iteration": found.classification.iteration if found else None,
        "relion_version": found.version if found else None,
        "commands": list(found.commands) if found else [],
        "settings": config_to_values(config),
        "code_version": __version__,
    }
    with write_whole(path) as temporary:
        temporary.write_text(
            json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
            encoding="utf-8",
        )


def set_record(verdict: FlatVerdict, name: str) -> dict[str, Any]:
    """Return a set's numbers."""
    return {
        "n": verdict.n_picks(name),
        "n_judged": len(verdict.groups[name]),
        "n_at_border": verdict.candidates.at_border.get(name, 0),
        **group_record(verdict, name),
    }


def group_record(verdict: FlatVerdict, name: str) -> dict[str, Any]:
    """Return what is known of any group of boxes."""
    rows, ratio = verdict.groups[name], verdict.profile_ratio
    record: dict[str, Any] = {
        "n_boxes": len(rows),
        "profile_auc_over_control": area_under_curve(
            ratio[rows], ratio[verdict.groups[CONTROL]]
        ),
        "profile_share_above_control": verdict.above_control(name),
    }
    share = verdict.share(name)
    if share is not None:
        record |= {
            "n_in_classes_of_particles": share.count,
            "share_in_classes_of_particles": share.share,
            "share_interval": list(share.interval),
            "share_beyond_chance": share.beyond_chance,
            "class_resolution_median_ang": share.resolution_ang,
        }
    return record


def class_records(verdict: FlatVerdict) -> list[dict[str, Any]]:
    """Return RELION's and our numbers of every class; none without RELION."""
    found = verdict.by_classes
    if found is None:
        return []
    return [
        {
            "number": number + 1,
            "is_of_particles": one.is_of_particles,
            "reasons": list(one.reasons),
            "n_picks": one.n_picks,
            "n_control": one.n_control,
            "beyond_chance": one.beyond,
            "beyond_chance_least": one.beyond_least,
            "sets": {
                name: found.count(number, verdict.groups[name])
                for name in verdict.judged
            },
            "share": one.model.share,
            "resolution_ang": one.model.resolution_ang,
            "accuracy_rotations_deg": one.model.accuracy_deg,
            "accuracy_translations_ang": one.model.accuracy_ang,
        }
        for number, one in enumerate(found.judged)
    ]
