"""Exemplars: pieces of earlier tomograms that a model keeps, with their labels.

They are replayed when the model is updated, so that it does not forget, and those
held out tell whether it did. They live in the model file beside the weights: images
as float16 tensors, the rest as JSON in its metadata.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.errors import CheckpointError
from etpicker_plugin.engine.json_checks import (
    JsonFault,
    list_of,
    map_of,
    number,
    one_of,
    parse,
    record,
    text,
    whole,
    yes_or_no,
)
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.model.checksums import (
    Described,
    arrays_sha256,
    check_part,
)

EXEMPLARS_KEY = "etpicker_exemplars"
PREFIX = "exemplar."
MEGABYTE = 1_000_000

INDEX_ZYX = list_of(whole(), 3)
RECORDS = list_of(
    record(
        {
            "class_names": list_of(text),
            "annotation": map_of(one_of("complete", "sparse")),
            "tomogram_id": text,
            "origin_zyx": INDEX_ZYX,
            "round": whole(0),
            "owner": text,
            "licence": text,
            "held_out": yes_or_no,
            "counted_start": INDEX_ZYX,
            "counted_stop": INDEX_ZYX,
        },
        {"negatives_zyx": list_of(list_of(number(), 3))},
    )
)

Array = NDArray[np.float16] | NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Exemplar:
    """One piece of a tomogram, at the model's working voxel size.

    Attributes
    ----------
    image
        ``(Z, Y, X)`` float16, normalised as the tomogram was; NaN where nothing may
        be learnt (outside a region mask).
    positions_zyx
        ``(N, 3)`` float32 centres in voxels of the image; some lie just outside.
    class_names
        ``(N,)`` names of the centres' classes.
    annotation
        How each class that was annotated was: ``complete`` or ``sparse``.
    tomogram_id, origin_zyx, round
        Where it comes from (working voxels), and in which round it was learnt (0: the
        first training).
    owner, licence
        Whose data it is, and under which terms; free text.
    held_out
        Never learnt from: it measures what is remembered.
    counted_start, counted_stop
        Box of the image in which centres count when it is judged; the rest is
        context.
    negatives_zyx
        Places, in voxels of the image, that hold no particle of what was annotated.
    """

    image: NDArray[np.float16]
    positions_zyx: NDArray[np.float32]
    class_names: tuple[str, ...]
    annotation: dict[str, str]
    tomogram_id: str
    origin_zyx: Shape
    round: int
    owner: str
    licence: str
    held_out: bool
    counted_start: Shape
    counted_stop: Shape
    negatives_zyx: tuple[tuple[float, ...], ...] = ()

    def count(self) -> dict[str, int]:
        """Return how many centres of each class lie in the counted box."""
        low, high = np.array(self.counted_start), np.array(self.counted_stop)
        inside = (self.positions_zyx >= low - 0.5) & (self.positions_zyx < high - 0.5)
        counts: dict[str, int] = {}
        for name, ours in zip(self.class_names, inside.all(axis=1), strict=True):
            counts[name] = counts.get(name, 0) + int(ours)
        return counts


def to_arrays(exemplars: list[Exemplar]) -> tuple[dict[str, Array], str]:
    """Return the arrays and the JSON text that a model file holds for exemplars."""
    arrays: dict[str, Array] = {}
    records = []
    for n, exemplar in enumerate(exemplars):
        values: dict[str, Any] = {
            field.name: getattr(exemplar, field.name)
            for field in dataclasses.fields(exemplar)
        }
        name = f"{PREFIX}{n:04d}"
        arrays[f"{name}.image"] = np.ascontiguousarray(values.pop("image"))
        arrays[f"{name}.positions"] = np.ascontiguousarray(values.pop("positions_zyx"))
        records.append(values)
    return arrays, json.dumps(records)


def read_exemplars(path: Path | str) -> list[Exemplar]:
    """Read the exemplars of a model file; none of a model that keeps none.

    Raises
    ------
    CheckpointError
        If the file is no model of ours, or its exemplars are damaged.
    """
    read_card(path)
    try:
        with safe_open(str(path), framework="numpy") as opened:
            metadata = opened.metadata() or {}
            arrays = {
                name: opened.get_tensor(name)
                for name in opened.keys()
                if name.startswith(PREFIX)
            }
        words = metadata.get(EXEMPLARS_KEY, "[]")
        found = arrays_sha256(described(arrays), words)
        check_part(metadata, "exemplars", found, path=Path(path))
        return [
            _exemplar(
                values,
                arrays[f"{PREFIX}{n:04d}.image"],
                arrays[f"{PREFIX}{n:04d}.positions"],
            )
            for n, values in enumerate(RECORDS(parse(words), "exemplars"))
        ]
    except (
        *(SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError),
        CheckpointError,
    ) as error:
        raise CheckpointError(
            f"Model {path}: its exemplars cannot be read ({error}). The file is "
            "damaged; copy it again. It still picks."
        ) from error


def described(arrays: Mapping[str, Array]) -> Iterator[Described]:
    """Yield the arrays as checksums take them."""
    for name, array in arrays.items():
        yield name, str(array.dtype), array.shape, array.tobytes()


def _exemplar(
    values: dict[str, Any],
    image: NDArray[np.float16],
    positions: NDArray[np.float32],
) -> Exemplar:
    """Return an exemplar of its record and arrays, if they fit each other.

    Raises
    ------
    JsonFault
        If they do not.
    """
    shape = (len(values["class_names"]), 3)
    if image.ndim != 3 or image.dtype != np.float16 or not image.size:
        raise JsonFault(f"an image of {image.dtype} {image.shape}, expected float16")
    if positions.shape != shape or positions.dtype != np.float32:
        raise JsonFault(f"centres of {positions.dtype} {positions.shape}, not {shape}")
    if not np.isfinite(positions).all() or np.isinf(image).any():
        raise JsonFault("an image or a centre is infinite")
    return Exemplar(image=image, positions_zyx=positions, **values)


def size_in_bytes(exemplars: list[Exemplar]) -> int:
    """Return how much of a model file exemplars take."""
    return sum(e.image.nbytes + e.positions_zyx.nbytes for e in exemplars)
