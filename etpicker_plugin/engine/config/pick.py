"""Parameters of ``etpicker pick``."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Optional, Tuple

from etpicker_plugin.engine.config.checks import (
    put_in_order,
    require,
    require_given_if_trusted,
    require_in_bounds,
    require_not_negative,
    require_positive,
    require_tomogram_lists,
)
from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.config.part import SLURM, Part, read_part
from etpicker_plugin.engine.config.shared import (
    device_option,
    threads_option,
    tilt_series_name_option,
    tilt_series_table_option,
    tomograms_option,
    trust_voxel_size_option,
    voxel_size_option,
)
from etpicker_plugin.engine.formats.tilt_series_names import check_patterns
from etpicker_plugin.engine.records import RECORDS_FOLDER

FILAMENT_LENGTHS = (
    "filament_step",
    "filament_gap",
    "filament_length",
    "filament_radius",
    "filament_rise",
)
"""Parameters of filaments, each a length per class."""


@dataclass(frozen=True)
class PickConfig:
    """Which model picks which tomograms, and what is kept."""

    model: str = option(
        REQUIRED,
        "Model file (.safetensors).",
        label="Model",
        counts="content",
    )
    tomogram: Tuple[str, ...] = option(
        REQUIRED,
        "Tomograms to pick (MRC), or micrographs (MRC or TIFF).",
        label="Tomograms",
        counts="content",
    )
    out: str = option(
        REQUIRED,
        "Folder for NAME.csv, NAME.star (of micrographs NAME_autopick.star) and "
        "NAME.json of each tomogram. A tomogram already picked there with the same "
        "model and parameters is not redone.",
        label="Output folder",
        counts="no",
    )
    classes: Tuple[str, ...] = option(
        (), "Classes to pick; without any, all the model knows.", label="Classes"
    )
    unbiased: bool = option(
        False,
        "Pick everything that looks like a particle, of whatever species the model "
        "knows: the score is how surely it is any of them, the class the likeliest. "
        "Without it each species is picked by its own score (unbiased picking, as "
        "EPicker calls it).",
        label="Any species alike",
        advanced=True,
    )
    threshold: Dict[str, float] = option(
        {},
        "Lowest score kept, per class (0 to 1); without it, the model's own, chosen "
        "on its validation data.",
        label="Thresholds",
        example="ribosome=0.5",
    )
    max_picks: Optional[int] = option(
        None,
        "Keep the best this many picks per class and tomogram, whatever their "
        "score (down to the lowest possible threshold).",
        label="Most picks per class",
        advanced=True,
    )
    voxel_size: Optional[float] = voxel_size_option()
    trust_voxel_size: bool = trust_voxel_size_option()
    tomograms: str = tomograms_option()
    tilt_series_name: Tuple[str, ...] = tilt_series_name_option()
    tilt_series_table: str = tilt_series_table_option()
    mask: Tuple[str, ...] = option(
        (),
        "One region mask (MRC) per tomogram, named after it: nothing is picked where "
        "it is 0.",
        label="Region masks",
        counts="content",
        of="tomogram",
    )
    z_range: Tuple[float, ...] = option(
        (),
        "First and last slice, counted from 0, in which particles are looked for; "
        "what is far from them is not computed. Without it, all slices.",
        label="Z range",
        unit="voxels",
    )
    border: Optional[float] = option(
        None,
        "Centres nearer than this to a face of the tomogram, or an edge of the "
        "micrograph, are left out; 0 leaves out none. Without it, only those so near "
        "to one in x or y that the model's annotations mark nothing there.",
        label="Border",
        unit="Å",
        advanced=True,
    )
    min_distance: Optional[float] = option(
        None,
        "Two picks of a class are at least this far apart; without it, half that "
        "class's diameter.",
        label="Least distance",
        unit="Å",
        advanced=True,
    )
    filament_step: Dict[str, float] = option(
        {},
        "Between the points that a filament is written as, per class; without it, a "
        "third of its diameter.",
        label="Filaments: step",
        unit="Å",
        example="microtubule=82",
        advanced=True,
    )
    filament_gap: Dict[str, float] = option(
        {},
        "The longest piece that is not seen, through which a filament goes on, per "
        "class; without it, five diameters.",
        label="Filaments: longest gap",
        unit="Å",
        example="microtubule=1000",
        advanced=True,
    )
    filament_length: Dict[str, float] = option(
        {},
        "What is shorter is no filament, per class; without it, three diameters.",
        label="Filaments: least length",
        unit="Å",
        example="microtubule=1000",
        advanced=True,
    )
    filament_radius: Dict[str, float] = option(
        {},
        "Least radius of curvature: a filament that bends more is cut in two, per "
        "class; without it, ten diameters.",
        label="Filaments: least radius of curvature",
        unit="Å",
        example="microtubule=5000",
        advanced=True,
    )
    filament_rise: Dict[str, float] = option(
        {},
        "From one subunit to the next along the filament, per class, for the twist.",
        label="Filaments: rise",
        unit="Å",
        example="actin=27.5",
        advanced=True,
    )
    filament_twist: Dict[str, float] = option(
        {},
        "By how much orientations turn for each rise, per class; positive is "
        "right-handed. Without it, as little as possible.",
        label="Filaments: twist per rise",
        unit="degrees",
        example="actin=-166.7",
        advanced=True,
    )
    surface_step: Dict[str, float] = option(
        {},
        "Also write points on the membranes of vesicles, a step apart, with outward "
        "normals: surface/NAME.csv and surface/NAME.star; per class.",
        label="Vesicles: step of points on membranes",
        unit="Å",
        example="liposome=100",
        advanced=True,
    )
    instance_masks: bool = option(
        False,
        "Also write NAME_instances.mrc: 0 outside, i in the i-th vesicle of NAME.csv; "
        "of nested ones, the inner.",
        label="Vesicles: write masks of instances",
        advanced=True,
    )
    probability_map: bool = option(
        False,
        "Also write NAME_CLASS_probability.mrc on the tomogram's own grid.",
        label="Write probability maps",
        advanced=True,
    )
    tile_size: Optional[int] = option(
        None,
        "Edge of an inference tile at the working voxel size; without it, as large "
        "as free memory allows.",
        label="Tile size",
        unit="voxels",
        advanced=True,
    )
    precision: str = option(
        "auto",
        "auto: bfloat16 where the processor computes it, several times faster; its "
        "rounding moves scores by about 0.001. float32: the same picks whatever the "
        "tile size.",
        label="Precision",
        choices=("auto", "float32"),
        advanced=True,
    )
    part: str = option(
        "",
        "Pick only a part of these tomograms, K/N: with 1/3, 2/3 and 3/3 three "
        "processes or machines share the list and the output folder. 'slurm': the "
        "part of this task in a SLURM array.",
        label="Part",
        advanced=True,
        counts="no",
    )
    model_sha256: str = option(
        "",
        "Refuse a model file with another SHA-256 than this.",
        label="Model's SHA-256",
        advanced=True,
        counts="no",
    )
    records: str = option(
        "",
        "Folder for this process's own progress.jsonl, and error.json or "
        "finished.json; without it, 'records' in the output folder, or with --part a "
        "folder of the part's in it.",
        label="Folder of records",
        advanced=True,
        counts="no",
    )
    device: str = device_option()
    threads: int = threads_option()

    def __post_init__(self) -> None:
        """Refuse contradictions before any file is opened."""
        if self.part != SLURM:  # only the task itself knows which one it is
            self.read_part()
        require_tomogram_lists(self, "tomogram")
        check_patterns(self.tilt_series_name)
        if self.mask:
            put_in_order(self, "mask", of="tomogram")
        require(
            not (self.unbiased and self.classes),
            "--unbiased picks all the model knows, and --classes only some. Give one.",
        )
        require_given_if_trusted(self)
        require_positive(self, "min_distance", "max_picks", "tile_size")
        require_not_negative(self, "threads")
        require(
            self.border is None or self.border >= 0,
            f"--border: got {self.border}, expected 0 or more Å.",
        )
        low, high = self.z_range if len(self.z_range) == 2 else (0.0, -1.0)
        require(
            not self.z_range or 0 <= low <= high < math.inf,
            f"--z-range: got {' '.join(f'{z:g}' for z in self.z_range)}, expected the "
            "first and the last slice, 120 380 say, counted from 0.",
        )
        for name, value in self.threshold.items():
            require(
                0.0 <= value <= 1.0,
                f"--threshold {name}={value:g}: expected a score from 0 to 1.",
            )
        for field in (*FILAMENT_LENGTHS, "surface_step"):
            for name, value in getattr(self, field).items():
                require(
                    value > 0,
                    f"--{field.replace('_', '-')} {name}={value:g}: expected a number "
                    "of Å above 0.",
                )
        alone = {*self.filament_twist} ^ {*self.filament_rise}
        require(
            not alone,
            f"--filament-twist and --filament-rise belong together: of "
            f"{', '.join(sorted(alone))} one is missing. Give both.",
        )
        require_in_bounds(self)

    def read_part(self) -> Part:
        """Return the share of the tomograms to pick."""
        return read_part(self.part)

    def records_folder(self) -> Path:
        """Return the folder of what concerns this process alone."""
        part = self.read_part()
        own = f"part_{part.number}_of_{part.total}"
        shared = Path(self.out, own if part.total > 1 else RECORDS_FOLDER)
        return Path(self.records or shared)
