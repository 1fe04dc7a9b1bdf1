"""Parameters of ``etpicker extract``."""

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from etpicker_plugin.engine.config.checks import (
    pass_over_hidden,
    require,
    require_diameters,
    require_given_if_trusted,
    require_in_bounds,
    require_positive,
    require_tomogram_lists,
    require_voxel_size,
)
from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.config.shared import (
    tilt_axis_option,
    tilt_range_option,
    trust_voxel_size_option,
    voxel_size_option,
)

LEAST_BOX = 8


@dataclass(frozen=True)
class ExtractConfig:
    """Which particles of which tomograms, and how their boxes are made."""

    coordinates: Tuple[str, ...] = option(
        REQUIRED,
        "One CSV of coordinates per tomogram, named after it, or a folder of them.",
        label="Coordinates",
        counts="content",
    )
    tomogram: Tuple[str, ...] = option(
        REQUIRED,
        "The tomograms to cut boxes from (MRC).",
        label="Tomograms",
        counts="content",
    )
    diameter: Dict[str, float] = option(
        REQUIRED,
        "Each class to extract and its particle diameter; other classes are left out.",
        label="Particle diameter",
        unit="Å",
        example="ribosome=323 proteasome=150",
        class_in="coordinates",
    )
    tilt_range: Tuple[float, ...] = tilt_range_option()
    out: str = option(
        REQUIRED,
        "Folder for particles.star, boxes/, wedge.mrc, left_out.csv and, last, "
        "particles.json. A box that stands there of the same run is not made again.",
        label="Output folder",
        counts="no",
    )
    box_size: Optional[int] = option(
        None,
        "Edge of the boxes, even; without it, one and a half times the largest "
        "diameter. A particle whose box is not whole is listed and left out.",
        label="Box size",
        unit="voxels",
    )
    box_voxel_size: Optional[float] = option(
        None,
        "Voxel size of the boxes, not smaller than the tomograms'; without it, the "
        "tomograms' own.",
        label="Box voxel size",
        unit="Å",
    )
    normalisation: str = option(
        "sphere",
        "Where a box gets mean 0 and standard deviation 1. sphere: within the "
        "particle's diameter, so that log-likelihoods compare best and neighbours do "
        "not count. background: outside of it, RELION's convention; it favours "
        "off-centre particles. box: everywhere.",
        choices=("sphere", "box", "background"),
        label="Normalisation",
    )
    invert: bool = option(
        True,
        "Turn the contrast over: in RELION particles are bright. No, when they are "
        "bright in the tomograms already.",
        label="Invert contrast",
    )
    tilt_axis: str = tilt_axis_option()
    voxel_size: Optional[float] = voxel_size_option()
    trust_voxel_size: bool = trust_voxel_size_option()
    voltage: float = option(300.0, "Acceleration voltage.", unit="kV", advanced=True)
    spherical_aberration: float = option(
        2.7, "Spherical aberration.", unit="mm", advanced=True
    )

    def __post_init__(self) -> None:
        """Refuse contradictions before any file is opened."""
        require_tomogram_lists(self, "tomogram")
        pass_over_hidden(self, "coordinates")
        require_diameters(self.diameter)
        require_given_if_trusted(self)
        require_voxel_size(self, "box_voxel_size")
        require_positive(self, "voltage", "spherical_aberration")
        require(
            self.box_size is None
            or (self.box_size >= LEAST_BOX and self.box_size % 2 == 0),
            f"--box-size: got {self.box_size}, expected an even number of {LEAST_BOX} "
            "or more voxels.",
        )
        low, high = self.tilt_range if len(self.tilt_range) == 2 else (1.0, 0.0)
        require(
            -90 <= low < high <= 90,
            f"--tilt-range: got {' '.join(f'{t:g}' for t in self.tilt_range)}, "
            "expected the lowest and the highest tilt angle, -60 60 say.",
        )
        require_in_bounds(self)
