"""Where sets place the particles, in plain words."""

from etpicker_plugin.engine.verdict.origins.origins import Origins

CENTRE = "the particles, by the centre of their density"
CONSTANT = "So constant an offset is a wrong origin, axis or binning"


def origin_alarms(origins: Origins) -> list[str]:
    """Return a sentence for every set, or pair of sets, whose origin is wrong."""
    wrong = [name for name in origins.offsets if origins.alarming_axes(name)]
    return [
        *(_set_alarm(origins, name) for name in wrong),
        *(_pair_alarm(origins, *pair) for pair in origins.undecided()),
    ]


def origin_sentences(origins: Origins) -> list[str]:
    """Return how far the sets lie apart, and from the centre, wrong or not."""
    apart = [
        f"{second} {offset.describe_all()} from {first} ({offset.n} particles of both)"
        for (first, second), offset in origins.distances.items()
    ]
    beside = [f"{n} {offset.describe_all()}" for n, offset in origins.offsets.items()]
    sentences = [f"Voxels along x, y, z from {CENTRE}: {'; '.join(beside)}."]
    if apart:
        sentences.insert(0, f"Voxels along x, y, z between sets: {'; '.join(apart)}.")
    return sentences


def _set_alarm(origins: Origins, name: str) -> str:
    where = origins.offsets[name].describe_along(origins.alarming_axes(name))
    return (
        f"Set {name}: its picks lie {where} of {CENTRE}. {CONSTANT}, not bad picking"
        f"{_advice(origins, name)} Only where all particles lie alike may it be "
        "another point of theirs that the picks mean; then leave it."
    )


def _advice(origins: Origins, name: str) -> str:
    witness = origins.witness(name)
    if witness is None:
        return "; subtract it."
    other, distance = witness
    return (
        f". {other} lies there within the error, and {name} {distance.describe_all()} "
        "voxels along x, y, z from it: subtract that."
    )


def _pair_alarm(origins: Origins, first: str, second: str) -> str:
    distance = origins.distances[first, second]
    beside = " and ".join(
        f"{name} {origins.offsets[name].describe_all()}" for name in (first, second)
    )
    return (
        f"Sets {first} and {second}: {second} lies {distance.describe()} of {first} "
        f"({distance.n} particles of both). {CONSTANT} of one of the two, not bad "
        f"picking. Which of them is right is unknown: from "
        f"{CENTRE}, lie {beside} voxels along x, y, z."
    )
