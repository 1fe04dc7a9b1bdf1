"""The engine's frame, and every conversion into and out of it.

Internal frame: 0-based voxel index, voxel *i* centred at *i*, float, zyx. Positions
leave it only through this module.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TomogramFrame:
    """What a conversion must know of a tomogram.

    ``binning`` is its voxel size over the tilt series' pixel size.
    """

    tomogram_id: str
    shape_zyx: tuple[int, int, int]
    voxel_size: float
    binning: float = 1.0
