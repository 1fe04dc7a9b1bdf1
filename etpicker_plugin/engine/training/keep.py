"""Keeping exemplars: cutting pieces out of what was learnt, and choosing among them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from etpicker_plugin.engine.model.exemplars import Exemplar, size_in_bytes
from etpicker_plugin.engine.model.network import Network, embed
from etpicker_plugin.engine.training.coverage import Candidates, choose_coverage
from etpicker_plugin.engine.training.patches import UNKNOWN, TrainingVolume
from etpicker_plugin.engine.training.validation import ValidationPart

EDGE = 80
"""Voxels: a training patch of 64 and room to move it."""
GRID = 8
CONTEXT = 16
"""Voxels around a held-out piece that the network sees, and that do not count."""
WELL_INSIDE = EDGE // 4
HELD_OUT_SHARE = 1 / 3
"""Of the budget: what is remembered has to be measured as well as replayed."""
MOST_CANDIDATES = 200

Box = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Whose data it is, under which terms, and in which round it was learnt."""

    round: int
    owner: str
    licence: str


def keep_exemplars(
    network: Network,
    volumes: Sequence[TrainingVolume],
    parts: Sequence[ValidationPart],
    *,
    classes: tuple[str, ...],
    provenance: Provenance,
    earlier: Sequence[Exemplar] = (),
    budget: int,
) -> list[Exemplar]:
    """Choose which pieces of this round and of the earlier ones a model keeps.

    Parameters
    ----------
    classes
        Names, in the order of the channels.
    earlier
        What the model kept so far; it competes with the new pieces.
    budget
        Bytes, for all rounds together.
    """
    learnt = [
        exemplar
        for volume in volumes
        for exemplar in _cut_learnt(volume, classes, provenance)
    ]
    held_out = [
        exemplar
        for part in parts
        for exemplar in _cut_held_out(part, classes, provenance)
    ]
    old_held_out = [e for e in earlier if e.held_out]
    kept = _choose(
        network,
        [*old_held_out, *held_out],
        classes=classes,
        budget=int(budget * HELD_OUT_SHARE),
    )
    left = budget - size_in_bytes(kept)
    old_learnt = [e for e in earlier if not e.held_out]
    return _choose(network, [*old_learnt, *learnt], classes=classes, budget=left) + kept


def _choose(
    network: Network,
    pieces: list[Exemplar],
    *,
    classes: tuple[str, ...],
    budget: int,
) -> list[Exemplar]:
    pieces = [p for p in pieces if sum(p.count().values())]
    if len(pieces) > MOST_CANDIDATES:
        some = np.random.default_rng(0).permutation(len(pieces))[:MOST_CANDIDATES]
        pieces = [pieces[i] for i in np.sort(some)]
    if not pieces:
        return []
    counts = [p.count() for p in pieces]
    tomograms = [(p.round, p.tomogram_id) for p in pieces]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(tomograms))}
    candidates = Candidates(
        features=np.stack([_look(network, p) for p in pieces]),
        counts=np.array([[c.get(name, 0) for name in classes] for c in counts]),
        groups=np.array([numbers[key] for key in tomograms], dtype=np.intp),
        sizes=np.array([size_in_bytes([p]) for p in pieces]),
        overlaps=_overlaps(pieces),
    )
    return [pieces[i] for i in choose_coverage(candidates, budget=budget)]


def _overlaps(pieces: list[Exemplar]) -> NDArray[np.float64]:
    """Return the share of the smaller piece that two of one tomogram have in common.

    Of what counts in them: the context of held-out pieces overlaps, and should.
    """
    origin = np.array([p.origin_zyx for p in pieces])
    start = origin + np.array([p.counted_start for p in pieces])
    stop = origin + np.array([p.counted_stop for p in pieces])
    length = np.minimum(stop[:, None], stop) - np.maximum(start[:, None], start)
    volume = np.prod(stop - start, axis=1)
    common = np.prod(np.maximum(length, 0), axis=2)
    names = np.array([f"{p.round} {p.tomogram_id}" for p in pieces])
    same = names[:, None] == names
    return np.asarray(same * common / np.minimum(volume[:, None], volume))


def _look(network: Network, piece: Exemplar) -> NDArray[np.float64]:
    device = next(network.parameters()).device
    image = torch.from_numpy(np.nan_to_num(piece.image.astype(np.float32)))
    return np.asarray(embed(network, image.to(device)).double().cpu().numpy())


def _cut_learnt(
    volume: TrainingVolume, classes: tuple[str, ...], provenance: Provenance
) -> list[Exemplar]:
    """Cut pieces around the particles that were learnt."""
    learnable = volume.learnable.data.astype(bool)
    if not learnable.any():
        return []
    low, high = _bounding_box(learnable)
    return [
        replace(
            _cut(volume, learnable, box, box, classes, provenance, held_out=False),
            negatives_zyx=_negatives_near(volume, box),
        )
        for box in spread_boxes(volume.positions_zyx, low, high)
    ]


