"""Maps that a model keeps, for a second look at its candidates.

They live in the model file beside the weights: densities as float32 tensors, the rest
as JSON in its metadata. What is done with them is told in ``picking.second_look``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from etpicker_plugin.engine.errors import CheckpointError
from etpicker_plugin.engine.json_checks import (
    JsonFault,
    list_of,
    number,
    parse,
    record,
    text,
)
from etpicker_plugin.engine.model.checksums import arrays_sha256, check_part
from etpicker_plugin.engine.model.exemplars import described

MAPS_KEY = "etpicker_maps"
PREFIX = "map."
LENGTH_ANG = number(0.01, 1e6)
RECORD = record(
    {
        "maps": list_of(
            record({"name": text, "voxel_size": LENGTH_ANG, "extent_ang": LENGTH_ANG}),
            least=1,
        ),
        "weights": list_of(number(), 3),
    },
    {"defocus_um": number(0.01, 100)},
)


@dataclass(frozen=True)
class KeptMap:
    """A class's particle: ``density`` (Z, Y, X) float32, 0 around it; sizes in Å."""

    name: str
    density: NDArray[np.float32]
    voxel_size: float
    extent_ang: float


@dataclass(frozen=True)
class KeptMaps:
    """The maps of some classes, and what they count for in a score.

    ``weights`` are of the network's log-odds, of the maps', and an offset;
    ``defocus_um`` is that of the tomograms, if it is known.
    """

    maps: tuple[KeptMap, ...]
    weights: tuple[float, float, float]
    defocus_um: float | None = None


def to_arrays(
    kept: KeptMaps | None,
) -> tuple[dict[str, NDArray[np.float32]], str]:
    """Return the arrays and the JSON text that a model file holds for maps."""
    if kept is None:
        return {}, ""
    arrays = {
        f"{PREFIX}{n:04d}": np.ascontiguousarray(one.density, np.float32)
        for n, one in enumerate(kept.maps)
    }
    values: dict[str, object] = {
        "maps": [
            {
                "name": one.name,
                "voxel_size": one.voxel_size,
                "extent_ang": one.extent_ang,
            }
            for one in kept.maps
        ],
        "weights": kept.weights,
    }
    if kept.defocus_um is not None:
        values["defocus_um"] = kept.defocus_um
    return arrays, json.dumps(values)


def read_kept_maps(path: Path | str) -> KeptMaps | None:
    """Read the maps of a model file that can be read; nothing where it keeps none.

    Raises
    ------
    CheckpointError
        If they are damaged.
    """
    try:
        with safe_open(str(path), framework="numpy") as opened:
            metadata: Mapping[str, str] = opened.metadata() or {}
            arrays = {
                name: opened.get_tensor(name)
                for name in opened.keys()
                if name.startswith(PREFIX)
            }
        words = metadata.get(MAPS_KEY, "")
        if not words:
            return None
        check_part(
            metadata, "maps", arrays_sha256(described(arrays), words), path=Path(path)
        )
        values = RECORD(parse(words), "maps")
        maps = tuple(
            KeptMap(density=_density(arrays[f"{PREFIX}{n:04d}"]), **one)
            for n, one in enumerate(values["maps"])
        )
    except (SafetensorError, OSError, KeyError, JsonFault, CheckpointError) as error:
        raise CheckpointError(
            f"Model {path}: its maps cannot be read ({error}). The file is damaged; "
            "copy it again or use another model."
        ) from error
    first, second, third = values["weights"]
    return KeptMaps(
        maps=maps,
        weights=(first, second, third),
        defocus_um=values.get("defocus_um"),
    )


def _density(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a density, if it is one.

    Raises
    ------
    JsonFault
        If it is not.
    """
    usable = array.ndim == 3 and array.dtype == np.float32 and array.size
    if not usable or not np.isfinite(array).all() or array.max() <= 0:
        raise JsonFault(f"a density of {array.dtype} {array.shape} that is none")
    return array
