"""The verdict in plain words, with what makes it uncertain."""

import numpy as np

from etpicker_plugin.engine.comparison.compare import compare_pairs
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.config.pick_sets import CONTROL
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry
from etpicker_plugin.engine.verdict.reporting.curve_words import curve_sentences
from etpicker_plugin.engine.verdict.reporting.origin_words import origin_sentences
from etpicker_plugin.engine.verdict.reporting.result import Verdict

LEAST_FOR_RESOLUTION = 40
"""Boxes below which a resolution is mostly chance."""


def verdict_words(verdict: Verdict) -> list[str]:
    """Return the verdict as sentences, the main one first."""
    return [
        _main_sentence(verdict),
        *(_set_sentence(verdict, name) for name in verdict.sets.names),
        *_resolution_sentences(verdict),
        *_size_sentences(verdict),
        *_place_sentences(verdict),
        *_unshared_sentences(verdict),
        *border_sentences(verdict.sets, verdict.candidates, verdict.geometry),
        *left_out_sentences(verdict.sets),
    ]


def _main_sentence(verdict: Verdict) -> str:
    ranking = verdict.ranking
    order = " > ".join(ranking.order)
    if ranking.is_conclusive:
        share = 100 * ranking.stays_first
        return (
            f"{ranking.order[0]} found the particles best: by log-likelihood ratio the "
            f"order is {order}, and it stays first in {share:.0f} % of the bootstrap "
            "samples."
        )
    return (
        f"Not conclusive. By log-likelihood ratio the order is {order}, but "
        f"{'; '.join(ranking.reasons)}."
    )


def _set_sentence(verdict: Verdict, name: str) -> str:
    rows = verdict.groups[name]
    share = 100 * verdict.above_control(name)
    if verdict.curved is None:
        judged, control = "picks fit the particle", "the random coordinates"
    else:
        judged = f"points fit the {verdict.curved.kind}"
        control = f"those on the same {verdict.curved.kind}s moved aside"
    return (
        f"{name}: {share:.0f} % of its {len(rows)} judged {judged} "
        f"better than 95 % of {control} do (5 % would by chance)."
    )


def _place_sentences(verdict: Verdict) -> list[str]:
    if verdict.curved is None:
        return origin_sentences(verdict.origins)
    return curve_sentences(verdict.curved)


def _resolution_sentences(verdict: Verdict) -> list[str]:
    if not verdict.matched_n:
        return []
    known = {n: verdict.matched_resolution(n) for n in verdict.judged}
    texts = [f"{n} {d:.0f} Å" if d else f"{n} none" for n, d in known.items()]
    sentences = [
        f"At equal numbers ({verdict.matched_n} boxes) the averages reach "
        f"{', '.join(texts)} (FSC 0.143)."
    ]
    lines = {n: verdict.rosenthal_resolution(n) for n in verdict.judged}
    if all(lines.values()):
        shown = ", ".join(f"{n} {d:.0f} Å" for n, d in lines.items())
        sentences.append(f"The Rosenthal-Henderson lines are there at {shown}.")
    best = verdict.ranking.order[0]
    least = known[best] or np.inf
    finer = [
        n for n, d in known.items() if n not in (best, CONTROL) and d and d < least
    ]
    if finer:
        sentences.append(
            f"Resolution at equal numbers puts {', '.join(finer)} before {best}, other "
            "than the likelihood does; look at both averages."
        )
    return sentences


def _size_sentences(verdict: Verdict) -> list[str]:
    sentences = []
    if verdict.matched_n < LEAST_FOR_RESOLUTION:
        sentences.append(
            f"{verdict.matched_n} boxes in the smallest set are too few for a "
            f"resolution or a Rosenthal-Henderson plot to mean much (at least "
            f"{LEAST_FOR_RESOLUTION}): rely on the likelihoods."
        )
    fits = {n: verdict.fits[n] for n in verdict.sets.names}
    unbound = [n for n, fit in fits.items() if fit is None or fit.interval is None]
    if unbound:
        sentences.append(
            f"The B-factor of {', '.join(unbound)} is not bounded by these data: the "
            "sets are too small, or their resolution does not grow with number."
        )
    return sentences


def _unshared_sentences(verdict: Verdict) -> list[str]:
    pairs = compare_pairs(verdict.sets, verdict.members)
    return [pair.describe() for pair in pairs if not pair.n_both]


def border_sentences(
    sets: PickSets, candidates: Candidates, geometry: BoxGeometry
) -> list[str]:
    """Say how many picks lie too near to a face to be judged."""
    lost = {n: k for n, k in candidates.at_border.items() if k}
    if not lost:
        return []
    texts = ", ".join(f"{k} of {n}" for n, k in lost.items())
    unit, edge = "voxels", "a face of the tomogram"
    if sets.are_flat:
        unit, edge = "pixels", "an edge of the micrograph"
    return [
        f"Not judged, nearer than {geometry.border_vox:.0f} {unit} to {edge}: {texts}."
    ]


def left_out_sentences(sets: PickSets) -> list[str]:
    """Say which images are not judged, as not all sets cover them."""
    if not sets.left_out:
        return []
    names = ", ".join(sets.left_out)
    images = "Micrographs" if sets.are_flat else "Tomograms"
    return [f"{images} that not all sets cover are left out of all: {names}."]
