"""Parameters of ``etpicker convert``."""

from dataclasses import dataclass
from typing import List, Optional, Tuple

from etpicker_plugin.engine.config.checks import (
    pass_over_hidden,
    require,
    require_given_if_trusted,
    require_in_bounds,
    require_positive,
    require_tomogram_lists,
)
from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.config.shared import (
    score_column_option,
    tilt_series_name_option,
    tilt_series_table_option,
    tomograms_option,
    trust_voxel_size_option,
)
from etpicker_plugin.engine.formats.catalogue import CATALOGUE, format_named
from etpicker_plugin.engine.formats.format import Format, FormatOptions
from etpicker_plugin.engine.formats.tilt_series_names import check_patterns
from etpicker_plugin.engine.names import require_classes

FORMATS = tuple(known.name for known in CATALOGUE)
TITLES = tuple(known.title for known in CATALOGUE)
IN_TOMOGRAMS = [known.title for known in CATALOGUE if 3 in known.dimensions]
"""The first of these titles, for forms that know tomograms alone."""
JOINT = [known for known in CATALOGUE if known.is_joint]
PER_CLASS = [known for known in CATALOGUE if known.is_per_class]
SINGLE = [known for known in CATALOGUE if known not in (*JOINT, *PER_CLASS)]
UNBINNED = [known for known in CATALOGUE if known.needs_binning]
BOXES = [known for known in CATALOGUE if "box_size" in known.heeded]
LOWER_CENTRE = "relion5_centre"
LOWER = "That RELION 5 centre is an unbinned pixel below half"
UNNAMED = ("particle",)
STATE_BINNING = [known for known in UNBINNED if known.states_binning]


def _names(formats: List[Format]) -> str:
    return ", ".join(known.name for known in formats)


def _files(formats: List[Format]) -> str:
    files = (str(known.path_of("NAME")) for known in formats)
    return ", ".join(dict.fromkeys(files))


