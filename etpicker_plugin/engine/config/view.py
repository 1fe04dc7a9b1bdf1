"""Parameters of ``etpicker view``."""

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from etpicker_plugin.engine.config.checks import (
    pass_over_hidden,
    require_diameters,
    require_given_if_trusted,
    require_in_bounds,
    require_known_kinds,
    require_tomogram_lists,
)
from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.config.shared import (
    kind_option,
    trust_voxel_size_option,
    voxel_size_option,
)


@dataclass(frozen=True)
class ViewConfig:
    """What to look at, and where the annotation is kept."""

    tomogram: Tuple[str, ...] = option(
        REQUIRED, "Tomograms (MRC) or micrographs to look at.", label="Tomograms"
    )
    coordinates: Tuple[str, ...] = option(
        (),
        "Picks to begin with: one CSV per tomogram, or some, named after theirs. They "
        "are copied, never changed.",
        label="Coordinates",
    )
    compare: Tuple[str, ...] = option(
        (),
        "A second set of picks, one CSV per tomogram, to see what both found.",
        label="Compare with",
    )
    diameter: Dict[str, float] = option(
        {},
        "Classes and their particle diameters; the order gives the keys 1, 2, 3 …. A "
        "number alone is for the one class that there is. What is not given is taken "
        "from what lies beside the coordinates, or asked for in the window.",
        label="Particle diameter",
        unit="Å",
        example="ribosome=323 proteasome=150",
        alone=True,
    )
    kind: Dict[str, str] = kind_option()
    threshold: Dict[str, float] = option(
        {},
        "Thresholds of the model that picked, to be marked among the scores. What is "
        "not given is taken from what lies beside the coordinates.",
        label="Model's thresholds",
    )
    voxel_size: Optional[float] = voxel_size_option()
    trust_voxel_size: bool = trust_voxel_size_option()
    probability: Tuple[str, ...] = option(
        (), "Probability maps to lay over the tomograms.", label="Probability maps"
    )
    mask: Tuple[str, ...] = option(
        (), "Region masks to lay over the tomograms.", label="Region masks"
    )
    out: str = option(
        "annotation",
        "Folder of the annotation. Every edit is saved there at once; opened again, "
        "it goes on where it was. NAME.csv is the result for each tomogram.",
        label="Annotation folder",
    )

    def __post_init__(self) -> None:
        """Refuse contradictions before any file is opened."""
        require_tomogram_lists(self, "tomogram")
        pass_over_hidden(self, "coordinates", "compare", "probability", "mask")
        require_diameters(self.diameter)
        require_known_kinds(self.kind)
        require_given_if_trusted(self)
        require_in_bounds(self)
