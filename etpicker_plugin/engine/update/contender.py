"""The models before and after an update, picking what was held out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.training.judge import Judge
from etpicker_plugin.engine.training.validation import (
    JudgedPicks,
    ValidationPart,
    mirrored,
)

VIEWS = ((), (0,), (1,), (2,))
"""Axes (zyx) along which held-out parts are mirrored for the comparison."""

Views = tuple[tuple[int, ...], ...]
Groups = Mapping[str, Sequence[ValidationPart]]


def many_views(groups: Groups, views: Views) -> dict[str, list[ValidationPart]]:
    """Return the groups as they are and mirrored, ``len(views)`` times in all.

    Held-out particles are few. One on the brink, found by one model and missed by the
    other, would decide the verdict; in several views it counts by how often.
    """
    return {
        name: [mirrored(part, axes) for axes in views for part in parts]
        for name, parts in groups.items()
    }


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A model to be compared: its network, and who judges it.

    The judge's species are picked at their thresholds.
    """

    network: Network
    judge: Judge

    def pick(self, groups: Groups) -> dict[str, dict[str, JudgedPicks]]:
        """Pick the held-out data, and judge the picks above the thresholds."""
        return {name: self._pick(parts) for name, parts in groups.items()}

    def _pick(self, parts: Sequence[ValidationPart]) -> dict[str, JudgedPicks]:
        species = self.judge.species
        known = [_for_classes(part, len(species)) for part in parts]
        found = self.judge.candidates(self.network, known)
        return {
            one.name: _at_least(picks, one.threshold)
            for one, picks in zip(species, found, strict=True)
        }


def _for_classes(part: ValidationPart, n_classes: int) -> ValidationPart:
    """Return a part for a model that knows the first classes only."""
    ours = part.channels < n_classes
    return replace(
        part,
        positions_zyx=part.positions_zyx[ours],
        channels=part.channels[ours],
        annotation=part.annotation[:n_classes],
    )


def _at_least(judged: JudgedPicks, threshold: float) -> JudgedPicks:
    kept = judged.scores >= threshold
    return replace(judged, scores=judged.scores[kept], is_true=judged.is_true[kept])