def _negatives_near(volume: TrainingVolume, box: Box) -> tuple[tuple[float, ...], ...]:
    near = _is_near(volume.negatives_zyx, box)
    return tuple(map(tuple, (volume.negatives_zyx[near] - box[0]).round(3).tolist()))


def _is_near(positions_zyx: NDArray[np.float64], box: Box) -> NDArray[np.bool_]:
    """Tell which positions lie in a box, or just around it."""
    start, stop = box
    near = (positions_zyx > start - CONTEXT) & (positions_zyx < stop + CONTEXT)
    return np.asarray(near.all(axis=1))


def _cut_held_out(
    part: ValidationPart, classes: tuple[str, ...], provenance: Provenance
) -> list[Exemplar]:
    """Cut what is held out into pieces side by side, with some context."""
    allowed = part.allowed.data.astype(bool)
    low, high = np.array(part.region.start), np.array(part.region.stop)
    shape = np.array(part.image.shape_zyx)
    pieces = []
    for start, stop in adjoining_boxes(low, high):
        outer = np.maximum(start - CONTEXT, 0), np.minimum(stop + CONTEXT, shape)
        piece = _cut(
            part, allowed, outer, (start, stop), classes, provenance, held_out=True
        )
        pieces.append(piece)
    return pieces


def _bounding_box(mask: NDArray[np.bool_]) -> Box:
    """Return the first and one past the last index of true voxels, per axis."""
    index = [
        np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)
    ]
    return np.array([i[0] for i in index]), np.array([i[-1] + 1 for i in index])


def _cut(
    source: TrainingVolume | ValidationPart,
    allowed: NDArray[np.bool_],
    box: Box,
    counted: Box,
    classes: tuple[str, ...],
    provenance: Provenance,
    *,
    held_out: bool,
) -> Exemplar:
    """Cut one piece out of a tomogram, with the centres in and just around it."""
    start, stop = box
    inner = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    image = np.where(allowed[inner], source.image.data[inner], np.float16(np.nan))
    chosen = np.flatnonzero(_is_near(source.positions_zyx, box))
    return Exemplar(
        image=image.astype(np.float16),
        positions_zyx=(source.positions_zyx[chosen] - start).astype(np.float32),
        class_names=tuple(classes[c] for c in source.channels[chosen]),
        annotation={
            name: kind
            for name, kind in zip(classes, source.annotation, strict=True)
            if kind != UNKNOWN
        },
        tomogram_id=source.tomogram_id,
        origin_zyx=_shape(start),
        round=provenance.round,
        owner=provenance.owner,
        licence=provenance.licence,
        held_out=held_out,
        counted_start=_shape(counted[0] - start),
        counted_stop=_shape(counted[1] - start),
    )


def _shape(values: NDArray[np.intp]) -> tuple[int, int, int]:
    z, y, x = (int(v) for v in values)
    return z, y, x


def adjoining_boxes(low: NDArray[np.intp], high: NDArray[np.intp]) -> list[Box]:
    """Cut a box into boxes of about ``EDGE`` voxels that cover it once.

    Beginnings are multiples of 8 from ``low``.
    """
    cuts = []
    for first, last in zip(low.tolist(), high.tolist(), strict=True):
        count = max(round((last - first) / EDGE), 1)
        step = -(-(last - first) // count // GRID) * GRID
        edges = [*list(range(first, last, step))[:count], last]
        cuts.append(list(itertools.pairwise(edges)))
    return [
        (np.array([a for a, _ in box]), np.array([b for _, b in box]))
        for box in itertools.product(*cuts)
    ]


def spread_boxes(
    positions_zyx: NDArray[np.float64], low: NDArray[np.intp], high: NDArray[np.intp]
) -> list[Box]:
    """Return boxes of about ``EDGE`` voxels; every particle lies well inside one.

    Boxes begin at multiples of 8 and stay between ``low`` and ``high``.
    """
    boxes: list[Box] = []
    inside = ((positions_zyx > low - 0.5) & (positions_zyx < high - 0.5)).all(axis=1)
    for position in positions_zyx[inside]:
        if any(_is_well_inside(position, box, low, high) for box in boxes):
            continue
        start = np.round((position - EDGE / 2) / GRID).astype(np.intp) * GRID
        last = np.maximum((high - EDGE) // GRID * GRID, -(-low // GRID) * GRID)
        start = np.clip(start, -(-low // GRID) * GRID, last)
        stop = start + EDGE
        boxes.append((start, np.where(stop + GRID > high, high, stop)))
    return boxes


def _is_well_inside(
    position: NDArray[np.float64], box: Box, low: NDArray[np.intp], high: NDArray
) -> bool:
    """Tell whether a particle is a quarter of a box from its faces, or those lie
    at the end of what may be cut.
    """
    start, stop = box
    from_low = (position - start >= WELL_INSIDE) | (start <= low)
    to_high = (stop - 1 - position >= WELL_INSIDE) | (stop >= high)
    inside = (position >= start) & (position < stop)
    return bool((from_low & to_high & inside).all())