@dataclass(frozen=True)
class ConvertConfig:
    """From which format to which, with voxel size, dimensions and origin said."""

    input: Tuple[str, ...] = option(
        REQUIRED, "Coordinate file(s) to read.", label="Coordinate files"
    )
    input_format: str = option(
        REQUIRED,
        "Format of the input.",
        choices=FORMATS,
        titles=TITLES,
        label="Input format",
    )
    output_format: str = option(
        REQUIRED,
        "Format to write.",
        choices=FORMATS,
        titles=TITLES,
        label="Output format",
    )
    out: str = option(
        REQUIRED,
        f"Folder for the converted files: one for each tomogram ({_files(SINGLE)}), or "
        f"for each of its classes ({_names(PER_CLASS)}), or one for all "
        f"({_files(JOINT)}); beside each a .json says what it holds.",
        label="Output folder",
    )
    tomogram: Tuple[str, ...] = option(
        (),
        "The tomograms the coordinates belong to: their dimensions, voxel size and "
        "names are read from them. Otherwise give --dimensions and --voxel-size.",
        label="Tomograms",
    )
    dimensions: Tuple[int, ...] = option(
        (),
        "Tomogram size x y z; of micrographs x y.",
        label="Dimensions",
        unit="voxels",
    )
    voxel_size: Optional[float] = option(
        None,
        "Voxel size of the tomogram, pixel size of the micrograph.",
        label="Voxel size",
        unit="Å",
    )
    trust_voxel_size: bool = trust_voxel_size_option()
    binning: Optional[float] = option(
        None,
        "Tomogram voxel size over tilt-series pixel size. It must be given for formats "
        f"in unbinned pixels ({_names(UNBINNED)}), but not beside RELION's "
        f"tomograms.star, nor to read one whose files state it "
        f"({_names(STATE_BINNING)}); elsewhere 1 is taken.",
        label="Binning",
    )
    tomograms: str = tomograms_option()
    tilt_series_name: Tuple[str, ...] = tilt_series_name_option()
    tilt_series_table: str = tilt_series_table_option()
    relion5_centre: str = option(
        "half",
        "Origin of RELION 5's centred coordinates: half = size/2 (RELION itself, "
        "copick, ArtiaX); half-minus-one = unbinned size/2 - 1 (RELION's napari "
        "picker).",
        choices=("half", "half-minus-one"),
        label="RELION 5 centre",
        advanced=True,
    )
    dynamo_first_voxel: str = option(
        "0",
        "Number of the first voxel in Dynamo tables: 0 as Scipion, copick and ArtiaX "
        "read and write them, 1 as Dynamo itself counts.",
        choices=("0", "1"),
        label="Dynamo's first voxel",
        advanced=True,
    )
    groups: str = option(
        "none",
        "What points with one number in column 21 of a Dynamo table (or 23, where that "
        "is 0), or in one contour or surface of IMOD's, lie on: a filament, or a "
        "vesicle's membrane.",
        choices=("none", "filament", "vesicle"),
        label="Groups of the input",
        advanced=True,
    )
    mirror_z: bool = option(
        False,
        "z runs the other way in the other program (opposite handedness): z becomes "
        "n - 1 - z; for EMAN2 it changes sign, as Scipion's EMAN plugin does for "
        "tomograms that EMAN2 did not reconstruct.",
        label="Mirror z",
        advanced=True,
    )
    box_size: int = option(
        64,
        "Edge of the boxes to write, in formats that hold boxes in micrographs "
        f"({_names(BOXES)}).",
        label="Box size",
        unit="pixels",
        advanced=True,
    )
    class_name: Tuple[str, ...] = option(
        UNNAMED,
        "Names of the classes 1, 2, … where the input holds only numbers; the first "
        "where it holds no class. Also the order in which classes are numbered; "
        "without it that of the model, where the JSON that picking left lies beside "
        "the input, else of the alphabet.",
        label="Class names",
    )

    surface_step: Optional[float] = option(
        None,
        "Of vesicles (rows with a radius): instead of them, write points on their "
        "membranes, so far apart, with outward normals.",
        label="Points on membranes: step",
        unit="Å",
        advanced=True,
    )
    instance_masks: bool = option(
        False,
        "Of vesicles: also write NAME_instances.mrc for each tomogram: 0 outside, i in "
        "the i-th vesicle; of nested ones, the inner.",
        label="Masks of instances",
        advanced=True,
    )
    score_column: str = score_column_option(
        "the input, where it is not one of those that etpicker knows: a label of a "
        "STAR file, a header of a CSV or TSV file"
    )

    def __post_init__(self) -> None:
        """Refuse contradictions, and what would have to be guessed."""
        require_tomogram_lists(self, "tomogram")
        pass_over_hidden(self, "input")
        require_classes(self.class_name, what="--class-name")
        check_patterns(self.tilt_series_name)
        require_given_if_trusted(self)
        require_positive(self, "binning", "surface_step", "box_size")
        require(len(self.class_name) > 0, "--class-name: give at least one name.")
        require(
            not self.score_column or format_named(self.input_format).names_columns,
            f"--score-column: files of the format {self.input_format} do not name "
            "their columns. Leave it out.",
        )
        require(
            self.groups == "none"
            or format_named(self.input_format).groups_have_no_kind,
            f"--groups: files of the format {self.input_format} say themselves what "
            "their groups are. Leave it out.",
        )
        require(
            len(self.dimensions) in (0, 2, 3) and all(n > 0 for n in self.dimensions),
            f"--dimensions: got {' '.join(map(str, self.dimensions))}, expected three "
            "numbers above 0: the tomogram's size x y z in voxels; or two, a "
            "micrograph's.",
        )
        read, written = map(format_named, (self.input_format, self.output_format))
        require(
            bool(set(read.dimensions) & set(written.dimensions)),
            f"--input-format {read.name} and --output-format {written.name}: one holds "
            "places in tomograms, the other in micrographs. Choose two for the same "
            "images; csv holds both.",
        )
        require(
            not (self.tomogram and self.dimensions),
            "--tomogram and --dimensions are both given. The tomograms know their "
            "dimensions: leave out --dimensions.",
        )
        self._require_frame()
        require_in_bounds(self)

    def _require_frame(self) -> None:
        """Refuse to guess dimensions, voxel size or a binning that is needed."""
        require(
            bool(self.tomogram or self.dimensions),
            "The tomogram's dimensions are not known, and etpicker does not guess "
            "them. Give --tomogram, or --dimensions x y z and --voxel-size.",
        )
        require(
            bool(self.tomogram) or self.voxel_size is not None,
            "The voxel size is not known, and etpicker does not guess it. Give "
            "--voxel-size in Å, or --tomogram.",
        )
        reasons = " and ".join(self._needs_of_binning())
        require(
            self.binning is not None or bool(self.tomograms) or not reasons,
            f"{reasons}, and the tomogram's binning is not known. Give --binning (1 if "
            "the tomogram is not binned) or --tomograms.",
        )

    def _needs_of_binning(self) -> List[str]:
        """Return why the binning must be known."""
        read, written = map(format_named, (self.input_format, self.output_format))
        lower = self.relion5_centre != "half"
        needs = [
            written.needs_binning,
            "" if read.states_binning else read.needs_binning,
            *(
                LOWER
                for kind in (read, written)
                if lower and LOWER_CENTRE in kind.heeded
            ),
        ]
        return list(dict.fromkeys(filter(None, needs)))

    @property
    def format_options(self) -> FormatOptions:
        """What the formats heed of these parameters."""
        return FormatOptions(
            class_names=self.class_name,
            binning_is_known=self.binning is not None or bool(self.tomograms),
            relion5_centre=self.relion5_centre,
            first_voxel=int(self.dynamo_first_voxel),
            groups="" if self.groups == "none" else self.groups,
            score_column=self.score_column,
            box_size=self.box_size,
        )
