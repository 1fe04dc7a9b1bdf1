"""The verdict on micrographs in plain words, with what it cannot say."""

from etpicker_plugin.engine.config.pick_sets import CONTROL
from etpicker_plugin.engine.verdict.flat.result import FlatVerdict
from etpicker_plugin.engine.verdict.flat.shares import ClassVerdict
from etpicker_plugin.engine.verdict.reporting.words import (
    border_sentences,
    left_out_sentences,
)

LIMITS = (
    "A class looks like a particle if most picks in it are there beyond what random "
    "places explain, and if it is no coarser than what these average to. Whether it is "
    "the particle that you want, and not another or dirt of one shape, only its "
    "picture says: look at the classes."
)
WITHOUT_RELION = (
    "Not judged by 2D classes, which need RELION: {missing} What is told without: what "
    "the sets share, and how much the rotational mean of their picks differs from that "
    "of random places. That tells something dark and round from nothing, not a "
    "particle from dirt of its size."
)


def verdict_words(verdict: FlatVerdict) -> list[str]:
    """Return the verdict as sentences, the main one first."""
    found = verdict.by_classes
    if found is None:
        said = [WITHOUT_RELION.format(missing=verdict.missing)]
        own = [_profile_sentence(verdict, name) for name in verdict.sets.names]
    else:
        said = [_classes_sentence(found), LIMITS]
        own = [_share_sentence(verdict, name) for name in verdict.sets.names]
    return [
        _main_sentence(verdict),
        *own,
        *said,
        *border_sentences(verdict.sets, verdict.candidates, verdict.geometry),
        *left_out_sentences(verdict.sets),
    ]


def _main_sentence(verdict: FlatVerdict) -> str:
    ranking, found = verdict.ranking, verdict.by_classes
    order = " > ".join(ranking.order)
    measure = (
        "share in classes that look like particles"
        if found
        else "likelihood ratio of rotational means"
    )
    if found and not any(one.is_of_particles for one in found.judged):
        return (
            "Not conclusive: no class looks like a particle. The picks hold few, or "
            "their contrast is too low for so few boxes. Give more micrographs. By the "
            f"rotational means of the boxes the order is {verdict.order_of_profiles()}."
        )
    if ranking.is_conclusive:
        return (
            f"{ranking.order[0]} found the particles best: by {measure} the order is "
            f"{order}, and it stays first in {100 * ranking.stays_first:.0f} % of the "
            "bootstrap samples."
        )
    return (
        f"Not conclusive. By {measure} the order is {order}, but "
        f"{'; '.join(ranking.reasons)}."
    )


def _share_sentence(verdict: FlatVerdict, name: str) -> str:
    own, chance = verdict.share(name), verdict.share(CONTROL)
    if own is None or chance is None:
        return ""
    low, high = own.interval
    total = own.beyond_chance * verdict.n_picks(name)
    return (
        f"{name}: {own.count} of its {own.total} judged picks "
        f"({100 * own.share:.0f} %, 95 % interval {100 * low:.0f} to {100 * high:.0f} "
        "%) are in classes that look like particles, and "
        f"{100 * chance.share:.0f} % of the random coordinates. "
        f"That makes some {total:.0f} of its {verdict.n_picks(name)} picks."
    )


def _classes_sentence(found: ClassVerdict) -> str:
    good = [n + 1 for n, one in enumerate(found.judged) if one.is_of_particles]
    numbers = f": {', '.join(map(str, good))}" if good else ""
    return f"{len(good)} of {len(found.judged)} classes look like particles{numbers}."


def _profile_sentence(verdict: FlatVerdict, name: str) -> str:
    share = 100 * verdict.above_control(name)
    return (
        f"{name}: the rotational mean of {share:.0f} % of its "
        f"{len(verdict.groups[name])} judged picks is more like that of picks than "
        "95 % of the random coordinates are (5 % would by chance)."
    )
