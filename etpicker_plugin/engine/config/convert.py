"""Parameters of ``etpicker convert``."""

from dataclasses import dataclass

from etpicker_plugin.engine.config.checks import require, require_positive
from etpicker_plugin.engine.config.options import REQUIRED, option

FORMATS = (
    "csv",
    "txt",
    "relion3",
    "relion4",
    "relion5",
    "deepetpicker",
    "dynamo",
    "imod",
    "eman2",
    "copick",
    "portal",
    "warp",
    "warp-normalised",
    "artiax",
    "artiax-coords",
)
JOINT_FORMATS = ("relion3", "relion4", "relion5", "dynamo", "warp", "warp-normalised")
"""Formats with many tomograms in one file."""
FILE_PER_CLASS = ("copick", "portal")
"""Formats with a file for each class of a tomogram."""
NEED_BINNING = {
    "relion4": "RELION 4 coordinates are in unbinned pixels",
    "eman2": "EMAN2's boxes are in unbinned pixels",
}
"""Formats that cannot be written without the binning, nor read (but EMAN2)."""


@dataclass(frozen=True, kw_only=True)
class ConvertConfig:
    """From which format to which, with voxel size, dimensions and origin said."""

    input: tuple[str, ...] = option(
        REQUIRED, "Coordinate file(s) to read.", label="Coordinate files"
    )
    input_format: str = option(
        REQUIRED, "Format of the input.", choices=FORMATS, label="Input format"
    )
    output_format: str = option(
        REQUIRED, "Format to write.", choices=FORMATS, label="Output format"
    )
    out: str = option(
        REQUIRED,
        "Folder for the converted files: one for each tomogram (NAME.csv, .txt, "
        ".coords, .pts, .tsv, NAME_info.json), or for each of its classes (copick, "
        "portal), or one for all (particles.star, particles.tbl); beside each a .json "
        "says what it holds.",
        label="Output folder",
    )
    tomogram: tuple[str, ...] = option(
        (),
        "The tomograms the coordinates belong to: their dimensions, voxel size and "
        "names are read from them. Otherwise give --dimensions and --voxel-size.",
        label="Tomograms",
    )
    dimensions: tuple[int, ...] = option(
        (), "Tomogram size x y z.", label="Dimensions", unit="voxels"
    )
    voxel_size: float | None = option(
        None, "Voxel size of the tomogram.", label="Voxel size", unit="Å"
    )
    binning: float | None = option(
        None,
        "Tomogram voxel size over tilt-series pixel size. RELION 4 coordinates and "
        "EMAN2's boxes are in unbinned pixels, so it must be given for them (EMAN2's "
        "files state it when read); elsewhere 1 is taken.",
        label="Binning",
    )
    relion5_centre: str = option(
        "half",
        "Origin of RELION 5's centred coordinates: half = size/2 (RELION itself, "
        "copick, ArtiaX); half-minus-one = unbinned size/2 - 1 (RELION's napari "
        "picker, pytom-match-pick).",
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
    mirror_z: bool = option(
        False,
        "z runs the other way in the other program (opposite handedness): z becomes "
        "n - 1 - z; for EMAN2 it changes sign, as Scipion's EMAN plugin does for "
        "tomograms that EMAN2 did not reconstruct.",
        label="Mirror z",
        advanced=True,
    )
    class_name: tuple[str, ...] = option(
        ("particle",),
        "Names of the classes 1, 2, … where the input holds only numbers; the first "
        "where it holds no class. Also the order in which classes are numbered.",
        label="Class names",
    )

    def __post_init__(self) -> None:
        """Refuse contradictions, and what would have to be guessed."""
        require_positive(self, "voxel_size", "binning")
        require(len(self.class_name) > 0, "--class-name: give at least one name.")
        require(
            len(self.dimensions) in (0, 3) and all(n > 0 for n in self.dimensions),
            f"--dimensions: got {' '.join(map(str, self.dimensions))}, expected three "
            "numbers above 0: the tomogram's size x y z in voxels.",
        )
        require(
            not (self.tomogram and self.dimensions),
            "--tomogram and --dimensions are both given. The tomograms know their "
            "dimensions: leave out --dimensions.",
        )
        self._require_frame()

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
        wanting = {self.input_format, self.output_format} & set(NEED_BINNING)
        if self.output_format != "eman2":
            wanting.discard("eman2")
        require(
            self.binning is not None or not wanting,
            f"{' and '.join(NEED_BINNING[f] for f in sorted(wanting))}, and the "
            "tomogram's binning is not known. Give --binning (1 if the tomogram is "
            "not binned).",
        )
